"""The migrations make what the tables say, on both databases, and the document names every promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, UniqueConstraint, inspect, text

from tests.support.repository import ROOT
from tests.support.repository import text as read
from vault.adapters.db import current, engine_for, head, upgrade
from vault.adapters.db.errors import CONFLICTS
from vault.adapters.db.privileges import INDEX
from vault.adapters.db.tables import metadata
from vault.errors import CODES, Unavailable

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer


def test_nothing_is_there_before_and_all_after(empty_database_url: str) -> None:
    assert current(empty_database_url) is None
    upgrade(empty_database_url)
    assert current(empty_database_url) == head() == "0025"
    upgrade(empty_database_url)
    engine = engine_for(empty_database_url)
    names = set(inspect(engine).get_table_names())
    assert names == set(metadata.tables) | {"alembic_version", "audit_entry", "audit_head", *INDEX}
    engine.dispose()


def test_the_migrations_do_not_drift_from_the_tables(store_url: str) -> None:
    engine = engine_for(store_url)
    with engine.connect() as connection:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _: not (kind == "table" and name.startswith("audit_")),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_sqlite_keeps_every_constraint_as_the_tables_write_it(sqlite_url: str, tmp_path: Path) -> None:
    made = f"sqlite+pysqlite:///{tmp_path / 'made.db'}"
    fresh = engine_for(made)
    metadata.create_all(fresh)
    migrated = engine_for(sqlite_url)
    assert _sqlite_words(migrated.connect()) == _sqlite_words(fresh.connect())
    fresh.dispose()
    migrated.dispose()


def test_postgresql_keeps_every_constraint_as_the_tables_write_it(
    postgresql_url: str, postgres_server: PostgresServer
) -> None:
    with postgres_server.database() as made:
        fresh = engine_for(made)
        metadata.create_all(fresh)
        migrated = engine_for(postgresql_url)
        with fresh.connect() as one, migrated.connect() as other:
            assert _postgresql_words(other) == _postgresql_words(one)
            assert len(_postgresql_words(one)) > 100
        fresh.dispose()
        migrated.dispose()


def _sqlite_words(connection: Connection) -> dict[str, list[str]]:
    ours = ", ".join(f"'{name}'" for name in metadata.tables)
    rows = connection.execute(
        text(
            f"SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND tbl_name IN ({ours})"  # noqa: S608 - our own names
            " AND sql IS NOT NULL"
        )
    ).all()
    connection.close()
    # the order of columns and white space do not count, nor do types that SQLite takes for the same
    return {name: sorted(re.sub(r"[\s\",()]+", " ", words).split()) for name, words in rows}


def _postgresql_words(connection: Connection) -> list[tuple[str, ...]]:
    constraints = (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'audit%'"
        " AND conrelid::regclass::text <> 'alembic_version'"
    )
    indexes = (
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename NOT LIKE 'audit%' AND tablename <> 'alembic_version'"
    )
    columns = (
        "SELECT table_name, column_name, data_type || ' ' || is_nullable || ' ' || coalesce(collation_name, '')"
        " FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'audit%'"
        " AND table_name <> 'alembic_version'"
    )
    words = [
        tuple(str(part) for part in row)
        for statement in (constraints, indexes, columns)
        for row in connection.execute(text(statement))
    ]
    return sorted(words)


def test_a_migration_that_fails_leaves_nothing(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = lambda _: ["CREATE TABLE half (one INTEGER)", "CREATE NONSENSE"]  # noqa: E731 - two statements
    monkeypatch.setattr("audit.storage.sql.ddl", broken)
    with pytest.raises(Unavailable):
        upgrade(empty_database_url)
    engine = engine_for(empty_database_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    monkeypatch.undo()
    upgrade(empty_database_url)
    assert current(empty_database_url) == head()


def test_the_migrations_run_without_the_repository(tmp_path: Path) -> None:
    program = (
        "from vault.adapters.db import upgrade, current\n"
        f"url = 'sqlite+pysqlite:///{tmp_path / 'vault.db'}'\n"
        "upgrade(url)\nprint(current(url))"
    )
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0025"


def test_alembic_itself_finds_no_drift(store_url: str) -> None:
    command = [sys.executable, "-m", "alembic", "-x", f"url={store_url}", "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "No new upgrade operations detected" in done.stdout) == (0, True), done.stderr


def names_of_rules() -> set[str]:
    """Name every constraint and unique index that is more than a key, a reference or a list of words."""
    found: set[str] = set()
    for table in metadata.tables.values():
        found |= {str(index.name) for index in table.indexes if index.unique}
        for constraint in table.constraints:
            if isinstance(constraint, CheckConstraint | UniqueConstraint):
                found.add(str(constraint.name))
    return {name for name in found if not name.endswith("_known")}


def test_every_conflict_is_a_constraint_with_a_code_that_exists() -> None:
    keys = {str(table.primary_key.name) for table in metadata.tables.values()}
    assert set(CONFLICTS) - names_of_rules() - keys == set()
    assert {code for code, _ in CONFLICTS.values()} <= set(CODES)


def test_the_document_names_every_table_and_every_rule() -> None:
    document = read(Path("docs/schema.md"))
    told = set(re.findall(r"`([a-z0-9_]+)`", document))
    assert set(metadata.tables) - told == set()
    assert names_of_rules() - told == set()


def test_every_enumeration_is_known_to_the_database(store_url: str) -> None:
    engine = engine_for(store_url)
    checks = {
        str(check["name"])
        for table in metadata.tables
        for check in inspect(engine).get_check_constraints(table)
    }
    expected = {
        f"{table.name}_{column.name}_known"
        for table in metadata.tables.values()
        for column in table.columns
        if type(column.type).__name__ == "Choice"
    }
    assert len(expected) > 15
    # the kinds of proposals grow with what takes two people, and are the program's to know
    # so are the topics of notices
    growing = {"proposal_kind_known", "notice_topic_known", "notice_choice_topic_known"}
    assert expected - checks == growing
    engine.dispose()
