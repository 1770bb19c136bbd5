"""Everything that is kept, gone through once: for replay, which holds it against the log.

As in `vault.ports.store`, every method works inside the unit's transaction: leaves and rows are of one moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PutAside:
    """A log that was ended by a restore and is kept: its number, counted from 1, its size and its signed head."""

    number: int
    size: int
    note: str


@dataclass(frozen=True, slots=True)
class UsedEmail:
    """A root e-mail that some account bears or bore (L3)."""

    folded: str
    account_id: str


class CensusStore(Protocol):
    """All leaves and all rows."""

    def put_aside(self) -> tuple[PutAside, ...]:
        """List the logs that a restore ended, oldest first."""
        ...

    def leaves(self, number: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Go through the leaves of the log, or of one put aside, by index."""
        ...

    def things(self) -> Iterator[object]:
        """Go through all rows that the log tells of, as values of the domain, a few hundred a statement."""
        ...
