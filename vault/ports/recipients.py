"""The store of recovery recipients. As in `vault.ports.store`, every method works inside the unit's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class Naming:
    """How many sealed values there are, and how many have a wrap under some, and under every, of certain keys."""

    total: int
    some: int
    every: int


class RecipientStore(Protocol):
    """Recovery recipients; what is here is believed only where the log tells of it."""

    def add(self, recipient: Recipient) -> None:
        """Keep a new one; `Conflict` concurrent.change where its number was taken meanwhile."""
        ...

    def end(self, recipient: Recipient) -> None:
        """Write `ended_at`."""
        ...

    def by_proposal(self, proposal_id: str) -> Recipient | None:
        """Find what a proposal led to."""
        ...

    def latest(self, now: datetime) -> tuple[int, str] | None:
        """Give number and recipient of the one that the rows have in force at `now`: one small statement."""
        ...

    def held(self, now: datetime) -> tuple[Recipient, ...]:
        """List those that were agreed to and wait out their hold."""
        ...

    def next_number(self) -> int:
        """Give the number after the highest."""
        ...

    def wrapped(self, recipient: str) -> frozenset[str]:
        """Give the accounts whose every current version has a wrap that names this recipient: one statement.

        The rows are not proof: whether such a wrap opens is known to who has three shares alone.
        """
        ...

    def counts(self, recipient: str) -> tuple[int, int]:
        """Count what is sealed, versions and mail: all, and those with a wrap that names this recipient."""
        ...

    def naming(self, keys: tuple[tuple[str, str], ...]) -> Naming:
        """Count what is sealed, versions and mail, by whether its wraps name these keys (service and id)."""
        ...
