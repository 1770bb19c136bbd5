"""The forms of campaigns: what two people shall agree to, and whose accounts are whose."""

from __future__ import annotations

from typing import ClassVar

from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Optional, Regexp

from vault.domain.campaign import Parts
from vault.web.ui.forms import OTP_NEEDED, CodeField, Form, needed, options
from vault.web.ui.words import PARTS

DAYS = (("1", "1 day"), ("7", "7 days"), ("14", "14 days"), ("30", "30 days"), ("90", "90 days"))

COUNT = [*needed("Give a number."), Regexp("^ *[1-9][0-9]{0,3} *$", message="Give a number from 1 on.")]


class CampaignForm(Form):
    """What two people shall agree to; which accounts, the page's filter says, or the numbers that are given."""

    places: ClassVar[dict[str, str]] = {
        "/accounts_per_hour": "pace",
        "/until": "days",
        "/accounts": "numbers",
    }

    name = StringField("Name", needed("Give it a name."))
    parts = SelectField("What is rotated", choices=options((each.value, PARTS[each]) for each in Parts))
    pace = StringField("Accounts an hour, for each person", COUNT)
    days = SelectField("Ends after", choices=options(DAYS), default="14")
    people = SelectMultipleField("Who does it", needed("Choose at least one."), validate_choice=False)
    share = RadioField(
        "Whose accounts are whose",
        choices=options((("even", "Shared out evenly now"), ("open", "Nobody's: each takes what is free"))),
        default="even",
    )
    numbers = TextAreaField("Account numbers", [Optional()])
    why = TextAreaField("Why", needed("Say why; the other person reads it."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class MoveForm(Form):
    """So many accounts of somebody go to somebody else; empty means nobody."""

    places: ClassVar[dict[str, str]] = {"/count": "number"}

    of = SelectField("From", choices=[], validate_choice=False)
    to = SelectField("To", choices=[], validate_choice=False)
    number = StringField("How many", COUNT)


class TakeForm(Form):
    """So many accounts that nobody has."""

    number = StringField("Take how many", COUNT)
