"""The health of credentials: gathered for one account or thousands in a number of statements that does not grow.

Decided here: where each fact of `vault.domain.health` comes from. Nothing is stored, nothing crosses a network. Reading
is no entry in the log, as with accounts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.account import Account, Kind
from vault.domain.due import due_since
from vault.domain.health import (
    CONTRADICTING,
    Contradicted,
    CredentialHealth,
    Health,
    Limits,
    PartFacts,
    health_of,
)
from vault.domain.policy import Permission
from vault.domain.rotation import RotationState
from vault.errors import Invalid
from vault.ports.health import Whose
from vault.services.contradicting import contradicted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.credential import PartKind
    from vault.ports.clock import Clock
    from vault.ports.health import Holder, Underway
    from vault.ports.store import Slice, Unit, Units
    from vault.services.gate import Gate

NUMBER: Final = 12


@dataclass(frozen=True, slots=True)
class HealthFilter:
    """Which credentials; None does not narrow."""

    customer_id: str | None = None
    kind: Kind | None = None
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """The health of one account's credential, who has the account, and which rotations are not at their end."""

    account: Account
    health: CredentialHealth
    holder: Holder | None = None
    underway: tuple[Underway, ...] = ()

    @property
    def unverified(self) -> tuple[Underway, ...]:
        """Rotations that AWS took and nobody proved."""
        return tuple(each for each in self.underway if each.state is RotationState.ACCEPTED)

    @property
    def in_progress(self) -> bool:
        """Whether a part is being rotated: sealed, shown, or of unknown outcome."""
        return any(each.state is not RotationState.ACCEPTED for each in self.underway)


@dataclass(frozen=True, slots=True)
class HealthPage:
    """A page of credentials by account number; `counts` is by health over all that the rest of the filter leaves."""

    items: tuple[AccountHealth, ...]
    counts: Mapping[Health, int]
    next: str | None


@dataclass(frozen=True, slots=True)
class Healths:
    """Use cases on the health of credentials."""

    units: Units
    gate: Gate
    clock: Clock
    limits: Limits

    def get(self, actor: Actor, account_id: str) -> AccountHealth:
        """Say in what state one credential in sight is, and why."""
        now = self.clock.now()
        with self.units.read() as unit:
            account = self.gate.account(unit, actor, account_id, now)
            reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
            return self.gather(unit, Whose(reach, accounts=(account.id,)), now)[0]

    def page(self, actor: Actor, wanted: HealthFilter, part: Slice) -> HealthPage:
        """List credentials in sight by account number, with counts; raise `Invalid` cursor.invalid."""
        after = number_of(part.cursor)
        found = self.all(actor, wanted)
        counts = Counter(each.health.health for each in found)
        fitting = [each for each in found if wanted.health in {None, each.health.health}]
        rest = [each for each in fitting if each.account.id > after]
        shown = tuple(rest[: part.limit])
        following = shown[-1].account.id if len(rest) > len(shown) else None
        return HealthPage(shown, {health: counts[health] for health in Health}, following)

    def all(self, actor: Actor, wanted: HealthFilter) -> tuple[AccountHealth, ...]:
        """Give all credentials in sight by account number, whatever their health."""
        now = self.clock.now()
        with self.units.read() as unit:
            return self.gather(unit, self.whose(actor, wanted), now)

    def whose(self, actor: Actor, wanted: HealthFilter) -> Whose:
        """Say whose credentials somebody sees."""
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        return Whose(reach, customer_id=wanted.customer_id, kind=wanted.kind)

    def gather(self, unit: Unit, whose: Whose, now: datetime) -> tuple[AccountHealth, ...]:
        """Compute the health of all these credentials, by account number."""
        longest_age, marks = self.gate.policy.limits.longest_age, unit.health.marks(whose)
        parts, holders = unit.health.parts(whose), unit.health.holders(whose)
        against = _contradictions(unit, whose)
        underway = _by_account(unit.health.underway(whose))
        found = []
        for account in unit.health.accounts(whose):
            facts = tuple(
                PartFacts(
                    held.part,
                    held.current,
                    due_since(account.id, held.current, marks, now, longest_age),
                    against.get((account.id, held.part.kind), ()),
                    held.opened_at,
                    held.fault,
                )
                for held in parts[account.id]
            )
            health = health_of(account.custody, facts, self.limits, now)
            found.append(
                AccountHealth(account, health, holders.get(account.id), underway.get(account.id, ()))
            )
        return tuple(found)


def _contradictions(unit: Unit, whose: Whose) -> Mapping[tuple[str, PartKind], tuple[Contradicted, ...]]:
    """Give what AWS's records and the last inspections say against what is held, by account and part."""
    told = contradicted(unit, whose.reach if whose.accounts is None else whose.accounts)
    found = defaultdict(
        tuple[Contradicted, ...],
        {
            place: tuple(Contradicted(each.why, each.observation.at) for each in against)
            for place, against in told.items()
        },
    )
    for each in unit.health.differing(whose):
        place = (each.account_id, CONTRADICTING[each.rule])
        found[place] = (*found[place], Contradicted(each.summary, each.since))
    return found


def _by_account(underway: Iterable[Underway]) -> Mapping[str, tuple[Underway, ...]]:
    found: defaultdict[str, tuple[Underway, ...]] = defaultdict(tuple)
    for each in underway:
        found[each.account_id] = (*found[each.account_id], each)
    return found


def number_of(cursor: str | None) -> str:
    """Read the cursor of a list by account number: what comes after it; raise `Invalid` cursor.invalid."""
    if cursor is None:
        return ""
    if len(cursor) != NUMBER or not (cursor.isascii() and cursor.isdigit()):
        raise bad_cursor()
    return cursor


def bad_cursor() -> Invalid:
    """Say that a cursor is not of this list."""
    return Invalid("cursor.invalid", "This cursor was not given out by this list; begin without one.")
