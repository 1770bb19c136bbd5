"""Fixtures: `service`, on SQLite and on PostgreSQL; `quick`, on SQLite only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.world import make_world
from tests.web.api.service import Service, service_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """Serve a fresh vault, on each kind of database."""
    world = make_world(database_url, tmp_path)
    yield service_of(world)
    world.vault.close()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Service]:
    """Serve a fresh vault on SQLite, for what does not depend on the database."""
    world = make_world(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path)
    yield service_of(world)
    world.vault.close()
