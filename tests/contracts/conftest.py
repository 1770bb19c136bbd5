"""A database with its tables, and units on it, for the suites of the store: SQLite and PostgreSQL in turn.

Decided here: the migrations run once for each kind and worker; a test gets a copy.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.builders import open_log, units_for
from vault.adapters.db import SqlUnits, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an SQLite file with all tables and nothing in them."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    upgrade(f"sqlite+pysqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """Make a PostgreSQL database with all tables and nothing in them."""
    name = postgres_server.create_database()
    upgrade(postgres_server.url(name))
    return name


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Lend an SQLite database with all tables."""
    shutil.copy(sqlite_template, tmp_path / "vault.db")
    return f"sqlite+pysqlite:///{tmp_path / 'vault.db'}"


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """Lend a PostgreSQL database with all tables."""
    with postgres_server.database(template=postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Lend a database of each kind, with all tables."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def units(store_url: str, tmp_path: Path) -> Iterator[SqlUnits]:
    """Lend units on a database whose log is open and marked."""
    opened = units_for(store_url, tmp_path)
    open_log(opened)
    yield opened
    opened.engine.dispose()
