"""Evidence as it is given for a step: every field that is wrong is named, and a code is never kept.

Decided here: what a well-formed piece of evidence is. Whether it is true is for people, and for a kind's own checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

from vault.domain.account import Kind
from vault.domain.case import TEXT_MAX, Field, Form, Step
from vault.domain.ids import is_email
from vault.errors import FieldError, Invalid

if TYPE_CHECKING:
    from vault.domain.case import Plan, Scene

NOTE: Final = Field("note", "How it was done, and where that can be seen", Form.LONG)
"""What is asked of a person who did by hand what the vault could have done, and of a step that asks for nothing
else.
"""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_CODE: Final = re.compile(r"[0-9A-Za-z-]{4,64}", re.ASCII)
LONG_MAX: Final = 4 * TEXT_MAX


def fields_of(step: Step) -> tuple[Field, ...]:
    """Give what a person is asked for who says that a step is done."""
    asked = tuple(field for field in step.evidence if field.form is not Form.CODE)
    return asked or (NOTE,)


def read(fields: tuple[Field, ...], given: Mapping[str, str], at: str = "/evidence") -> dict[str, str]:
    """Give what was given, by field, without blanks around it; raise `Invalid` case.evidence naming all that is wrong.

    `at` is the JSON pointer under which the fields stand.
    """
    errors = [
        FieldError(f"{at}/{name}", "This step does not ask for it; leave it out.")
        for name in given
        if name not in {field.name for field in fields}
    ]
    found: dict[str, str] = {}
    for field in fields:
        value = given.get(field.name, "").strip()
        wrong = _wrong(field, value)
        if wrong:
            errors.append(FieldError(f"{at}/{field.name}", wrong))
        elif value:
            found[field.name] = value
    if errors:
        first = "; ".join(f"{error.pointer.rsplit('/', 1)[-1]}: {error.detail}" for error in errors[:3])
        raise Invalid("case.evidence", f"The evidence is not as it should be. {first}", errors=tuple(errors))
    return found


def stray_payer(
    scene: Scene, plan: Plan, number: str, step: str, evidence: Mapping[str, str], at: str = "/evidence"
) -> tuple[FieldError, ...]:
    """Say what is wrong of a payer that is named where a case does not ask whose a member is (H7).

    Where it has a payer of its own, that one is right and is left out as said already; another one never is.
    """
    if plan.under is None or step != plan.under[0]:
        return ()
    payers = [each for each in scene.live if scene.kind_of[each] is Kind.PAYER]
    place = f"{at}/{plan.under[1]}"
    if scene.kind_of[number] is not Kind.MEMBER:
        return (FieldError(place, "H7: this account is no member, and is under no payer; leave it out."),)
    if payers and evidence[plan.under[1]] not in payers:
        return (FieldError(place, f"H7: the payers of this case are {', '.join(payers)}."),)
    return ()


def _wrong(field: Field, value: str) -> str:
    if not value:
        return "" if field.optional else f"{field.label}: write it."
    if len(value) > (LONG_MAX if field.form is Form.LONG else TEXT_MAX) or _CONTROL.search(value):
        return f"{field.label}: at most {TEXT_MAX} printable characters."
    if field.form is Form.EMAIL and not is_email(value):
        return f"{field.label}: an e-mail address, such as root@customer.example."
    if field.form is Form.CHOICE and value not in field.choices:
        return f"{field.label}: one of {', '.join(field.choices)}."
    if field.form is Form.CODE and _CODE.fullmatch(value) is None:
        return f"{field.label}: the code as it was mailed."
    if field.form is Form.DATE:
        try:
            date.fromisoformat(value)
        except ValueError:
            return f"{field.label}: a day, such as 2027-01-31."
    return ""
