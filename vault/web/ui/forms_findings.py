"""The forms of findings."""

from __future__ import annotations

from wtforms import IntegerField, SelectField, TextAreaField

from vault.web.ui.forms import Form, needed


class FindingHandOnForm(Form):
    """To whom a finding goes."""

    to = SelectField("Hand it on to", needed("Choose who sees to it."), choices=[], validate_choice=False)


class MendedForm(Form):
    """What was done about a finding."""

    sentence = TextAreaField("What was done", needed("Say what was done."))


class AcceptForm(Form):
    """Why a finding may stay, and for how long."""

    sentence = TextAreaField("Why it may stay", needed("Say why it may stay."))
    days = IntegerField("For how many days", needed("Give a number of days."))
