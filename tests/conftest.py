"""What every test stands on.

Fixtures: `postgres_server` (one real server a worker), `lending` (its databases that are lent again),
`postgres_url`, `fresh_database` (an empty PostgreSQL database a test), `postgresql_url` and `sqlite_url` (with the
vault's tables), `database_url` (both of these in turn), `empty_database_url` (an empty one of each kind in turn),
`chromium` (path of the browser).

Also decided here: no test reaches another machine, and no test sees the credentials or settings of whoever
runs it.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support.browser import chromium_executable
from tests.support.lending import Lending
from tests.support.network import close_network
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.quick_sql import compile_once
from tests.support.scratch import use_memory
from tests.support.tables import make_tables, sqlite_tables
from tests.support.thorough import THOROUGH, other_half

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What belongs to the person who runs the tests, or would send the code under test elsewhere.
_FOREIGN_SETTINGS = (
    "AWS_",
    "ROOTVAULT_",
    "FLASK_",
    "PG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)


def pytest_configure() -> None:
    """Set the stage before anything is collected, so that imports are bound by it as well."""
    for name in list(os.environ):
        if name.upper().startswith(_FOREIGN_SETTINGS):
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    use_memory()
    close_network()
    compile_once()
    # No deadline: two cores shared by the workers make single examples late, not wrong. CI tries the same
    # examples each time, so that a landing is judged by the change and not by the dice.
    hypothesis.settings.register_profile("here", deadline=None)
    hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
    hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Try what stands above the store on one database, half of it on each; on both where all is asked for."""
    if not THOROUGH:
        left = other_half(items)
        config.hook.pytest_deselected(items=[each for each in items if each.nodeid in left])
        items[:] = [each for each in items if each.nodeid not in left]


def pytest_collection_finish() -> None:
    """Leave what the imports made to itself: to look through it for garbage again and again is a seventh of all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run a PostgreSQL server for as long as this worker needs one."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """Return the SQLAlchemy URL of the server's maintenance database."""
    return postgres_server.url()


@pytest.fixture
def fresh_database(postgres_server: PostgresServer) -> Iterator[str]:
    """Lend an empty PostgreSQL database of the test's own, by SQLAlchemy URL."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Lend an empty database of each kind that the vault supports, by SQLAlchemy URL."""
    if request.param == "sqlite":
        return f"sqlite+pysqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("fresh_database"))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """Make a PostgreSQL database with all tables and nothing in them; give its name."""
    name = postgres_server.create_database()
    make_tables(postgres_server.url(name))
    return name


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Lend an SQLite database with all tables."""
    (tmp_path / "vault.db").write_bytes(sqlite_tables())
    return f"sqlite+pysqlite:///{tmp_path / 'vault.db'}"


@pytest.fixture(scope="session")
def lending(postgres_server: PostgresServer) -> Lending:
    """Keep the server's idle databases, as copies of templates that look as if nobody had used them."""
    return Lending(postgres_server)


@pytest.fixture
def postgresql_url(lending: Lending, postgres_template: str) -> Iterator[str]:
    """Lend a PostgreSQL database with all tables."""
    with lending.database(postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Lend a database of each kind with all tables, by SQLAlchemy URL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the browser, by the rule in `tests/support/browser.py`."""
    return chromium_executable()
