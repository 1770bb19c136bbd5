"""The log as it is copied: entries oldest first, a few at a time, and their proofs under one checkpoint.

As in `vault.ports.store`, every method works inside the unit's transaction. Each call reads a bounded part:
a copy of the whole log is many short transactions, never a long one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vault.domain.actor import Reach
from vault.ports.records import EntryFilter


@dataclass(frozen=True, slots=True)
class Leaves:
    """Some entries of a filter, as index and exact leaf; all below `read_to` have been looked at."""

    entries: tuple[tuple[int, bytes], ...]
    read_to: int


class CopyStore(Protocol):
    """Reading the log in order."""

    def leaves(self, wanted: EntryFilter, reach: Reach, start: int, stop: int) -> Leaves:
        """Read the next entries of a filter from index `start` on, below `stop`; perhaps none, but always further."""
        ...

    def proofs(self, indexes: Sequence[int], size: int) -> list[list[bytes]]:
        """Give the inclusion proof of each entry in the tree of `size`, leaf to root, by one statement."""
        ...

    def size_of(self, checkpoint: str) -> int | None:
        """Give the size that a checkpoint of this log is of; None where this log did not sign it."""
        ...
