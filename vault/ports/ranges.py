"""The log read forward, by ranges of indexes: what reviews, evidence and pictures of activity are made of.

Decided here: a stretch of the log is a range of indexes [first, until), never a range of times, because ranges
of indexes have no gaps and nothing is in two of them. A time is turned into an index once, by `index_at`.
Every question is answered by an index of the log's table, whatever the size of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.ports.records import Entry


@dataclass(frozen=True, slots=True)
class Stretch:
    """Indexes from `first` up to, and without, `until`."""

    first: int
    until: int

    @property
    def count(self) -> int:
        """How many entries it has."""
        return max(0, self.until - self.first)


@dataclass(frozen=True, slots=True)
class Pick:
    """Which entries of a stretch; None does not narrow, and at least one of the first five has to.

    `not_types` and `not_outcomes` leave entries out; an entry that tells of no outcome is not left out by it.
    """

    types: tuple[str, ...] | None = None
    outcome: str | None = None
    account_id: str | None = None
    actor_id: str | None = None
    checkout_id: str | None = None
    not_types: tuple[str, ...] = ()
    not_outcomes: tuple[str, ...] = ()


class RangeStore(Protocol):
    """The log by ranges of indexes."""

    def size(self) -> int:
        """Give the number of entries."""
        ...

    def index_at(self, at: datetime) -> int:
        """Give the index of the earliest entry that tells a time not before `at`; the size where none does."""
        ...

    def pick(self, stretch: Stretch, wanted: Pick, limit: int) -> tuple[Entry, ...]:
        """List entries of a stretch, oldest first, at most `limit`."""
        ...

    def of_each(self, stretch: Stretch, wanted: Pick, limit: int, apart: str) -> tuple[Entry, ...]:
        """List entries of a stretch, oldest first, at most `limit` of each type and outcome.

        Those of the actor `apart` have a limit of their own, so that they crowd out nobody else's.
        """
        ...

    def last(self, wanted: Pick, limit: int, below: int | None = None) -> tuple[Entry, ...]:
        """List the newest entries, newest first, at most `limit`; with `below`, of those before that index."""
        ...

    def hours(self, stretch: Stretch, types: tuple[str, ...]) -> Mapping[tuple[str, int], int]:
        """Count entries of these types by type and hour of day (UTC)."""
        ...

    def refusals(self, stretch: Stretch) -> int:
        """Count the entries whose outcome is a denial."""
        ...

    def accounts(self, stretch: Stretch, type_: str, limit: int) -> tuple[tuple[str, int], ...]:
        """Count entries of one type by account, the most first."""
        ...
