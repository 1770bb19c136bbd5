"""Store of what AWS's records say about rotations: changes of root, windows of rotations, what waits for a proof.

As in `vault.ports.store`, every method works inside the unit's transaction. Lists for many accounts take their ids,
500 a statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.account import Account
from vault.domain.actor import Reach
from vault.domain.credential import PartKind
from vault.domain.inspection import Inspection
from vault.domain.observation import Observation
from vault.domain.proof import Use, Window
from vault.domain.rotation import Rotation
from vault.ports.records import Page, Slice


@dataclass(frozen=True, slots=True)
class UnverifiedFilter:
    """Which rotations that wait for their proof; None does not narrow. `before` is of the attestation."""

    account_id: str | None = None
    customer_id: str | None = None
    kind: PartKind | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnverifiedCount:
    """How many rotations wait for their proof, how many of them were told to be overdue, since when the oldest does."""

    count: int
    overdue: int
    oldest: datetime | None


class ProofStore(Protocol):
    """What proves, and what contradicts, over many accounts at once."""

    def root_changes(self, accounts: Reach | tuple[str, ...]) -> Mapping[str, tuple[Observation, ...]]:
        """List by account, oldest first, the changes of how root gets in that AWS accepted since a part held now is.

        One statement for a reach. Accounts without any are left out; so is what happened before the older of an
        account's current versions became so.
        """
        ...

    def observed(self, since: Mapping[str, datetime]) -> Mapping[str, tuple[Observation, ...]]:
        """List by account, oldest first, what CloudTrail's records tell of root from a time on."""
        ...

    def inspected(self, since: Mapping[str, datetime]) -> Mapping[str, tuple[Inspection, ...]]:
        """List by account, oldest first, what was seen of it from a time on, and what was seen last before.

        Two statements for 500 accounts; of an account whose time is a later one than the earliest, more may be there.
        """
        ...

    def windows(self, account_ids: tuple[str, ...]) -> Mapping[str, tuple[Window, ...]]:
        """List by account the windows of the rotations whose value was shown, in the order they were planned."""
        ...

    def uses(self, account_ids: tuple[str, ...], since: datetime) -> Mapping[str, tuple[Use, ...]]:
        """List by account, oldest first, the values that were given out to be used, from a time on."""
        ...

    def unverified(self, after: tuple[datetime, str] | None, limit: int) -> tuple[Rotation, ...]:
        """List rotations that wait for their proof, the oldest first, after a place in that order."""
        ...

    def page(self, reach: Reach, wanted: UnverifiedFilter, part: Slice) -> Page[tuple[Rotation, Account]]:
        """List those in reach with their accounts, the oldest first."""
        ...

    def overdue(self, before: datetime, limit: int) -> tuple[Rotation, ...]:
        """List those attested before a time of which it was not told yet, the oldest first."""
        ...

    def count(self) -> UnverifiedCount:
        """Count them all."""
        ...
