"""Whole vaults for a test: opened on a database of its own, closed when it ends."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.support.racing import pool
from tests.support.world import World, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import ProcessPoolExecutor
    from pathlib import Path


@pytest.fixture(scope="session")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Keep the processes for all races of this worker."""
    with pool() as executor:
        yield executor


@pytest.fixture
def open_until_the_end() -> Iterator[ExitStack]:
    """Close what a test puts here, when it ends."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def vault_world(database_url: str, tmp_path: Path, open_until_the_end: ExitStack) -> World:
    """Make a world on an empty database of each kind in turn."""
    return open_until_the_end.enter_context(closing(make_world(database_url, tmp_path)))
