"""What somebody can do who owns the database and has our code: every trigger off, every row open.

They do not have what is outside the database: KMS, the log's signing key, the server's key, the mark.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.storage.sql import SqlStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from audit.note import Signer
    from tests.support.world import World

SECRET_COLUMNS = ("body", "wraps", "sha256")


def url_of(world: World) -> str:
    """Give the address of the database that a world runs on."""
    engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units, as in every real world
    return str(engine.url.render_as_string(hide_password=False))


@contextmanager
def owning(world: World, *, log: bool = False) -> Iterator[Connection]:
    """Lend a transaction of the database's owner, with the triggers of every table switched off for good.

    Those of the log only with `log`: PostgreSQL's fill the columns by which its entries are found, so that an
    attacker who wants to go unnoticed leaves them on.
    """
    engine = create_engine(url_of(world))
    try:
        with engine.begin() as connection:
            disarm(connection, log=log)
            yield connection
    finally:
        engine.dispose()


def disarm(connection: Connection, *, log: bool) -> None:
    """Switch off the triggers."""
    if connection.dialect.name == "sqlite":
        triggers = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
        for name, table in connection.execute(text(triggers)).all():
            if log or not table.startswith("audit_"):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        return
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    for table in connection.execute(text(tables)).scalars().all():
        if log or not table.startswith("audit_"):
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")


Place = tuple[str, str, int]
"""Account, kind and number of a version."""


def places(connection: Connection) -> list[Place]:
    """List all versions."""
    rows = connection.execute(text("SELECT account_id, kind, number FROM version ORDER BY 1, 2, 3"))
    return [(account, kind, number) for account, kind, number in rows]


def read(connection: Connection, place: Place) -> dict[str, Any]:
    """Read what is sealed in a place."""
    return dict(
        connection.execute(
            text(
                "SELECT body, wraps, sha256 FROM version WHERE account_id = :a AND kind = :k AND number = :n"
            ),
            dict(zip("akn", place, strict=True)),
        )
        .mappings()
        .one()
    )


def write(connection: Connection, place: Place, values: dict[str, Any]) -> None:
    """Overwrite columns of a version."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    statement = text(f"UPDATE version SET {columns} WHERE account_id = :a AND kind = :k AND number = :n")  # noqa: S608 - our own names
    connection.execute(statement, {**values, **dict(zip("akn", place, strict=True))})


def swap(connection: Connection, one: Place, other: Place, columns: tuple[str, ...]) -> None:
    """Exchange columns of two versions."""
    first, second = read(connection, one), read(connection, other)
    write(connection, one, {name: second[name] for name in columns})
    write(connection, other, {name: first[name] for name in columns})


def relabel(connection: Connection, place: Place, label: str) -> None:
    """Move a label, as the program would never do."""
    since = text(
        "UPDATE version SET label = :label, current_since = coalesce(current_since, created_at)"
        " WHERE account_id = :a AND kind = :k AND number = :n"
    )
    connection.execute(since, {"label": label, **dict(zip("akn", place, strict=True))})


def rewrite_log(
    connection: Connection, change: Callable[[int, bytes], bytes | None], signer: Signer | None = None
) -> None:
    """Write another past: each leaf is given, its replacement taken (None removes it), every hash recomputed.

    With a `signer` the new head is signed by it; without, the old note is left where it is.
    """
    storage = SqlStorage(connection)
    head = storage.head()
    leaves = [
        new
        for stored in list(storage.leaves(0, head.size))
        if (new := change(stored.seq, stored.leaf)) is not None
    ]
    connection.execute(text("DELETE FROM audit_entry"))
    frontier: list[bytes] = []
    for seq, leaf in enumerate(leaves):
        nodes, frontier = merkle.complete(seq, merkle.leaf_hash(leaf), frontier)
        insert(connection, seq, leaf, b"".join(nodes))
    note = head.note
    if signer is not None:
        note = signer.sign(Checkpoint(head.origin, len(leaves), merkle.fold(frontier)).format())
    connection.execute(
        text("UPDATE audit_head SET size = :size, frontier = :frontier, note = :note"),
        {"size": len(leaves), "frontier": b"".join(frontier), "note": note},
    )


def insert(connection: Connection, seq: int, leaf: bytes, nodes: bytes) -> None:
    """Insert an entry with the projection that its leaf deserves."""
    columns, values = "seq, leaf, nodes", ":seq, :leaf, :nodes"
    if connection.dialect.name == "postgresql":  # SQLite computes its own
        member = "(convert_from(:leaf, 'UTF8')::json "
        columns += ", event_id, occurred_at, event_type, outcome, actor_id, account_id, account_seq"
        columns += ", checkout_id, secret_kind"
        values += f", {member}->>'id'), {member}->>'time'), {member}->>'type'), {member}->>'outcome')"
        values += f", {member}->'actor'->>'id'), {member}->'account'->>'id')"
        values += (
            f", ({member}->'account'->>'seq'))::bigint, {member}->>'checkout'), {member}->'secret'->>'kind')"
        )
    statement = text(f"INSERT INTO audit_entry ({columns}) VALUES ({values})")  # noqa: S608 - our own names
    connection.execute(statement, {"seq": seq, "leaf": leaf, "nodes": nodes})
