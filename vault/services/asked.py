"""What is asked of the log by a filter: that it can be meant, before an empty list looks as if nothing had happened.

Decided here: a type of entry that the catalogue does not know, an outcome that no act has, a number that is no
account's number and times the wrong way round are refused in words, each with its place. Never done here: who may
see what a filter finds.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from vault.domain.event import CATALOGUE, Result
from vault.domain.ids import is_account_id
from vault.errors import FieldError, Invalid

if TYPE_CHECKING:
    from vault.ports.store import EntryFilter

_KNOWN: Final = tuple(sorted(CATALOGUE))
_SHOWN: Final = 64
"""Characters of what was sent that are said back."""


def check_filter(wanted: EntryFilter) -> None:
    """Raise `Invalid` for a filter that no entry can ever fit, naming the place."""
    places = [
        *(FieldError("/type", _no_type(name)) for name in wanted.any_type if name not in CATALOGUE),
        *(FieldError("/without", _no_type(name)) for name in wanted.not_types if name not in CATALOGUE),
        *(
            FieldError("/outcome", f"There is no outcome {name[:_SHOWN]}. Known are: {', '.join(Result)}.")
            for name in wanted.any_outcome
            if name not in set(Result)
        ),
    ]
    if wanted.account_id is not None and not is_account_id(wanted.account_id):
        places.append(FieldError("/account_id", "Give an account's number: 12 digits."))
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        places.append(FieldError("/since", "since has to be before until."))
    if places:
        raise Invalid("input.invalid", places[0].detail, errors=tuple(places))


def _no_type(name: str) -> str:
    near = get_close_matches(name, _KNOWN, 3, 0.75)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known are: {', '.join(_KNOWN)}."
    return f"There is no type of entry {name[:_SHOWN]}. {hint}"
