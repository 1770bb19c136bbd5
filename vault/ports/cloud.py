"""Port and stores of AWS's own records: where they are read, and what is kept of them.

Decided here: a source gives its parts (a file, a window of time) one after the other, each under a name and a
tag that changes when its content does, so that nothing is read twice and nothing new is passed over. A part
is read as a stream of undigested JSON values, in bounded memory. Reading crosses the network: never within a
transaction. Stores work, as in `vault.ports.store`, inside the unit's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.actor import Reach
from vault.domain.checkout import Checkout
from vault.domain.cloudtrail import CloudRecord
from vault.domain.incident import Incident, IncidentKind
from vault.ports.records import Page, Reveal, Slice


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stretch of a part that could not be read, where the next record could still be found."""

    reason: str


class PartBroken(Exception):
    """The rest of a part cannot be read; `reason` is of few words. What came before it counts."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Part:
    """Something to read: its name for ever, a tag of its present content, and its records as a stream.

    The stream gives JSON values as they are, or `Unreadable`; it raises `PartBroken`, and `Unavailable` where
    the source does not answer (then the part is read again another time).
    """

    place: str
    tag: str
    records: Callable[[], Iterator[object]]


Known = Callable[[tuple[str, ...]], Mapping[str, str]]
"""Gives the tags of those of these places that were read before."""


class CloudRecords(Protocol):
    """A source of AWS's records."""

    @property
    def name(self) -> str:
        """Its name for ever: ``folder:/x``, ``s3://bucket/prefix``, ``lookup:us-east-1``."""
        ...

    def parts(self, position: str, known: Known, now: datetime) -> Iterator[Part | str]:
        """Give what was not read yet; a text in between is the position to go on from next time.

        Raises `Unavailable` cloud.unavailable where the source does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """A kept record, when it was seen, and what it matched.

    `matched` is `entry:N`, `checkout:ID` or `session:EVENT`; None until it is judged, `incident:ID` where
    nothing explained it, `not_ours` where the account's root was not in our hands at that time.
    """

    record: CloudRecord
    seen_at: datetime
    matched: str | None


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call of a key service as an entry tells of it; `place` counts within the entry's list."""

    entry: int
    place: int
    request_id: str
    key: str
    operation: str
    purpose: str
    outcome: str
    account_id: str | None
    checkout_id: str | None
    made_at: datetime
    event_id: str | None = None
    incident_id: str | None = None


@dataclass(frozen=True, slots=True)
class SourceState:
    """How far a source was read, when last, and what keeps it from being read now."""

    name: str
    position: str
    read_at: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """From when to when records of an account's region (or of one key's uses in it) have been delivered."""

    account_id: str
    place: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class BrokenPart:
    """A file whose rest could not be read."""

    place: str
    fault: str
    read_at: datetime


