"""Where temporary files lie: in memory if there is room, elsewhere if somebody says so."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.support.scratch import use_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.delenv("TMPDIR", raising=False)
    yield
    monkeypatch.undo()


def test_memory_is_used_where_it_has_room(tmp_path: Path) -> None:
    use_memory(tmp_path, room=1)
    assert (tempfile.gettempdir(), os.environ["TMPDIR"]) == (str(tmp_path), str(tmp_path))


def test_it_is_left_alone_where_it_has_none(tmp_path: Path) -> None:
    for place, room in ((tmp_path, 1 << 60), (tmp_path / "nowhere", 1)):
        use_memory(place, room)
        assert "TMPDIR" not in os.environ


def test_who_says_where_is_listened_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chosen").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "chosen"))
    use_memory(tmp_path, room=1)
    assert tempfile.gettempdir() == str(tmp_path / "chosen")
