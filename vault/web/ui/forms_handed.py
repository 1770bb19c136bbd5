"""Forms of the customer's page: the code that opens it, and the acknowledgement."""

from __future__ import annotations

from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import Optional

from vault.web.ui.forms import CodeField, Form, needed


class PageCodeForm(Form):
    """The code that came another way than the link."""

    code = CodeField("Code", needed("Give the code of eight characters that we told you."))


class AcknowledgeForm(Form):
    """A name, and that they hold the root of every account."""

    signed = StringField("Your name", needed("Write your name."))
    instead = TextAreaField("If you are not the signatory: why you may sign (optional)", [Optional()])
    sure = BooleanField("I hold the root of every account on this page", needed("Tick this to confirm."))
