"""Notices: what people are told of the log, where each stands on its way, and what a person chose.

Decided here: how often a letter is tried and how long between, when notices of one kind are folded into one, and
which choices there are. Never decided here: who is told of what (`vault.domain.audience`), nor how it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.outlet import plain

TEAM: Final = "team"
"""The recipient of the one webhook that the settings name: a room, not a person."""

MOST_TRIES: Final = 16
"""So often is a notice tried: about five hours. Then it is a dead letter."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""Between two tries, at most."""

BURST: Final = 5
"""So many notices of one kind, about one actor, reach a person one by one within `FOLDING`; later ones are folded."""

FOLDING: Final = timedelta(hours=1)
HOLDING: Final = timedelta(minutes=10)
"""A folded letter waits so long for more of its kind."""

DIGEST_HOUR: Final = 6
"""Hour of the day (UTC) at which digests go out."""


class Channel(StrEnum):
    """How somebody is told."""

    INBOX = "inbox"
    MAIL = "mail"
    WEBHOOK = "webhook"


class NoticeState(StrEnum):
    """Where a notice stands on its way."""

    WAITING = "waiting"
    """To be sent, at `next_at` or later."""
    SENT = "sent"
    """The mail server or the receiver took it; an inbox has it at once."""
    DEAD = "dead"
    """Tried too often, or refused for good; somebody may send it again."""
    DROPPED = "dropped"
    """Not sent: its reader was shut out, or may not see the account any more."""


class Topic(StrEnum):
    """What a notice is about, as far as a person may choose how to hear of it."""

    REQUESTS = "requests"
    """Requests, approvals and ends of checkouts."""
    PEOPLE = "people"
    """People, their powers, and what takes two."""
    OWN = "own"
    """One's own sign-ins, tokens and factors."""
    LOG = "log"
    """Incidents, places outside, the log and its host."""
    WORK = "work"
    """Campaigns, findings, and work that waits for oneself."""
    EMERGENCY = "emergency"
    """Break-glass, freezes, velocity: never a choice."""


class Way(StrEnum):
    """What a person may choose for a topic; an inbox has everything."""

    MAIL = "mail"
    DIGEST = "digest"
    INBOX = "inbox"


CHOSEN: Final[tuple[Topic, ...]] = tuple(topic for topic in Topic if topic is not Topic.EMERGENCY)
"""Topics that one has a choice in."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How a person wants to hear of a topic; who said nothing gets letters."""

    person_id: str
    topic: Topic
    way: Way


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that one recipient is told by one channel. Times are aware and in UTC.

    `entry_id` is the id of the entry of the log that it tells of, and `entry` its index; the same entry is told
    once for each recipient and channel. `at` is the entry's time, `made_at` the notice's. `fold` names what is
    folded together, `count` how many entries it stands for. `title` is one line without control characters.
    `path` is the page to look at. `tries` counts those begun.
    """

    id: str
    entry_id: str
    entry: int
    event: str
    topic: Topic
    recipient: str
    channel: Channel
    urgent: bool
    digest: bool
    title: str
    path: str
    account_id: str | None
    fold: str
    count: int
    at: datetime
    made_at: datetime
    state: NoticeState
    tries: int = 0
    next_at: datetime | None = None
    ended_at: datetime | None = None
    read_at: datetime | None = None
    error: str | None = None

    def sent(self, now: datetime) -> Notice:
        """Say that it was taken."""
        return replace(self, state=NoticeState.SENT, next_at=None, ended_at=now, error=None)

    def dropped(self, now: datetime) -> Notice:
        """Say that it is not for its reader any more."""
        return replace(self, state=NoticeState.DROPPED, next_at=None, ended_at=now, error=None)

    def failed(self, words: str, now: datetime, *, for_good: bool = False) -> Notice:
        """Say that a try failed: the next is after 2, 4, 8 … seconds, an hour at most; or it is dead."""
        if for_good or self.tries >= MOST_TRIES:
            return replace(self, state=NoticeState.DEAD, next_at=None, ended_at=now, error=plain(words))
        wait = min(LONGEST_WAIT, timedelta(seconds=2 ** min(self.tries, 12)))
        return replace(self, next_at=now + wait, error=plain(words))

    def given_back(self, now: datetime) -> Notice:
        """Say that it was not tried after all."""
        return replace(self, tries=max(0, self.tries - 1), next_at=now)

    def again(self, now: datetime) -> Notice:
        """Begin anew with a dead one; its id stays, so that a receiver knows what it had."""
        return replace(self, state=NoticeState.WAITING, tries=0, next_at=now, ended_at=None)


def digest_at(now: datetime) -> datetime:
    """Give when the next digest goes out."""
    today = now.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return today if now < today else today + timedelta(days=1)
