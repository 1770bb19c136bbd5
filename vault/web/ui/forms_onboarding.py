"""The forms of onboardings: whose accounts, what is known of them, and a limit increase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Optional

from vault.domain.account import Kind, Model
from vault.services.onboarding_desk import Joining
from vault.web.ui.forms import Form, needed
from vault.web.ui.forms_cases import PREFIX, evidence_field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault.domain.case import Field

LINE: Final = "number; name; kind; model; root e-mail; new or transferred"
_PARTS: Final = 6
_NEW: Final = {"new": True, "transferred": False, "": False}


class WelcomeForm(Form):
    """An onboarding; what the plan asks for of the whole case is put in by `welcome_form`."""

    places: ClassVar[dict[str, str]] = {"/accounts": "more", "/ticket": "ticket"}
    names: ClassVar[tuple[str, ...]] = ()

    accounts = SelectMultipleField("Accounts that are registered", [Optional()], validate_choice=False)
    more = TextAreaField("Accounts to register with it", [Optional()])
    ticket = StringField("Ticket", needed("Name the ticket that holds all communication."))

    def information(self) -> dict[str, str]:
        """Give what was typed of A1, by the plan's names."""
        typed = {name: str(self._fields[PREFIX + name].data or "").strip() for name in self.names}
        return {name: text.replace("\r\n", "\n") for name, text in typed.items() if text}

    def joining(self) -> tuple[Joining, ...] | None:
        """Give the accounts; None where a line cannot be read, which is said beside the field."""
        chosen = [Joining(number) for number in self.accounts.data or ()]
        for position, line in enumerate(str(self.more.data or "").splitlines(), 1):
            if not line.strip():
                continue
            found = _joining(line)
            if found is None:
                self.more.errors = [*self.more.errors, f"Line {position} is not: {LINE}."]
                return None
            chosen.append(found)
        return tuple(chosen)


class RaiseForm(Form):
    """That AWS raised a customer's limit of new accounts."""

    most = StringField("New accounts that it may have", needed("Give a number."))
    ticket = StringField("Ticket", needed("Name the ticket on which AWS raised it."))


def welcome_form(fields: Iterable[Field]) -> type[WelcomeForm]:
    """Make the form that asks for these of the whole case."""
    found = tuple(fields)
    made: dict[str, Any] = {PREFIX + each.name: evidence_field(each) for each in found}
    made["names"] = tuple(each.name for each in found)
    made["places"] = WelcomeForm.places | {f"/information/{each.name}": PREFIX + each.name for each in found}
    return cast("type[WelcomeForm]", type("NewOnboardingForm", (WelcomeForm,), made))


def _joining(line: str) -> Joining | None:
    """Read one account; which facts one needs beyond its number is the use case's word."""
    parts = [part.strip() for part in line.split(";")]
    parts += [""] * (_PARTS - len(parts))
    number, name, kind, model, root_email, origin = parts[:_PARTS]
    known = kind in {"", *Kind} and model in {"", *Model} and origin in _NEW
    if len(parts) > _PARTS or not known:
        return None
    return Joining(
        number.replace(" ", "").replace("-", ""),
        name,
        Model(model) if model else None,
        Kind(kind) if kind else None,
        root_email,
        _NEW[origin],
    )
