"""Where a log lives, as the log asks for it.

Decided here: the port. A storage keeps, for each leaf, its exact bytes and the hashes that it completes
(`audit.merkle`), and one head. It works inside the transaction of whoever made it and never commits, so that
an entry and what it tells of become durable together, or neither.

Never done by a storage: hashing, signing, deciding. What it returns is believed only as far as it leads to a
signed root.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.merkle import Coordinate


@dataclass(frozen=True, slots=True)
class Head:
    """The state of a log: `note` is the signed checkpoint of `size`; an empty log has no origin and no note."""

    origin: str
    size: int
    frontier: bytes
    note: str


EMPTY = Head("", 0, b"", "")


@dataclass(frozen=True, slots=True)
class Tail:
    """The last entry of one account: its number among the account's entries and its leaf hash."""

    account_seq: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored entry: its index and its leaf."""

    seq: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries to list; what is None does not restrict. Times are in the form of a leaf's `time`."""

    account_id: str | None = None
    actor_id: str | None = None
    event_type: str | None = None
    outcome: str | None = None
    checkout_id: str | None = None
    since: str | None = None
    until: str | None = None


class Storage(Protocol):
    """One log's entries and head."""

    def lock(self, account: str | None) -> tuple[Head, Tail | None]:
        """Return the head and the account's last entry, and let nobody else append before we are done."""
        ...

    def add(self, leaf: bytes, nodes: bytes, head: Head) -> None:
        """Store entry number `head.size` - 1 and the new head; only after `lock`."""
        ...

    def head(self) -> Head:
        """Return the head, `EMPTY` if there is no entry yet."""
        ...

    def head_and_leaf(self, seq: int) -> tuple[Head, bytes | None]:
        """Return the head and the leaf of one entry, None if there is no such entry."""
        ...

    def nodes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return the stored hashes at some coordinates; raise `LogRefused` if one is not there."""
        ...

    def leaves(self, start: int, stop: int) -> Iterator[Stored]:
        """Return the stored entries from index `start` up to `stop`, in order, a few at a time."""
        ...

    def mistaken(self, start: int, stop: int) -> list[int]:
        """Return the indexes of entries, from `start` up to `stop`, that searches see as other than they are."""
        ...

    def latest(self, account_id: str, secret_kind: str, types: Sequence[str]) -> Stored | None:
        """Return the newest entry of some types about one account's secret of one kind."""
        ...

    def page(self, chosen: Filter, before_seq: int | None, limit: int) -> list[Stored]:
        """Return the newest `limit` entries of a filter with an index below `before_seq`, newest first."""
        ...
