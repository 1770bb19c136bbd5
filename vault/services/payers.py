"""Under which payer a member is, as far as anybody can say here (H7, C2).

Decided here: AWS's own word comes first, as an account was looked at last; then the payer through whom AWS let us at a
member's root. Nobody guesses: whoever is not told of may be under any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vault.domain.inspection import Known, Place

if TYPE_CHECKING:
    from vault.ports.store import Unit


def payers_of(unit: Unit, members: Sequence[str]) -> Mapping[str, str]:
    """Give the payer of each of these members by number; one that nobody can tell of is left out."""
    found: dict[str, str] = {}
    seen = unit.inspections.latest(tuple(members)) if members else {}
    for number in members:
        inspected = seen.get(number)
        fact = None if inspected is None else inspected.membership
        if isinstance(fact, Known):
            if fact.value.place is Place.MEMBER and fact.value.payer_id:
                found[number] = fact.value.payer_id
            continue
        known = unit.keyless.get(number)
        if known is not None:
            found[number] = known.payer_id
    return found
