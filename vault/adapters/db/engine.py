"""The engine: how a connection is made, and that it keeps what is committed (S2).

Decided here: every connection is set and then asked; one that would not keep its promises is refused, so that
no write can be acknowledged without being on disk. SQLite runs in WAL with synchronous=FULL, foreign keys
and recursive triggers on; transactions begin by our own BEGIN, because the driver's would begin late. (Not with
trusted_schema off: SQLite then refuses json_extract in the log's columns, and we define no function that a
planted schema could misuse.) PostgreSQL commits synchronously, and waits for locks and statements a bounded time.
A database that went away and came back is used again without a restart (S5).

https://www.sqlite.org/pragma.html, https://www.postgresql.org/docs/current/runtime-config-wal.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from vault.adapters.db.errors import translated
from vault.errors import Refused, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

LOCK_SECONDS: Final = 5
"""How long anyone waits for a lock, a connection of the pool, or a new connection."""
STATEMENT_SECONDS: Final = 15
BEGIN: Final = "vault_begin"
"""The execution option that says how an SQLite transaction begins."""
POOL: Final = 16

DRIVERS: Final = {"sqlite+pysqlite", "postgresql+psycopg"}

_PRAGMAS: Final[dict[str, tuple[str, object]]] = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "foreign_keys": ("ON", 1),
    "recursive_triggers": ("ON", 1),
    # what is destroyed, or written over, does not stay in free pages
    "secure_delete": ("ON", 1),
}
_DURABLE: Final = ("on", "remote_apply")
_SETTINGS: Final = (
    "SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),"
    " current_setting('synchronous_standby_names'), (SELECT count(*) FROM pg_stat_replication),"
    " current_setting('server_encoding')"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is as it has to be, in words for an operator."""

    name: str
    ok: bool
    words: str


def engine_for(url: str, *, pool: int = POOL) -> Engine:
    """Make the engine for a database address; nothing is opened yet.

    Raises `Refused` for an address that is not ``sqlite+pysqlite:///path`` or ``postgresql+psycopg://…``.
    """
    address = parse_url(url)
    if address.drivername == "sqlite+pysqlite":
        engine = create_engine(
            address,
            hide_parameters=True,
            pool_size=pool,
            max_overflow=pool,
            pool_timeout=LOCK_SECONDS,
            connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _set_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=LOCK_SECONDS,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": LOCK_SECONDS},
    )
    event.listen(engine, "connect", _set_postgresql)
    return engine


def parse_url(url: str) -> URL:
    """Read a database's address; raise `Refused` for one that is not of a database we keep a vault in."""
    try:
        address = make_url(url)
    except ArgumentError:
        raise Refused("settings.invalid", "database.url is not a database's address.") from None
    if address.drivername in {"sqlite", "postgresql"}:
        driver = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}[address.drivername]
        address = address.set(drivername=driver)
    if address.drivername not in DRIVERS:
        detail = f"database.url begins with one of {', '.join(sorted(DRIVERS))}, not {address.drivername}."
        raise Refused("settings.invalid", detail)
    if address.drivername == "sqlite+pysqlite" and address.database in {None, "", ":memory:"}:
        raise Refused("settings.invalid", "database.url names a file: a vault in memory would be lost.")
    return address


def health(engine: Engine) -> tuple[Finding, ...]:
    """Look at what durability rests on (AUDIT-LOG "Crash safety"); never raises for a database that is down."""
    try:
        with translated(), engine.connect() as connection:
            rows = (
                _look_at_sqlite(connection)
                if engine.dialect.name == "sqlite"
                else _look_at_postgresql(connection)
            )
            return (Finding("database", ok=True, words=f"{engine.dialect.name} answers"), *rows)
    except (Refused, Unavailable) as error:
        cause = error.facts.get("cause")
        words = error.detail if cause is None else f"{error.detail} ({cause})"
        return (Finding("database", ok=False, words=words),)


def check_durable(engine: Engine) -> None:
    """Return if what is committed stays committed; else raise `Refused` naming what to change."""
    wrong = [finding.words for finding in health(engine) if not finding.ok]
    if wrong:
        raise Refused("operation.failed", "The database is not safe to serve from: " + "; ".join(wrong))


def _set_sqlite(connection: sqlite3.Connection, _: object) -> None:
    with _closing_failed(connection):
        connection.isolation_level = None  # the driver begins nothing by itself
        for name, (wanted, expected) in _PRAGMAS.items():
            connection.execute(f"PRAGMA {name} = {wanted}")
            found = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if found != expected:
                raise Refused("operation.failed", f"SQLite answers {name} = {found}; it has to be {wanted}.")


@contextmanager
def _closing_failed(connection: sqlite3.Connection | psycopg.Connection[Any]) -> Iterator[None]:
    """Close a connection that could not be set right; the pool would only forget it."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(BEGIN, 'DEFERRED')}")


def _set_postgresql(connection: psycopg.Connection[Any], _: object) -> None:
    with _closing_failed(connection):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),"
                " set_config('idle_in_transaction_session_timeout', %s, false),"
                " set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply'"
                " THEN 'remote_apply' ELSE 'on' END, false)",
                (f"{LOCK_SECONDS}s", f"{STATEMENT_SECONDS}s", "60s"),
            )
            found = cursor.fetchone()
        connection.commit()
        if found is None or found[3] not in _DURABLE:
            raise Refused(
                "operation.failed", "PostgreSQL does not let this role set synchronous_commit to on."
            )


def _look_at_sqlite(connection: Connection) -> list[Finding]:
    found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in _PRAGMAS}
    return [
        Finding(name, ok=found[name] == expected, words=f"{name} is {found[name]}, wanted {wanted}")
        for name, (wanted, expected) in _PRAGMAS.items()
    ]


def _look_at_postgresql(connection: Connection) -> list[Finding]:
    commits, fsync, pages, standbys, replicas, encoding = connection.exec_driver_sql(_SETTINGS).one()
    alone = replicas == 0 or standbys != ""
    return [
        Finding("synchronous_commit", ok=commits in _DURABLE, words=f"synchronous_commit is {commits}"),
        Finding("fsync", ok=fsync == "on", words=f"fsync is {fsync}"),
        Finding("full_page_writes", ok=pages == "on", words=f"full_page_writes is {pages}"),
        Finding(
            "synchronous_standby_names",
            ok=alone,
            words="no standby, or one that commits wait for"
            if alone
            else "a standby that no commit waits for",
        ),
        Finding("server_encoding", ok=encoding == "UTF8", words=f"server_encoding is {encoding}"),
    ]
