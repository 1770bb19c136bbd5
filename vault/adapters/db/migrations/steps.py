"""What a migration from the third on is made of: SQL for both databases, and triggers that guard rows.

Decided here: the words in which the two databases differ, and what a guard is: rows of a table are kept, or columns
of them are written once. Frozen like the migrations that use it: what a later one needs otherwise, it does itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from alembic import op

Guard: TypeAlias = "tuple[str, str, str, str]"
"""Name of the trigger, event, table, and the condition under which it refuses."""

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "sqlite": {"moment": "TEXT", "bytewise": "", "bytes": "BLOB", "no": "0"},
    "postgresql": {
        "moment": "TIMESTAMP WITH TIME ZONE",
        "bytewise": ' COLLATE "C"',
        "bytes": "BYTEA",
        "no": "FALSE",
    },
}
"""`{moment} {bytewise} {bytes} {no}` as each database writes them."""


def carry_out(
    beside: str,
    columns: Sequence[str] = (),
    kept: Sequence[str] = (),
    fixed: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Run `columns` (ALTER TABLE), then the SQL file beside a migration, then make its guards.

    The file's statements are parted by blank lines, a part that begins with ``--`` is a comment. Rows of the
    tables `kept` are never deleted; `fixed` gives, by a trigger's name, a table and columns written once.
    """
    connection = op.get_bind()
    dialect = connection.dialect.name
    text = Path(beside).with_suffix(".sql").read_text(encoding="utf-8")
    made = [statement for statement in text.split("\n\n") if not statement.startswith("--")]
    for statement in (*columns, *made):
        if statement.strip():
            connection.exec_driver_sql(statement.strip().format(**WORDS[dialect]))
    guards = _guards(kept, fixed or {})
    for statement in _sqlite(guards) if dialect == "sqlite" else _postgresql(guards, kept):
        connection.exec_driver_sql(statement)


def _guards(kept: Sequence[str], fixed: Mapping[str, tuple[str, str]]) -> list[Guard]:
    changed = {
        name: (table, " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split()))
        for name, (table, columns) in fixed.items()
    }
    return [
        *((name, "UPDATE", table, when) for name, (table, when) in changed.items()),
        *((f"{table}_kept", "DELETE", table, "") for table in kept),
    ]


def _sqlite(guards: Sequence[Guard]) -> list[str]:
    made = []
    for name, event, table, when in guards:
        condition = f" WHEN {when.format(differs='IS NOT')}" if when else ""
        body = f"SELECT RAISE(ABORT, '{name}');"
        made.append(f"CREATE TRIGGER {name} BEFORE {event} ON {table}{condition} BEGIN {body} END")
    return made


def _postgresql(guards: Sequence[Guard], kept: Sequence[str]) -> list[str]:
    """Give PostgreSQL's triggers; the function that they call was made by the first migration."""
    rows = [
        (name, f"BEFORE {event} ON {table} FOR EACH ROW", table, when) for name, event, table, when in guards
    ]
    whole = [
        (f"{table}_whole", f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT", table, "") for table in kept
    ]
    made = []
    for name, moment, table, when in (*rows, *whole):
        condition = f" WHEN ({when.format(differs='IS DISTINCT FROM')})" if when else ""
        made.append(f"CREATE TRIGGER {name} {moment}{condition} EXECUTE FUNCTION vault_refuse()")
        made.append(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    return made


def widen(table: str, constraint: str, before: str, after: str) -> None:
    """Let a constraint of a table hold for more: `before` and `after` are the text between its parentheses.

    SQLite cannot change a constraint: the table is made anew with its rows, indexes and triggers, as its manual says
    ("Making Other Kinds Of Table Schema Changes"); nothing may refer to it.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({after})")
        return
    made = connection.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (table,)
    ).all()
    whole = next(sql for kind, sql in made if kind == "table")
    wider = whole.replace(f"CHECK ({before})", f"CHECK ({after})").replace(
        f"CREATE TABLE {table}", f"CREATE TABLE {table}_wider", 1
    )
    if wider.count(after) != 1:
        message = f"{constraint} of {table} is not written as it was"
        raise RuntimeError(message)
    connection.exec_driver_sql(wider)
    connection.exec_driver_sql(f"INSERT INTO {table}_wider SELECT * FROM {table}")  # noqa: S608 - a migration names it
    connection.exec_driver_sql(f"DROP TABLE {table}")
    connection.exec_driver_sql(f"ALTER TABLE {table}_wider RENAME TO {table}")
    for kind, sql in made:
        if kind != "table":
            connection.exec_driver_sql(sql)
