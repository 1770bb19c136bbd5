"""Units on a database with its tables, for the suites of the store: SQLite and PostgreSQL in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.builders import open_log, units_for
from vault.adapters.db import SqlUnits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store_url(database_url: str) -> str:
    """Name it for what these suites are about."""
    return database_url


@pytest.fixture
def units(database_url: str, tmp_path: Path) -> Iterator[SqlUnits]:
    """Lend units on a database whose log is open and marked."""
    opened = units_for(database_url, tmp_path)
    open_log(opened)
    yield opened
    opened.engine.dispose()
