"""A log in the database of whoever appends to it: SQLite or PostgreSQL, by one code path.

Decided here: the statements. An append is three: lock the head and find the account's last entry, insert the
entry, move the head. A proof is one: all hashes it needs, by the entries that completed them. Tables, triggers
and grants are in `audit.storage.schema` and offered here as well.

Isolation. On PostgreSQL the caller's transaction is READ COMMITTED; the head's row lock orders the writers.
Who waited for that lock still sees, in the same statement, other rows as they were before the wait: so the
account's last entry is found by a function that takes its own, later look (`audit_tail`), called for the
locked row. On SQLite the caller has begun with BEGIN IMMEDIATE; one that forgot it gets an error from SQLite
when two of them write, never a fork.

Never done here: begin, commit, roll back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import Connection, TextClause, bindparam, text

from audit.entry import format_time
from audit.errors import LogRefused
from audit.merkle import HASH_SIZE, Coordinate
from audit.storage import Filter, Head, Storage, Stored, Tail
from audit.storage.schema import POSTGRESQL, PROJECTION, SQLITE, ddl, drop_ddl, grants

__all__ = ["SqlStorage", "ddl", "drop_ddl", "grants"]

_STEP: Final = 1024

_LOCK: Final = {
    POSTGRESQL: text(
        "SELECT h.origin, h.size, h.frontier, h.note, t.account_seq, t.leaf_hash"
        " FROM (SELECT origin, size, frontier, note FROM audit_head FOR UPDATE) h"
        " LEFT JOIN LATERAL audit_tail(:account, h.size) t ON true"
    ),
    SQLITE: text(
        "SELECT h.origin, h.size, h.frontier, h.note, e.account_seq, substr(e.nodes, 1, 32) AS leaf_hash"
        " FROM audit_head h LEFT JOIN audit_entry e ON e.seq ="
        " (SELECT seq FROM audit_entry WHERE account_id = :account ORDER BY seq DESC LIMIT 1)"
    ),
}
_INSERT: Final = text("INSERT INTO audit_entry (seq, leaf, nodes) VALUES (:seq, :leaf, :nodes)")
_MOVE: Final = text(
    "UPDATE audit_head SET origin = :origin, size = :size, frontier = :frontier, note = :note"
)
_HEAD: Final = text("SELECT origin, size, frontier, note FROM audit_head")
_HEAD_AND_LEAF: Final = text(
    "SELECT h.origin, h.size, h.frontier, h.note, e.leaf FROM audit_head h LEFT JOIN audit_entry e ON e.seq = :seq"
)
_NODES: Final = text("SELECT seq, nodes FROM audit_entry WHERE seq IN :seqs").bindparams(
    bindparam("seqs", expanding=True)
)
_LEAVES: Final = text("SELECT seq, leaf FROM audit_entry WHERE seq >= :start AND seq < :stop ORDER BY seq")
_PROJECTED: Final = text(
    f"SELECT seq, leaf, {', '.join(name for name, _, _ in PROJECTION)} FROM audit_entry"  # noqa: S608 - our own names
    " WHERE seq >= :start AND seq < :stop ORDER BY seq"
)
_ENTRY: Final = text("SELECT leaf FROM audit_entry WHERE seq = :seq")
_LATEST: Final = text(
    "SELECT seq, leaf FROM audit_entry WHERE account_id = :account_id AND secret_kind = :secret_kind"
    " AND event_type IN :types ORDER BY seq DESC LIMIT 1"
).bindparams(bindparam("types", expanding=True))

_CONDITIONS: Final = {
    "account_id": "account_id = :account_id",
    "actor_id": "actor_id = :actor_id",
    "event_type": "event_type = :event_type",
    "outcome": "outcome = :outcome",
    "checkout_id": "checkout_id = :checkout_id",
    # Times are not quite in the order of indexes, because each use case reads the clock once, before it waits for
    # the head. So a window is first narrowed to indexes, an hour wider, and then looked at entry by entry, by an
    # expression that no index serves: else a planner sorts all that an index on time finds.
    "since": (
        "coalesce(occurred_at, '') >= :since AND seq >= coalesce((SELECT seq FROM audit_entry"
        " WHERE occurred_at <= :before_since ORDER BY occurred_at DESC, seq DESC LIMIT 1), 0)"
    ),
    "until": (
        "coalesce(occurred_at, '') < :until AND seq <= coalesce((SELECT seq FROM audit_entry"
        " WHERE occurred_at >= :after_until ORDER BY occurred_at, seq LIMIT 1), 9223372036854775807)"
    ),
}
_DISORDER: Final = timedelta(hours=1)


class SqlStorage(Storage):
    """One log, seen through one connection, inside that connection's transaction."""

    def __init__(self, connection: Connection) -> None:
        if connection.dialect.name not in _LOCK:
            raise LogRefused("log.dialect", f"the log is not kept in {connection.dialect.name}")
        self._connection = connection

    def lock(self, account: str | None) -> tuple[Head, Tail | None]:
        """Lock the head's row; return the head and the account's last entry."""
        row = self._connection.execute(_LOCK[self._connection.dialect.name], {"account": account}).one()
        tail = None if row.account_seq is None else Tail(row.account_seq, row.leaf_hash)
        return Head(row.origin, row.size, row.frontier, row.note), tail

    def add(self, leaf: bytes, nodes: bytes, head: Head) -> None:
        """Insert the entry and move the head."""
        self._connection.execute(_INSERT, {"seq": head.size - 1, "leaf": leaf, "nodes": nodes})
        values = {"origin": head.origin, "size": head.size, "frontier": head.frontier, "note": head.note}
        self._connection.execute(_MOVE, values)

    def head(self) -> Head:
        """Return the head, unlocked."""
        row = self._connection.execute(_HEAD).one()
        return Head(row.origin, row.size, row.frontier, row.note)

    def size(self) -> int:
        """Return the number of entries."""
        return self.head().size

    def head_and_leaf(self, seq: int) -> tuple[Head, bytes | None]:
        """Return the head and one leaf, as of one moment."""
        row = self._connection.execute(_HEAD_AND_LEAF, {"seq": seq}).one()
        return Head(row.origin, row.size, row.frontier, row.note), row.leaf

    def entry(self, seq: int) -> bytes | None:
        """Return one leaf."""
        leaf: bytes | None = self._connection.execute(_ENTRY, {"seq": seq}).scalar_one_or_none()
        return leaf

    def nodes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return stored hashes by one statement, however many."""
        if not coordinates:
            return []
        seqs = sorted({coordinate.completed_by for coordinate in coordinates})
        stored: dict[int, bytes] = {
            row.seq: row.nodes for row in self._connection.execute(_NODES, {"seqs": seqs})
        }
        found = []
        for coordinate in coordinates:
            at = HASH_SIZE * coordinate.level
            node = stored.get(coordinate.completed_by, b"")[at : at + HASH_SIZE]
            if len(node) != HASH_SIZE:
                raise LogRefused("log.missing", f"hashes of entry {coordinate.completed_by} are not stored")
            found.append(node)
        return found

    def leaves(self, start: int, stop: int) -> Iterator[Stored]:
        """Return stored entries in order, a thousand a statement."""
        while start < stop:
            step = {"start": start, "stop": min(start + _STEP, stop)}
            for row in self._connection.execute(_LEAVES, step):
                yield Stored(row.seq, row.leaf)
            start += _STEP

    def mistaken(self, start: int, stop: int) -> list[int]:
        """Return the indexes of entries whose search columns, which no hash covers, differ from their leaf."""
        rows = self._connection.execute(_PROJECTED, {"start": start, "stop": stop})
        return [row.seq for row in rows if tuple(row[2:]) != _projection(row.leaf)]

    def latest(self, account_id: str, secret_kind: str, types: Sequence[str]) -> Stored | None:
        """Return the newest entry about a secret, by one index."""
        values = {"account_id": account_id, "secret_kind": secret_kind, "types": list(types)}
        row = self._connection.execute(_LATEST, values).one_or_none()
        return None if row is None else Stored(row.seq, row.leaf)

    def page(self, chosen: Filter, before_seq: int | None, limit: int) -> list[Stored]:
        """Return a page, newest first, by keyset; entries an hour out of their time's order may be missed."""
        values: dict[str, str | int] = {
            name: getattr(chosen, name) for name in _CONDITIONS if getattr(chosen, name) is not None
        }
        conditions = [_CONDITIONS[name] for name in values]
        if chosen.since is not None:
            values["before_since"] = _shift(chosen.since, -_DISORDER)
        if chosen.until is not None:
            values["after_until"] = _shift(chosen.until, _DISORDER)
        if before_seq is not None:
            conditions.append("seq < :before_seq")
            values["before_seq"] = before_seq
        rows = self._connection.execute(_page(tuple(conditions)), {**values, "most": limit})
        return [Stored(row.seq, row.leaf) for row in rows]


def _projection(leaf: bytes) -> tuple[object, ...]:
    """Return what the search columns of a leaf must hold; of nothing if it cannot be read."""
    try:
        members = orjson.loads(leaf)
    except ValueError:
        return ()
    found = []
    for _, _, path in PROJECTION:
        value = members
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        found.append(value)
    return tuple(found)


def _shift(time: str, by: timedelta) -> str:
    try:
        return format_time(datetime.fromisoformat(time) + by)
    except OverflowError:  # the ends of the calendar
        return time


def _page(conditions: tuple[str, ...]) -> TextClause:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return text(f"SELECT seq, leaf FROM audit_entry{where} ORDER BY seq DESC LIMIT :most")  # noqa: S608 - our own words only
