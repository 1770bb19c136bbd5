"""A warm process runs programs as an interpreter of their own would."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.repository import ROOT
from tests.support.warm import Warm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import atexit, os, sys
atexit.register(print, "at the end")
print(__name__, sys.argv[1:], sys.stdin.read(), os.environ.get("WORD"), os.listdir())
if "fail" in sys.argv:
    raise ValueError("as asked")
if "much" in sys.argv:
    bytearray(1 << 30)
sys.exit(7)
"""


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    place = tmp_path_factory.mktemp("programs")
    (place / "planted.py").write_text(PROGRAM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(place), str(ROOT)]))
        made = Warm(["json"])
    yield made
    made.stop()


def test_a_program_has_what_it_was_given_and_ends_as_it_says(warm: Warm, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for number in range(2):  # the second finds nothing of the first
        done = warm.run("planted", "a", tmp_path, environment={"WORD": f"w{number}"}, given="é", cwd=tmp_path)
        said = f"__main__ {['a', str(tmp_path)]} é w{number} ['file']\nat the end\n"
        assert (done.returncode, done.stdout, done.stderr) == (7, said, "")


def test_it_has_the_callers_environment_if_none_is_given(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "mine")
    assert " mine " in warm.run("planted").stdout


def test_what_it_does_not_catch_is_a_traceback_and_status_one(warm: Warm) -> None:
    done = warm.run("planted", "fail")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Traceback (most recent call last):"
    assert done.stderr.endswith("ValueError: as asked\n")
    assert done.stdout.endswith("at the end\n")


def test_memory_is_bounded_where_it_is_asked_for(warm: Warm) -> None:
    assert "MemoryError" in warm.run("planted", "much", memory=400 << 20).stderr
    assert warm.run("planted", "much").returncode == 7
