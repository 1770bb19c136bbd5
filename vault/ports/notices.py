"""The store of what people are told, and what carries it to a room of theirs.

Decided here: an entry is told once to each recipient by each channel, and whoever sends has claimed what they send
for a time. As in `vault.ports.store`, every method of the store works inside the unit's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.notice import Channel, Choice, Notice, Topic, Way
from vault.ports.feeds import Delivery
from vault.ports.records import Page, Slice


@dataclass(frozen=True, slots=True)
class Folded:
    """How many notices of one fold a recipient got by a channel since a time, and the newest of them."""

    count: int
    newest: Notice


@dataclass(frozen=True, slots=True)
class Load:
    """How many notices wait on a channel, since when the oldest is overdue, and how many are dead."""

    waiting: int
    dead: int
    due_since: datetime | None


class NoticeStore(Protocol):
    """Notices and choices."""

    def add(self, notices: Sequence[Notice]) -> None:
        """Keep new ones; what a recipient was told of by a channel before stays as it is."""
        ...

    def folded(self, fold: str, since: datetime) -> Mapping[tuple[str, Channel], Folded]:
        """Find by recipient and channel what of one fold was made since a time."""
        ...

    def count_more(self, notice_id: str, more: int) -> bool:
        """Let a notice stand for so many entries more, unread again; False where it went out meanwhile."""
        ...

    def is_due(self, channel: Channel, now: datetime) -> bool:
        """Say whether anything of a channel is to be sent now."""
        ...

    def is_old(self, before: datetime) -> bool:
        """Say whether anything came to its end before a time."""
        ...

    def claim(self, channel: Channel, now: datetime, until: datetime, limit: int) -> tuple[Notice, ...]:
        """Take what is due, urgent ones first, at most `limit`; nobody else takes it before `until`.

        Each begins a try.
        """
        ...

    def settle(self, was: Notice, now: Notice) -> bool:
        """Write what came of a try; False where another try began meanwhile."""
        ...

    def inbox(self, person_id: str, part: Slice, *, unread: bool) -> Page[Notice]:
        """List a person's, newest first."""
        ...

    def unread(self, person_id: str, most: int) -> int:
        """Count a person's unread ones, no further than `most`."""
        ...

    def read(self, person_id: str, now: datetime, notice_id: str | None = None) -> int:
        """Mark one of a person's as read, or all that there are; give how many were not."""
        ...

    def get(self, notice_id: str) -> Notice | None:
        """Find by id."""
        ...

    def dead(self, part: Slice) -> Page[Notice]:
        """List dead letters, newest first."""
        ...

    def replay(self, now: datetime, notice_id: str | None = None) -> int:
        """Begin anew with one dead letter, or with all; give how many."""
        ...

    def load(self, now: datetime) -> Mapping[Channel, Load]:
        """Count what waits and what is dead, by channel."""
        ...

    def sweep(self, before: datetime, limit: int) -> int:
        """Remove what came to its end before a time, at most `limit`; give how many."""
        ...

    def choices(self, person_id: str) -> Mapping[Topic, Way]:
        """Give what a person chose."""
        ...

    def choices_of(self, people: Sequence[str]) -> Mapping[tuple[str, Topic], Way]:
        """Give what several people chose, in one query."""
        ...

    def choose(self, choice: Choice) -> None:
        """Write what a person chose."""
        ...


class Room(Protocol):
    """A room of a team that is told by one signed message each; never asked while a transaction is open."""

    def tell(self, message_id: str, type_: str, data: Mapping[str, object], at: datetime) -> Delivery:
        """Send one message; the same id is the same notice. Never raises for the receiver's sake."""
        ...
