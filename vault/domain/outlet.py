"""Outlets: places outside that get our log, each with its own place in it, and how delivery is tried again.

Decided here: when an outlet's turn is, how long to wait after a failure, and when it counts as lost. An
outlet that is behind is never in the way of another one, nor of an append. And what an outlet's row cannot
say if it is true: whoever can write to the database could else make a place look served. Never decided here:
what is delivered; for an anchor that is a checkpoint, for a feed it is entries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

LONGEST_WAIT: Final = timedelta(minutes=1)
"""Between two tries, at most: so what came back is seen within a minute."""

LONGEST_TURN: Final = timedelta(minutes=5)
"""A turn, or a wait that a place outside asked for, at most; a later `next_at` is a clock that was wrong."""

SLACK: Final = timedelta(seconds=10)
"""How far ahead of us the clock of another worker's machine may be."""

ERROR_MOST: Final = 200
"""Characters of what a place outside said that are kept."""

ANCHORS: Final = ("witness/", "bucket/", "file/")
"""How the names of places begin that confirm checkpoints; people's mailboxes confirm nothing."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """How far one place outside has got: the entries below `position` are out there, and none beyond is known to be.

    `failing_since` is when the first try since the last success failed, `tries` how many failed since then,
    `next_at` when the next try may be. `lost` stands from the entry `outlet.lost` to the entry `outlet.back`.
    """

    name: str
    position: int = 0
    confirmed_at: datetime | None = None
    failing_since: datetime | None = None
    tries: int = 0
    next_at: datetime | None = None
    error: str | None = None
    lost: bool = False

    def doubt(self, size: int, now: datetime) -> str | None:
        """Say in words what of this row cannot be while the log has `size` entries; None where all of it can."""
        if self.position > size:
            return f"its row says {self.position} entries, and the log has {size}"
        if self.confirmed_at is not None and self.confirmed_at > now + SLACK:
            return (
                f"its row says that it confirmed at {self.confirmed_at:%Y-%m-%dT%H:%M:%SZ}, which is to come"
            )
        if self.next_at is not None and self.next_at > now + LONGEST_TURN + SLACK:
            return f"its row says to wait until {self.next_at:%Y-%m-%dT%H:%M:%SZ}, which no failure asks for"
        return None

    def believed(self, size: int, now: datetime) -> Outlet:
        """Give the outlet, or, where its row cannot be true, one that never confirmed anything and fails from now.

        Where only times are wrong, as after a clock was set back, a feed or a copy goes on where it was: nothing
        but its own position says what it has, and all of it would be sent again.
        """
        words = self.doubt(size, now)
        if words is None:
            return self
        begins = self.position > size or self.name.startswith(ANCHORS)
        return Outlet(
            self.name, 0 if begins else self.position, failing_since=now, error=plain(words), lost=self.lost
        )

    def is_due(self, now: datetime) -> bool:
        """Say whether a try may be made now."""
        return self.next_at is None or not timedelta(0) < self.next_at - now <= LONGEST_TURN

    def taken(self, now: datetime, lasts: timedelta) -> Outlet:
        """Take the turn: nobody else tries until it is over, or until `lasts` passed and whoever took it is gone."""
        return replace(self, next_at=now + min(lasts, LONGEST_TURN))

    def confirmed(self, position: int, now: datetime) -> Outlet:
        """Move on to `position`, never back; failures are forgotten, and the next try may be at once."""
        return Outlet(self.name, max(position, self.position), now, lost=self.lost)

    def failed(self, error: str, now: datetime, wait: timedelta | None = None) -> Outlet:
        """Count a failure; the next try is after `wait`, else after 1, 2, 4 … seconds, a minute at most."""
        growing = timedelta(seconds=2 ** min(self.tries, 6))
        waits = min(LONGEST_WAIT, growing) if wait is None else min(LONGEST_TURN, wait)
        return replace(
            self,
            failing_since=self.failing_since or now,
            tries=self.tries + 1,
            next_at=now + waits,
            error=plain(error),
        )

    def is_overdue(self, now: datetime, lost_after: timedelta) -> bool:
        """Say whether it has failed for so long that it counts as lost."""
        return self.failing_since is not None and now - self.failing_since >= lost_after


def plain(words: str) -> str:
    """Give what a place outside said as one short line without control characters; it is not to be trusted."""
    line = " ".join("".join(each if each.isprintable() else " " for each in words).split())
    return line if len(line) <= ERROR_MOST else line[: ERROR_MOST - 1] + "…"


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that leaves the house, with every signature that was collected for it."""

    size: int
    note: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class OutletReceipt:
    """What a place outside answered when it first confirmed a checkpoint of `size` entries."""

    outlet: str
    size: int
    evidence: str
    confirmed_at: datetime
