"""PostgreSQL databases that are lent again: put back to their template's rows, or made anew where more was changed.

To make a database and to drop it takes ten times as long as a test's own statements do, so what a test leaves is
deleted instead. What cannot be put back that way - a table, a trigger, a right or a setting was changed - is
dropped; the catalogues' newest rows tell it. Foreign keys do not see the putting back; the triggers that fire for
everybody are off for it, and on again before anybody else sees the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, LiteralString

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

    from tests.support.postgres import PostgresServer

USES: Final = 50
"""So often one is lent: deleted rows still take their place."""
WAIT: Final = 5000
"""Milliseconds that a session of a failed test has to end."""
_CATALOGUES: Final[tuple[LiteralString, ...]] = (
    "pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_proc", "pg_trigger", "pg_type",
    "pg_namespace", "pg_policy", "pg_rewrite", "pg_default_acl", "pg_db_role_setting", "pg_extension",
)  # fmt: skip
_SHAPE: Final = sql.SQL(" UNION ALL ").join(
    sql.SQL("SELECT {}, count(*), max(xmin::text::bigint) FROM {}").format(name, sql.Identifier(name))
    for name in _CATALOGUES
) + sql.SQL(
    " UNION ALL SELECT 'database', 1, xmin::text::bigint FROM pg_database WHERE datname = current_database()"
)
_TABLES: Final = (
    "SELECT relkind, oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'S') AND oid >= 16384"
)
_TRIGGERS: Final = (
    "SELECT tgrelid::regclass::text, quote_ident(tgname)"
    " FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal"
)
_END_OTHERS: Final = (
    "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass(slots=True)
class Lent:
    """A database as it was when it was made: its shape, its tables, the triggers that fire for everybody, its rows."""

    name: str
    shape: list[tuple[object, ...]]
    tables: list[str]
    triggers: list[tuple[str, str]]
    rows: dict[str, bytes]
    uses: int = 0


@dataclass(slots=True)
class Lending:
    """The idle databases of one server, by the template that they are copies of."""

    server: PostgresServer
    idle: dict[str, list[Lent]] = field(default_factory=dict)

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """Lend a copy of a template that looks as if nobody had used it, by SQLAlchemy URL."""
        kept = self.idle.setdefault(template, [])
        lent = kept.pop() if kept else self._make(template)
        try:
            yield self.server.url(lent.name)
        finally:
            lent.uses += 1
            if lent.uses < USES and self._put_back(lent):
                kept.append(lent)
            else:
                self.server.drop_database(lent.name)

    def _make(self, template: str) -> Lent:
        name = self.server.create_database(template)
        with self.server.connect(name) as session:
            found = session.execute(_TABLES).fetchall()
            assert all(kind == "r" for kind, _ in found), "a sequence would have to be put back as well"
            tables = [table for _, table in found]
            rows = {table: _copied(session, table) for table in _filled(session, tables)}
            triggers = session.execute(_TRIGGERS).fetchall()
            return Lent(name, session.execute(_SHAPE).fetchall(), tables, triggers, rows)

    def _put_back(self, lent: Lent) -> bool:
        """Delete what a test left and give back the template's rows; False where that is not enough."""
        with self.server.connect(lent.name) as session:
            session.execute(_END_OTHERS, (WAIT,))
            if session.execute(_SHAPE).fetchall() != lent.shape:
                return False
            with session.transaction():
                filled = _filled(session, lent.tables)
                guards = [guard for guard in lent.triggers if guard[0] in {*filled, *lent.rows}]
                session.execute("SET LOCAL session_replication_role = replica")
                _each(session, [f"ALTER TABLE {table} DISABLE TRIGGER {name}" for table, name in guards])
                _each(session, [f"DELETE FROM {table}" for table in filled])  # noqa: S608 - names of the catalogue
                for table, rows in lent.rows.items():
                    with session.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)".encode()) as copy:
                        copy.write(rows)
                _each(
                    session, [f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}" for table, name in guards]
                )
                lent.shape = session.execute(_SHAPE).fetchall()
        return True


def _filled(session: psycopg.Connection, tables: list[str]) -> list[str]:
    """Name the tables that have rows."""
    cases = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in tables)
    row = session.execute(f"SELECT array_remove(ARRAY[{cases}], NULL)".encode()).fetchone()
    assert row is not None
    return list(row[0])


def _each(session: psycopg.Connection, statements: list[str]) -> None:
    """Send statements at once."""
    if statements:
        session.execute(";".join(statements).encode())


def _copied(session: psycopg.Connection, table: str) -> bytes:
    with session.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as copy:
        return b"".join(bytes(each) for each in copy)
