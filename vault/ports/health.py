"""The store of what the health of credentials is computed from: many accounts by few statements, no sealed bytes.

As in `vault.ports.store`, every method works inside the unit's transaction. Each question is asked of all accounts
within a reach, or of those of them that are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.account import Account, Custody, Kind
from vault.domain.actor import Reach
from vault.domain.credential import Part, PartKind
from vault.domain.due import Current, Marks, Reused
from vault.domain.hygiene import Rule
from vault.domain.rotation import RotationState


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose credentials: of the accounts within `reach`, narrowed by what is given."""

    reach: Reach
    accounts: tuple[str, ...] | None = None
    customer_id: str | None = None
    kind: Kind | None = None
    custody: Custody | None = None


@dataclass(frozen=True, slots=True)
class HeldPart:
    """One part with what is known of its current version; `opened_at` and `fault` are the last drill's."""

    part: Part
    current: Current | None
    opened_at: datetime | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Underway:
    """A rotation that is not at its end: planned, shown, unknown, or accepted and not verified."""

    id: str
    account_id: str
    kind: PartKind
    state: RotationState
    since: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has an account, or asked for it, and for which reason."""

    checkout_id: str
    account_id: str
    person_id: str
    name: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Differs:
    """That an inspection saw something at AWS beside which a part as it is held cannot be true."""

    account_id: str
    rule: Rule
    summary: str
    since: datetime


class HealthStore(Protocol):
    """What the health of credentials is computed from."""

    def marks_of(self, account_ids: tuple[str, ...]) -> Marks:
        """Give what is told elsewhere of the versions of some accounts; asked with each decision."""
        ...

    def marks(self, whose: Whose) -> Marks:
        """Give the same of many accounts, in one statement."""
        ...

    def accounts(self, whose: Whose) -> tuple[Account, ...]:
        """List the accounts, by number."""
        ...

    def parts(self, whose: Whose) -> Mapping[str, tuple[HeldPart, ...]]:
        """Give the parts of each account with their current versions, password first."""
        ...

    def differing(self, whose: Whose) -> tuple[Differs, ...]:
        """List standing findings of inspections that contradict what is held, oldest first."""
        ...

    def underway(self, whose: Whose) -> tuple[Underway, ...]:
        """List their rotations that are not at an end, oldest first."""
        ...

    def holders(self, whose: Whose) -> Mapping[str, Holder]:
        """Give by account who has it, or asked for it, as written."""
        ...

    def add_reused(self, found: Reused) -> bool:
        """Keep that a value was found elsewhere too; False, and nothing is changed, where that is kept."""
        ...