class CloudStore(Protocol):
    """AWS's records, the calls that the log tells of, and how far each was read."""

    def add(self, record: CloudRecord, seen_at: datetime) -> bool:
        """Keep a record; False, and nothing is changed, where its event was kept before."""
        ...

    def get(self, event_id: str) -> SeenEvent | None:
        """Find by id."""
        ...

    def unjudged(self, after: tuple[datetime, str] | None, limit: int) -> tuple[SeenEvent, ...]:
        """List records that were not judged yet, by time and id, after a place in that order."""
        ...

    def judge(self, event_id: str, matched: str) -> bool:
        """Write what a record matched; False where it was judged before (its row is held either way)."""
        ...

    def hold_event(self, event_id: str) -> bool:
        """Hold a record's row until the unit ends; False where it was judged."""
        ...

    def hold_call(self, call: LoggedCall) -> bool:
        """Hold a call's row until the unit ends; False where it was found, or its absence written."""
        ...

    def matching(self, matched: tuple[str, ...], limit: int) -> tuple[SeenEvent, ...]:
        """List records judged as one of these, oldest first."""
        ...

    def count_matching(self, matched: str) -> int:
        """Count records judged as this."""
        ...

    def of_account(
        self, account_id: str, since: datetime, until: datetime, limit: int
    ) -> tuple[SeenEvent, ...]:
        """List an account's records within [since, until), oldest first."""
        ...

    def by_request(self, request_id: str) -> tuple[SeenEvent, ...]:
        """List the records of one request."""
        ...

    def session(self, access_key: str) -> SeenEvent | None:
        """Find the `AssumeRoot` that gave out an access key."""
        ...

    def tags(self, places: tuple[str, ...]) -> Mapping[str, str]:
        """Give the tags of those of these places that were read before."""
        ...

    def put_file(self, place: str, tag: str, events: int, fault: str | None, at: datetime) -> None:
        """Remember that a place was read, with this tag."""
        ...

    def broken(self, limit: int) -> tuple[BrokenPart, ...]:
        """List files whose rest could not be read, newest first."""
        ...

    def source(self, name: str) -> SourceState:
        """Give how far a source was read; an unknown one has no position."""
        ...

    def put_source(self, state: SourceState) -> None:
        """Write how far a source was read."""
        ...

    def reach(self, found: Reached) -> None:
        """Widen what has been delivered for an account and a place."""
        ...

    def reached(self, place: str) -> tuple[Reached, ...]:
        """List what has been delivered for a region, or for a key, by account."""
        ...

    def newest(self) -> datetime | None:
        """Give the time of the newest record that any source delivered, ours or not."""
        ...

    def indexed(self) -> int:
        """Give the index before which every entry's calls are kept."""
        ...

    def log_position(self) -> int:
        """Give the index before which every entry's calls are kept, and hold that place."""
        ...

    def set_log_position(self, index: int) -> None:
        """Move that place."""
        ...

    def add_call(self, call: LoggedCall) -> None:
        """Keep a call that an entry tells of; one that is there stays as it is."""
        ...

    def calls(self, request_id: str) -> tuple[LoggedCall, ...]:
        """List calls of one request, by entry, holding their rows until the unit ends."""
        ...

    def calls_of(self, entries: tuple[int, ...]) -> tuple[LoggedCall, ...]:
        """List the calls that these entries tell of."""
        ...

    def calls_of_checkout(self, checkout_id: str) -> tuple[LoggedCall, ...]:
        """List the calls that a checkout's entries tell of, oldest first."""
        ...

    def unanswered(
        self, keys: tuple[str, ...], operation: str, since: datetime, until: datetime
    ) -> tuple[LoggedCall, ...]:
        """List unmatched calls that KMS never answered, told of within a time, holding their rows."""
        ...

    def claim(self, call: LoggedCall, event_id: str) -> None:
        """Write that a call was found in AWS's records."""
        ...

    def unseen(self, key: str, since: datetime, until: datetime, limit: int) -> tuple[LoggedCall, ...]:
        """List answered calls of a key, told of within [since, until), that AWS's records lack so far."""
        ...

    def leases(self, account_id: str, until: datetime, limit: int) -> tuple[Checkout, ...]:
        """List an account's checkouts whose lease began by then, the last first."""
        ...

    def unknown_reveals(
        self, place: tuple[str, str, int], since: datetime, until: datetime
    ) -> tuple[Reveal, ...]:
        """List disclosures of (account, kind, version) authorised within a time that never got an outcome."""
        ...

    def keys(self) -> tuple[str, ...]:
        """Name every key that an unmatched call was made with."""
        ...

    def miss(self, call: LoggedCall, incident_id: str) -> bool:
        """Write that a call's absence is an incident; False where it was found, or written, meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; None does not narrow."""

    is_open: bool | None = None
    kind: IncidentKind | None = None
    account_id: str | None = None
    owner_id: str | None = None


@dataclass(frozen=True, slots=True)
class OpenCount:
    """How many incidents of a kind are open, and since when the oldest is."""

    kind: IncidentKind
    count: int
    oldest: datetime


class IncidentStore(Protocol):
    """Incidents."""

    def add(self, incident: Incident) -> bool:
        """Keep a new one; False, and nothing is changed, where one about this subject was opened before."""
        ...

    def get(self, incident_id: str) -> Incident | None:
        """Find by id."""
        ...

    def lock(self, incident_id: str) -> Incident | None:
        """Find by id and hold its row until the unit ends."""
        ...

    def about(self, subject: str) -> Incident | None:
        """Find by subject, holding its row."""
        ...

    def update(self, incident: Incident) -> None:
        """Write owner and end."""
        ...

    def page(self, reach: Reach, wanted: IncidentFilter, part: Slice) -> Page[Incident]:
        """List open ones first, the weightiest and then the oldest first; closed ones newest first.

        With a limited `reach`, those about its accounts only.
        """
        ...

    def open_counts(self) -> tuple[OpenCount, ...]:
        """Count open ones by kind."""
        ...
