"""A log of a little more than one tile, as files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from audit.bundle import write_bundle
from tests.unit.audit.world import SIZE, filled

if TYPE_CHECKING:
    from pathlib import Path

    from audit.storage.memory import MemoryStorage


@pytest.fixture(scope="module")
def storage() -> MemoryStorage:
    return filled(SIZE)


@pytest.fixture(scope="module")
def pristine(storage: MemoryStorage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pristine") / "bundle"
    write_bundle(storage, directory)
    return directory


@pytest.fixture
def bundle(pristine: Path, tmp_path: Path) -> Path:
    """Lend a copy that a test may spoil."""
    return shutil.copytree(pristine, tmp_path / "bundle")
