"""A customer's payers and members, and under which payer a member is, as far as anybody can say here (H7, L1, C2).

Decided here: AWS's own word comes first, as an account was looked at last; then the payer through whom AWS let us at a
member's root. Nobody guesses: whoever is not told of may be under any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from vault.domain.account import Custody, Kind
from vault.domain.actor import EVERYTHING
from vault.domain.inspection import Known, Place
from vault.ports.records import AccountFilter, Slice

if TYPE_CHECKING:
    from vault.ports.store import Unit

PAGE: Final = 200


def members_of(unit: Unit, customer_id: str, custodies: Collection[Custody]) -> list[str]:
    """Give all of a customer's members in one of these states, in the order of their numbers, however many."""
    found: list[str] = []
    for custody in custodies:
        wanted = AccountFilter(customer_id=customer_id, custody=custody, kind=Kind.MEMBER)
        part = Slice(PAGE)
        while True:
            page = unit.accounts.page(EVERYTHING, wanted, part)
            found += [each.id for each in page.items]
            if page.next is None:
                break
            part = Slice(PAGE, page.next)
    return sorted(found)


def has_several_payers(unit: Unit, customer_id: str) -> bool:
    """Say whether a customer has more than one payer: then nothing but AWS says whose a member is."""
    wanted = AccountFilter(customer_id=customer_id, kind=Kind.PAYER)
    return len(unit.accounts.page(EVERYTHING, wanted, Slice(2)).items) > 1


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
