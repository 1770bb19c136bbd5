"""A log that grows fast: the same leaves, hashes, tree and signature as by `Log.append`, a thousand at a time.

Appending by itself signs every head, and the triggers look at every entry; a million entries would take
half an hour. Here the triggers are lifted for one transaction, in a database of our own, and put back; the head
is signed once. What comes out is a log that `python -m audit verify` finds sound, and a test says so.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from audit import entry, merkle
from audit.checkpoint import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection, Engine

    from audit.entry import Draft
    from audit.log import Log
    from audit.mark import MarkFile

_STEP: Final = 2_000
_PROJECTION: Final[dict[str, tuple[str, ...]]] = {
    "event_id": ("id",),
    "occurred_at": ("time",),
    "event_type": ("type",),
    "outcome": ("outcome",),
    "actor_id": ("actor", "id"),
    "account_id": ("account", "id"),
    "account_seq": ("account", "seq"),
    "checkout_id": ("checkout",),
    "secret_kind": ("secret", "kind"),
}
"""What the lifted trigger of PostgreSQL would have read out of the leaf."""
_TAILS: Final = text(
    "SELECT e.account_id, e.account_seq, substr(e.nodes, 1, 32) AS hash FROM audit_entry e JOIN"
    " (SELECT account_id, max(seq) AS seq FROM audit_entry WHERE account_id IS NOT NULL GROUP BY account_id) last"
    " ON e.seq = last.seq"
)


def grow(engine: Engine, log: Log, mark: MarkFile, drafts: Iterable[Draft]) -> None:
    """Append drafts, sign the head once, and move the mark."""
    is_sqlite = engine.dialect.name == "sqlite"
    drafts = iter(drafts)
    first = next(drafts, None)
    if first is None:
        return
    with engine.connect() as connection, connection.begin():
        restore = _lift(connection, is_sqlite=is_sqlite)
        head = connection.execute(text("SELECT size, frontier FROM audit_head")).one()
        tails = {row.account_id: (row.account_seq, row.hash) for row in connection.execute(_TAILS)}
        frontier = [head.frontier[at : at + 32] for at in range(0, len(head.frontier), 32)]
        size = head.size
        rows: list[tuple[bytes, bytes]] = []
        for draft in itertools.chain((first,), drafts):
            seq, prev = tails.get(draft.account, (-1, None)) if draft.account is not None else (-1, None)
            leaf = entry.encode(draft, log.origin, size, seq + 1, prev)
            nodes, frontier = merkle.complete(size, merkle.leaf_hash(leaf), frontier)
            if draft.account is not None:
                tails[draft.account] = (seq + 1, nodes[0])
            rows.append((leaf, b"".join(nodes)))
            size += 1
            if len(rows) == _STEP:
                _insert(connection, size - len(rows), rows, is_sqlite=is_sqlite)
                rows.clear()
        _insert(connection, size - len(rows), rows, is_sqlite=is_sqlite)
        note = log.signer.sign(Checkpoint(log.origin, size, merkle.fold(frontier)).format())
        connection.execute(
            text("UPDATE audit_head SET size = :size, frontier = :frontier, note = :note"),
            {"size": size, "frontier": b"".join(frontier), "note": note},
        )
        for statement in restore:
            connection.exec_driver_sql(statement)
    mark.advance(note)
    if not is_sqlite:  # autovacuum would do it in a minute
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")


def _insert(connection: Connection, first: int, rows: list[tuple[bytes, bytes]], *, is_sqlite: bool) -> None:
    numbered = [(first + at, leaf, nodes) for at, (leaf, nodes) in enumerate(rows)]
    driver: Any = connection.connection.driver_connection
    if is_sqlite:
        driver.executemany("INSERT INTO audit_entry (seq, leaf, nodes) VALUES (?, ?, ?)", numbered)
        return
    columns = ", ".join(_PROJECTION)
    with driver.cursor().copy(f"COPY audit_entry (seq, leaf, nodes, {columns}) FROM STDIN") as copy:
        for seq, leaf, nodes in numbered:
            copy.write_row((seq, leaf, nodes, *_projected(leaf)))


def _projected(leaf: bytes) -> Iterator[str | int | None]:
    members: Any = json.loads(leaf)
    for path in _PROJECTION.values():
        found = members
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        yield found


def _lift(connection: Connection, *, is_sqlite: bool) -> list[str]:
    """Take the triggers away within this transaction; give the statements that put them back."""
    if is_sqlite:
        found = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('audit_entry', 'audit_head')"
        ).all()
        for name, _ in found:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        return [sql for _, sql in found]
    found = connection.exec_driver_sql(
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger"
        " WHERE tgrelid IN ('audit_entry'::regclass, 'audit_head'::regclass) AND NOT tgisinternal"
    ).all()
    for table in ("audit_entry", "audit_head"):
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return [f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}" for name, table in found]
