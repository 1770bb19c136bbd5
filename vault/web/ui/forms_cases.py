"""The forms of cases: made from the fields that a plan asks for, with what was typed kept and each error at its place.

Decided here: how each sort of evidence is typed. A code is never sent back. What is missing or wrong is the use case's
to say, so that pages and programs hear the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Optional

from vault.domain.case import Form as Sort
from vault.web.ui.forms import OTP_NEEDED, CodeField, Form, needed, options

if TYPE_CHECKING:
    from vault.domain.case import Field
    from vault.errors import VaultError

PREFIX: Final = "e_"


class WordForm(Form):
    """What is said of a step; its fields are put in by `evidence_form`."""

    names: ClassVar[tuple[str, ...]] = ()
    otp = CodeField("Code from your device", [Optional()])

    def given(self) -> dict[str, str]:
        """Give what was typed, by the plan's names; what is empty was not given."""
        typed = {name: str(self._fields[PREFIX + name].data or "") for name in self.names}
        return {name: text.replace("\r\n", "\n") for name, text in typed.items() if text.strip()}


class SecondForm(Form):
    """The second word, on what the first one said at `at`."""

    at = StringField(validators=[Optional()])
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class WaiveForm(Form):
    """A step may be let go: why, with the first word for it."""

    why = TextAreaField("Why it may be let go", needed("Say why; another person reads it."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


class NoForm(Form):
    """The second word is refused, or the first taken back."""

    why = TextAreaField("Why", needed("Say why; it stays in the log."))


class CancelForm(Form):
    """A case ends before its work is done."""

    why = TextAreaField("Why it ends", needed("Say why; it stays in the log."))


class OpeningForm(Form):
    """A case: whose accounts, and the ticket; more fields are put in by the plan."""

    places: ClassVar[dict[str, str]] = {"/accounts": "accounts", "/ticket": "ticket"}

    accounts = SelectMultipleField("Accounts", needed("Choose at least one."), validate_choice=False)
    ticket = StringField("Ticket", needed("Name the ticket that holds all communication."))

    def take(self, error: VaultError) -> None:
        """Put what speaks against single accounts beside the choice of them."""
        super().take(error)
        said = [each.detail for each in error.errors if each.pointer.startswith("/accounts/")]
        self.accounts.errors = [*self.accounts.errors, *dict.fromkeys(said)]


def evidence_form(fields: tuple[Field, ...]) -> type[WordForm]:
    """Make the form that asks for these."""
    made: dict[str, Any] = {PREFIX + each.name: evidence_field(each) for each in fields}
    made["names"] = tuple(each.name for each in fields)
    made["places"] = {f"/evidence/{each.name}": PREFIX + each.name for each in fields}
    return cast("type[WordForm]", type("EvidenceForm", (WordForm,), made))


def opening_form(fields: Mapping[tuple[str, str], Field]) -> type[OpeningForm]:
    """Make the form of an opening that asks for these of the whole case, by step and name."""
    made: dict[str, Any] = {
        f"{PREFIX}{step}_{name}": evidence_field(each) for (step, name), each in fields.items()
    }
    made["places"] = OpeningForm.places | {
        f"/{step}/{name}": f"{PREFIX}{step}_{name}" for step, name in fields
    }
    return cast("type[OpeningForm]", type("NewCaseForm", (OpeningForm,), made))


def evidence_field(field: Field) -> Any:
    """Make the field in which a piece of evidence is typed."""
    label = field.label + (" (optional)" if field.optional else "")
    if field.form is Sort.LONG:
        return TextAreaField(label, [Optional()])
    if field.form is Sort.CHOICE:
        choices = options((("", "Choose…"), *((each, each.replace("_", " ")) for each in field.choices)))
        return SelectField(label, [Optional()], choices=choices, validate_choice=False)
    return (CodeField if field.form is Sort.CODE else StringField)(label, [Optional()])
