"""What the core asks of the search index: to be fed behind the log, made anew, and held against the log.

The index is derived and never believed (`LogStore.search` reads what it finds from the leaves), so nothing here is
part of a promise but speed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class IndexPart:
    """One part of the log, read: its number from 0, its first and last time, and for each term who has it."""

    number: int
    first_at: str
    last_at: str
    entries: Mapping[int, bytes]


class WordStore(Protocol):
    """The index of words and filters over the log."""

    def indexed(self) -> int:
        """Give how many entries from the first on are indexed."""
        ...

    def due(self) -> IndexPart | None:
        """Read the next part that is full and not indexed, None where there is none."""
        ...

    def add(self, part: IndexPart) -> bool:
        """Keep a part; False where another worker has just done so."""
        ...

    def clear(self) -> None:
        """Forget the whole index; it is made again from the log."""
        ...

    def differing(self) -> Iterator[int]:
        """Make each indexed part again, and give the numbers of those that differ from what is kept."""
        ...
