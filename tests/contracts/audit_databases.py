"""Databases with a log in them, and what somebody can do who owns one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event

from audit import merkle
from audit.storage.sql import SqlStorage, ddl
from tests.unit.audit.world import fill

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.support.postgres import PostgresServer

DATABASES = ("sqlite", "postgresql")


def make_engine(url: str) -> Engine:
    """Open a database as the vault does: SQLite with WAL and BEGIN IMMEDIATE."""
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3.Connection, which SQLAlchemy types as object
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=20000"):
        connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]  # as above


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def make_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        for statement in ddl(engine.dialect.name):
            connection.exec_driver_sql(statement)


@contextlib.contextmanager
def shared_log(
    kind: str, server: PostgresServer, directories: pytest.TempPathFactory, size: int
) -> Iterator[Engine]:
    """Lend a database with a log of some size, for tests that leave it as it was."""
    with contextlib.ExitStack() as stack:
        url = f"sqlite+pysqlite:///{directories.mktemp('log') / 'log.db'}"
        if kind == "postgresql":
            url = stack.enter_context(server.database())
        engine = make_engine(url)
        stack.callback(engine.dispose)
        make_tables(engine)
        with engine.begin() as connection:
            fill(SqlStorage(connection), size)
        yield engine


def disarm(dialect_name: str) -> list[str]:
    """Return what an owner of the database can do: switch every trigger off."""
    if dialect_name == "postgresql":
        return [
            "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
            "ALTER TABLE audit_head DISABLE TRIGGER ALL",
        ]
    names = ("entry_arrives", "entry_stays", "entry_remains", "head_is_one", "head_remains", "head_moves")
    return [f"DROP TRIGGER audit_{name}" for name in names]


def forge(connection: Connection, size: int, rewrite: Callable[[int, bytes], bytes]) -> list[bytes]:
    """Write another past into a disarmed database, all hashes recomputed, and return its frontier."""
    storage = SqlStorage(connection)
    frontier: list[bytes] = []
    for stored in list(storage.leaves(0, size)):
        leaf = rewrite(stored.seq, stored.leaf)
        nodes, frontier = merkle.complete(stored.seq, merkle.leaf_hash(leaf), frontier)
        mark = "%s" if connection.dialect.name == "postgresql" else "?"
        connection.exec_driver_sql(
            f"UPDATE audit_entry SET leaf = {mark}, nodes = {mark} WHERE seq = {stored.seq}",  # noqa: S608 - numbers and marks
            (leaf, b"".join(nodes)),
        )
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    connection.exec_driver_sql(f"UPDATE audit_head SET frontier = {mark}", (b"".join(frontier),))  # noqa: S608 - a mark
    return frontier
