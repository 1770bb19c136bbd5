"""Who has to agree: how many people, of which role, with a grant that reaches how far; and who that leaves out.

Decided here: that one person counts once in a list of needs, and which words still are missing. Each list stands by
itself: the same person's word counts in the reason's list and in a stricter one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from vault.domain.actor import Power, Role, ScopeKind

_WIDTH: Final = {ScopeKind.ACCOUNT: 0, ScopeKind.CUSTOMER: 1, ScopeKind.ALL: 2}
_REACHING: Final = {
    ScopeKind.ACCOUNT: "",
    ScopeKind.CUSTOMER: " whose grant covers the whole customer",
    ScopeKind.ALL: " whose grant covers everything",
}


@dataclass(frozen=True, slots=True)
class Need:
    """So many people who may approve: of one role (None: any), whose grant reaches at least as far as `scope`."""

    count: int
    role: Role | None = None
    scope: ScopeKind = ScopeKind.ACCOUNT

    def is_met_by(self, power: Power) -> bool:
        """Say whether a person with this power could be one of them."""
        return self.role in {None, power.role} and _WIDTH[power.scope.kind] >= _WIDTH[self.scope]

    def implies(self, other: Need) -> bool:
        """Say whether whoever fits here would fit there as well."""
        return other.role in {None, self.role} and _WIDTH[self.scope] >= _WIDTH[other.scope]

    def __str__(self) -> str:
        who = "approver" if self.role is None else f"person with the role {self.role}"
        if self.count != 1:
            who = "approvers" if self.role is None else f"people with the role {self.role}"
        return f"{self.count} {who}{_REACHING[self.scope]}"


Needs: TypeAlias = "tuple[Need, ...]"
"""All of these, by distinct people."""
Approvers: TypeAlias = "Mapping[str, tuple[Power, ...]]"
"""People by id, each with the powers by which they may approve for one account."""


def approvals(needs: Needs) -> int:
    """Count the people that a list asks for."""
    return sum(need.count for need in needs)


def missing(needs: Needs, people: Approvers) -> Needs:
    """Give what of `needs` cannot be met by `people`, each counted once, however they are dealt out."""
    seats = [need for need in needs for _ in range(need.count)]
    taken: dict[int, str] = {}
    for person in people:
        if len(taken) == len(seats):
            break
        _seat(person, seats, taken, people, set())
    empty = [replace(seat, count=1) for place, seat in enumerate(seats) if place not in taken]
    return tuple(replace(need, count=empty.count(need)) for need in dict.fromkeys(empty))


def _seat(person: str, seats: list[Need], taken: dict[int, str], people: Approvers, tried: set[int]) -> bool:
    """Find a seat for a person, moving others where that makes room (bipartite matching, Kuhn 1955)."""
    for place, need in enumerate(seats):
        if place in tried or not any(need.is_met_by(power) for power in people[person]):
            continue
        tried.add(place)
        if place not in taken or _seat(taken[place], seats, taken, people, tried):
            taken[place] = person
            return True
    return False


def as_strict(needs: Needs, before: Needs) -> bool:
    """Say whether whoever satisfies `needs` satisfies `before` as well."""
    left = [need for need in needs for _ in range(need.count)]
    wanted = [need for need in before for _ in range(need.count)]
    held: dict[int, int] = {}

    def place(at: int, tried: set[int]) -> bool:
        for seat, need in enumerate(left):
            if seat in tried or not need.implies(wanted[at]):
                continue
            tried.add(seat)
            if seat not in held or place(held[seat], tried):
                held[seat] = at
                return True
        return False

    return all(place(at, set()) for at in range(len(wanted)))


def words(needs: Needs) -> str:
    """Say a list in words: "1 approver and 1 person with the role csm"."""
    return " and ".join(str(need) for need in needs) or "no approval"
