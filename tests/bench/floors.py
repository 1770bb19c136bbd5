"""Floors: the same number of durable commits by as little as can be put between a program and its disk.

Each commit inserts one row of an entry's size, and changes one row as the log's head is changed: what any design
with a durable, ordered record pays. By the raw driver, and by SQLAlchemy Core as the vault uses it. Settings of
durability are the vault's own, because the engine is made by its adapter.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy import make_url, text

from vault.adapters.db import engine_for
from vault.adapters.db.engine import BEGIN

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.bench.measure import Act

LEAF: Final = os.urandom(600)
TABLES: Final = (
    "CREATE TABLE floor_entry (seq {number} PRIMARY KEY, leaf {blob} NOT NULL)",
    "CREATE TABLE floor_head (id {number} PRIMARY KEY, size {number} NOT NULL, note {blob} NOT NULL)",
    "INSERT INTO floor_head (id, size, note) VALUES (1, 0, '')",
)
LOCK: Final = "SELECT size FROM floor_head WHERE id = 1"


def make_floor(url: str) -> Engine:
    """Make the floor's own tables, in a database beside the vault's; give an engine of the vault's making."""
    engine = engine_for(url)
    words = (
        {"number": "INTEGER", "blob": "BLOB"} if is_sqlite(engine) else {"number": "bigint", "blob": "bytea"}
    )
    with engine.connect() as connection, connection.begin():
        for statement in TABLES:
            connection.exec_driver_sql(statement.format(**words))
    return engine


def is_sqlite(engine: Engine) -> bool:
    """Say which of the two databases it is."""
    return engine.dialect.name == "sqlite"


def core_commits(engine: Engine, count: int) -> Act:
    """Make the act of so many commits by SQLAlchemy Core."""
    lock = text(LOCK if is_sqlite(engine) else LOCK + " FOR UPDATE")
    insert = text("INSERT INTO floor_entry (seq, leaf) VALUES (:seq, :leaf)")
    move = text("UPDATE floor_head SET size = :size, note = :note WHERE id = 1")

    def act() -> None:
        for _ in range(count):
            with engine.connect().execution_options(**{BEGIN: "IMMEDIATE"}) as connection:
                size = int(connection.execute(lock).scalar_one())
                connection.execute(insert, {"seq": size, "leaf": LEAF})
                connection.execute(move, {"size": size + 1, "note": LEAF[:300]})
                connection.commit()

    return act


@contextmanager
def raw_commits(engine: Engine, count: int) -> Iterator[Act]:
    """Make the act of so many commits by the driver alone, on one connection that stays open."""
    if is_sqlite(engine):
        with _raw_sqlite(str(engine.url.database), count) as act:
            yield act
        return
    address = make_url(str(engine.url)).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:

        def commit() -> None:
            for _ in range(count):
                found = connection.execute(LOCK + " FOR UPDATE").fetchone()
                assert found is not None
                connection.execute("INSERT INTO floor_entry (seq, leaf) VALUES (%s, %s)", (found[0], LEAF))
                values = (found[0] + 1, LEAF[:300])
                connection.execute("UPDATE floor_head SET size = %s, note = %s WHERE id = 1", values)
                connection.commit()

        yield commit


@contextmanager
def _raw_sqlite(path: str, count: int) -> Iterator[Act]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as connection:
        connection.execute("PRAGMA synchronous = FULL")

        def commit() -> None:
            for _ in range(count):
                connection.execute("BEGIN IMMEDIATE")
                size = connection.execute(LOCK).fetchone()[0]
                connection.execute("INSERT INTO floor_entry (seq, leaf) VALUES (?, ?)", (size, LEAF))
                connection.execute(
                    "UPDATE floor_head SET size = ?, note = ? WHERE id = 1", (size + 1, LEAF[:300])
                )
                connection.execute("COMMIT")

        yield commit


def file_syncs(directory: Path, count: int) -> Act:
    """Make the act of so many durable writes of a few hundred bytes into a file that has its size."""
    path = directory / "floor.sync"
    path.write_bytes(bytes(4096))

    def act() -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            for _ in range(count):
                os.pwrite(descriptor, LEAF[:300], 0)
                os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    return act
