"""The forms of emergencies: a freeze and its end, a broken glass and its review, the second person, a budget."""

from __future__ import annotations

from typing import ClassVar

from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from vault.domain.checkout import Verdict
from vault.web.ui.forms import OTP_NEEDED, REACHES, CodeField, Form, needed, options


class FreezeForm(Form):
    """One press; why may wait."""

    scope = StringField("What", needed("Say what to freeze."))
    why = StringField("Why", [Optional()])


class LiftForm(Form):
    """One of two words that lift a freeze."""

    why = TextAreaField("Why it can go on", needed("Say why; it stays in the log."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class ReviewGlassForm(Form):
    """What somebody who had no part in it says of a broken glass."""

    verdict = RadioField(
        "What you say of it",
        needed("Say whether it was justified."),
        choices=options(((Verdict.JUSTIFIED, "Justified"), (Verdict.NOT_JUSTIFIED, "Not justified"))),
    )
    sentence = TextAreaField("What you found", needed("Say what you looked at and what you found."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class EnableForm(Form):
    """How far a person may break the glass."""

    scope = SelectField("Reach", choices=REACHES)
    target = StringField("DDI or account number", [Optional()])
    why = TextAreaField("Why", needed("Say why; the other administrator reads it."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class BudgetForm(Form):
    """A campaign's budget."""

    places: ClassVar[dict[str, str]] = {"/accounts_per_hour": "accounts", "/until": "hours"}

    accounts = StringField("Accounts an hour", needed("Give a number."))
    hours = SelectField(
        "For", choices=options((("2", "2 h"), ("8", "8 h"), ("24", "1 d"), ("72", "3 d"), ("168", "7 d")))
    )
    why = TextAreaField("Why", needed("Say why; the other person reads it."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class SplitOffForm(Form):
    """Why one person may have both halves again."""

    why = TextAreaField("Why", needed("Say why; the other custodian reads it."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))
