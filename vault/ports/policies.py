"""The store of the policy's versions. As in `vault.ports.store`, every method works inside the unit's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.policy_version import PolicyVersion
from vault.ports.records import Page, Slice


class PolicyStore(Protocol):
    """Versions of the policy, whose texts never change; what is here is believed only where the log tells of it."""

    def add(self, version: PolicyVersion) -> None:
        """Keep a new one; `Conflict` concurrent.change where its number was taken meanwhile."""
        ...

    def end(self, version: PolicyVersion) -> None:
        """Write `ended_at`."""
        ...

    def get(self, number: int) -> PolicyVersion | None:
        """Find by number."""
        ...

    def by_digest(self, digest: str) -> PolicyVersion | None:
        """Find the newest of a digest."""
        ...

    def by_proposal(self, proposal_id: str) -> PolicyVersion | None:
        """Find what a proposal led to."""
        ...

    def latest(self, now: datetime) -> tuple[int, str] | None:
        """Give number and digest of the one that the rows have in force at `now`: one small statement."""
        ...

    def held(self, now: datetime) -> tuple[PolicyVersion, ...]:
        """List those that were agreed to and wait out their hold."""
        ...

    def next_number(self) -> int:
        """Give the number after the highest."""
        ...

    def page(self, part: Slice) -> Page[PolicyVersion]:
        """List newest first."""
        ...
