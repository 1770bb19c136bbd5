"""The forms of members without root credentials."""

from __future__ import annotations

from wtforms import StringField, TextAreaField
from wtforms.validators import Optional

from vault.web.ui.forms import OTP_NEEDED, CodeField, Form, needed


class AskingForm(Form):
    """Which payer is asked; the only one there is, where none is named."""

    payer = StringField(
        "Payer's account number", [Optional()], filters=[lambda text: (text or "").replace(" ", "")]
    )


class KeylessForm(Form):
    """Why a member's root credentials go, or their recovery is allowed again."""

    why = TextAreaField("Why", needed("Say why; the other person reads it."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))
