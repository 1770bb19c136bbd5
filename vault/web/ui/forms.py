"""The forms: fields with labels, and how a use case's refusal finds its field.

Decided here: secrets and codes are never sent back. Rules about content are the use
cases'; a form only knows what is missing. The form's token is checked before any view runs
(`vault.web.security`), and again by Flask-WTF when the form is validated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from flask import request
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from vault.domain.account import Custodian, Model
from vault.domain.checkout import Decision
from vault.domain.notice import Topic
from vault.errors import VaultError
from vault.web.texts import REFUSED, deceives
from vault.web.ui.words import CUSTODIAN, KIND, NOTICE_TOPIC, NOTICE_WAY, ROLE, ROLE_MEANING


def options(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Give what one chooses from, each as the value sent and the words shown."""
    return [SelectChoice(value, label) for value, label in pairs]


def needed(words: str = "Fill this in.") -> list[InputRequired]:
    """Ask for a field, in words that say what to do."""
    return [InputRequired(words)]


REACHES = options((("all", "Everything"), ("customer", "One customer"), ("account", "One account")))
TOKEN_DAYS = options((("1", "1 day"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days")))
OTP_NEEDED = "Give the six digits that your device shows now; with a passkey, press it."


class Form(FlaskForm):  # type: ignore[misc] # flask-wtf publishes no types
    """A form that can take a use case's refusal."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc] # as above
        """Texts only: a file sent under a field's name is not that field."""

        def wrap_formdata(self, form: FlaskForm, formdata: object) -> object:  # noqa: ARG002 - WTForms passes it
            """Read what was posted, or nothing where a form is only shown."""
            return None if formdata is None else request.form

    places: ClassVar[dict[str, str]] = {}
    """JSON pointers of errors whose field has another name here."""

    error: VaultError | None = None

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Say whether all is filled in, and no text has characters that act instead of being seen (S27)."""
        good = super().validate(extra_validators=extra_validators)
        for each in self:
            text = each.data
            if isinstance(each, PasswordField) or not isinstance(text, str):
                continue
            if deceives(text, lines=isinstance(each, TextAreaField)):
                each.errors = [*each.errors, REFUSED]
                good = False
        return bool(good)

    def take(self, error: VaultError) -> None:
        """Put each error beside its field, and keep the whole for the summary above the form."""
        self.error = error
        for each in error.errors:
            name = self.places.get(each.pointer, each.pointer.removeprefix("/"))
            if name in self._fields:
                self._fields[name].errors = [*self._fields[name].errors, each.detail]
        code_is_wrong = error.code in {
            "otp.used", "passkey.used", "auth.delayed", "auth.refused", "auth.passkey_required",
        }  # fmt: skip
        if code_is_wrong and "otp" in self._fields:
            self._fields["otp"].errors = [error.detail]
        if error.code in {"seed.invalid", "password.weak"} and not error.errors:
            name = "seed" if error.code == "seed.invalid" else "password"
            if name in self._fields:
                self._fields[name].errors = [error.detail]


class CodeField(StringField):  # type: ignore[misc] # wtforms publishes no types
    """A one-time code: never sent back, because it is used up or wrong. Password fields never are, either."""

    def _value(self) -> str:
        return ""


class SignInForm(Form):
    """Who, and two proofs of it."""

    email = StringField("E-mail", needed("Give your e-mail address."))
    password = PasswordField("Password", needed("Give your password."))
    otp = CodeField("Code", needed(OTP_NEEDED))


class EnrolForm(Form):
    """A new password, and the first code of the new device."""

    password = PasswordField("New password", needed("Choose a password."))
    again = PasswordField("The same again", needed("Type the password a second time."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class OtpForm(Form):
    """A fresh second factor, alone."""

    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class PasskeyForm(Form):
    """A new passkey: what it is called, what the browser made, and a factor that counts already."""

    name = StringField("Name", needed("Say which device or key it is on."))
    ticket = StringField(validators=needed("Your browser has to make the passkey; that needs JavaScript."))
    credential = CodeField(validators=[Optional()])
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


def carrying(form: Form) -> OtpForm:
    """Give a form for the second factor that carries another form's refusal."""
    if isinstance(form, OtpForm):
        return form
    other = OtpForm(formdata=None)
    other.error = form.error
    return other


class AskForm(Form):
    """Reason, ticket and sentence, before anything."""

    places: ClassVar[dict[str, str]] = {"/duration_seconds": "minutes"}

    reason = RadioField("Reason", needed("Choose the reason."), validate_choice=False)
    ticket = StringField("Ticket", needed("Give the number of the ticket this is for."))
    justification = TextAreaField("What for, in a sentence", needed("Say what you are going to do."))
    minutes = SelectField("For how long", choices=[])
    break_glass = StringField(validators=[Optional()])


class DecideForm(Form):
    """An approver's word."""

    places: ClassVar[dict[str, str]] = {"/duration_seconds": "minutes"}

    decision = RadioField(
        "Your decision",
        needed("Approve or deny."),
        choices=options(((Decision.APPROVE, "Approve"), (Decision.DENY, "Deny"))),
    )
    comment = TextAreaField("Comment", [Optional()])
    minutes = SelectField("Shorten to", choices=[])
    content_hash = StringField(validators=[Optional()])
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class AgreeForm(Form):
    """A second person's word on what they looked at."""

    content = StringField(validators=[Optional()])
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class PolicyForm(Form):
    """Another policy, with the first word for it."""

    text = TextAreaField("Policy (TOML)", needed("Give the whole text."))
    why = TextAreaField("Why", needed("Say why; it stays in the log."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class RecipientForm(Form):
    """Another recovery recipient, with the first word for it."""

    recipient = StringField("Recipient", needed("Give the recipient, or none."))
    why = TextAreaField("Why", needed("Say why; it stays in the log."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class DrillForm(Form):
    """A drill, with the first word for it."""

    scope = RadioField("What is opened", validators=needed("Say what is opened."))
    why = TextAreaField("Why", needed("Say why; it stays in the log."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class RewrapForm(Form):
    """Other keys for every data key, with the first word for them."""

    keys = TextAreaField("Keys", needed("Name at least one key."))
    remove_old = BooleanField("Remove the wraps of all other keys")
    why = TextAreaField("Why", needed("Say why; it stays in the log."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class WhyForm(Form):
    """A sentence on why something ends."""

    why = TextAreaField("Why", needed("Say why; it stays in the log."))


class RecoverForm(Form):
    """Why somebody enrols again, with a fresh second factor."""

    why = TextAreaField(
        "Why, and how you know that it is them", needed("Say why; another administrator reads it.")
    )
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class RevokeForm(Form):
    """Ending somebody else's checkout."""

    reason = TextAreaField("Why", needed("Say why; it stays in the log."))


class SeedForm(Form):
    """The secret key that AWS shows for a new device."""

    seed = PasswordField("Secret key of the new device", needed("Paste the secret key that AWS shows."))


class AttestForm(Form):
    """What AWS did with a value."""

    outcome = RadioField(
        "What did AWS do?",
        needed("Say what AWS did; choose “I do not know” if you are not sure."),
        choices=[],
    )


class HandOnForm(Form):
    """To whom an incident goes."""

    to = SelectField("Hand it on to", needed("Choose who looks into it."), choices=[], validate_choice=False)


class ClosingForm(Form):
    """What explains an incident."""

    sentence = TextAreaField("What explains it", needed("Say what explains it."))


class VerifyForm(Form):
    """Evidence that a rotation holds."""

    evidence = TextAreaField("What proves it", needed("Say what you saw."))


class IntakeForm(Form):
    """Values that existed before us."""

    root_email = StringField("Root e-mail", needed("Give the root user's e-mail address."))
    password = PasswordField("Root password", needed("Give the root password as it is."))
    seed = PasswordField("MFA secret key", needed("Give the MFA device's secret key or otpauth address."))
    attested = BooleanField("I signed in with both and they worked")
    otp = CodeField("Code from your own device", needed(OTP_NEEDED))


class CustomerForm(Form):
    """A customer, named by its DDI."""

    ddi = StringField("DDI number", needed("Give the DDI number."))
    name = StringField("Name", needed("Give the customer's name."))
    public_sector = BooleanField("Public Sector")
    aws_india = BooleanField("Under AWS India")


class LimitsForm(Form):
    """A customer's own limits on sessions and leases, in minutes; empty takes one away (U3)."""

    places: ClassVar[dict[str, str]] = {"/session_idle_seconds": "idle", "/session_max_seconds": "longest"}

    name = StringField("Name", needed("Give the customer's name."))
    public_sector = BooleanField("Public Sector")
    aws_india = BooleanField("Under AWS India")
    idle = StringField("Sessions end after so many minutes without a request", [Optional()])
    longest = StringField("Sessions and leases last at most so many minutes", [Optional()])


def _custodians() -> list[SelectChoice]:
    return options((each, CUSTODIAN[each].name) for each in Custodian)


class AccountForm(Form):
    """An AWS account under a customer."""

    account_id = StringField("AWS account number", needed("Give the 12 digits."))
    name = StringField("Name", needed("Give the account's name."))
    customer_id = SelectField("Customer", needed("Choose the customer."), choices=[], validate_choice=False)
    model = SelectField(
        "Model",
        choices=options(
            ((Model.SPAM, "SPAM: we own payer and members"), (Model.ECAM, "ECAM: the customer owns members"))
        ),
    )
    kind = SelectField("Place in the bill", choices=options(KIND.items()))
    root_email = StringField("Root e-mail", needed("Give the root user's e-mail address."))
    is_new = BooleanField("Made at AWS for the customer, and not transferred")
    mailbox = SelectField("Who controls the mailbox", choices=_custodians())
    phone = SelectField("Who controls the primary phone", choices=_custodians())


class InviteForm(Form):
    """A new person."""

    email = StringField("E-mail", needed("Give their e-mail address."))
    name = StringField("Name", needed("Give their name."))


class GrantForm(Form):
    """Power for a person, within a scope."""

    role = SelectField(
        "Role", choices=options((role, f"{name}: {ROLE_MEANING[role]}") for role, name in ROLE.items())
    )
    scope = SelectField("Reach", choices=REACHES)
    target = StringField("DDI or account number", [Optional()])
    ends_at = StringField("Until the end of (UTC)", [Optional()])


class ReviewForm(Form):
    """A reviewer's sentence; the words on each anomaly are fields of their own."""

    sentence = TextAreaField("Your sentence", needed("Say what you looked at."))
    digest = StringField(validators=[Optional()])


class MachineForm(Form):
    """A machine's token."""

    places: ClassVar[dict[str, str]] = {
        **{f"/addresses/{number}": "addresses" for number in range(20)},
        "/scope": "target",
    }

    name = StringField("Name", needed("Say which program it is."))
    scopes = SelectMultipleField("What it may do", needed("Choose at least one."), validate_choice=False)
    reach = SelectField("Reach", choices=REACHES)
    target = StringField("DDI or account number", [Optional()])
    addresses = TextAreaField("Counts only from", [Optional()])
    days = SelectField("Ends after", choices=TOKEN_DAYS)
    why = TextAreaField("Why", [Optional()])
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class TokenForm(Form):
    """A token of one's own."""

    name = StringField("Name", needed("Say what it is for."))
    days = SelectField("Ends after", choices=TOKEN_DAYS)
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class ChoicesForm(Form):
    """How one wants to hear of each topic."""

    requests = SelectField(NOTICE_TOPIC[Topic.REQUESTS][0], choices=options(NOTICE_WAY.items()))
    people = SelectField(NOTICE_TOPIC[Topic.PEOPLE][0], choices=options(NOTICE_WAY.items()))
    own = SelectField(NOTICE_TOPIC[Topic.OWN][0], choices=options(NOTICE_WAY.items()))
    log = SelectField(NOTICE_TOPIC[Topic.LOG][0], choices=options(NOTICE_WAY.items()))
    work = SelectField(NOTICE_TOPIC[Topic.WORK][0], choices=options(NOTICE_WAY.items()))
