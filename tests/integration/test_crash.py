"""``kill -9`` at every step of custody, reveal, check-in and rotation: nothing lost, nothing unlogged (S1, S2)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.thorough import times

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import PostgresServer

FEWEST_STEPS = 60
"""The story has more steps than this; fewer mean that steps are no longer counted."""


def enumerated(database: str, directory: Path) -> list[dict[str, object]]:
    """Run the enumeration in a process of its own, so that it forks without this one's threads."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.crash_table", database, str(directory)],
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(rows: list[dict[str, object]], stride: int = 1) -> None:
    """Hold every row to the promises."""
    *killed, last = rows
    assert "finished" in last, last
    steps = last["finished"]
    assert isinstance(steps, int)
    assert steps >= FEWEST_STEPS
    assert [row["step"] for row in killed] == list(range(1, steps + 1, stride))
    assert [row for row in killed if row.get("killed") != 9] == []
    assert [row for row in killed if "error" in row] == []
    assert [row for row in killed if row["lost"] or row["unlogged"]] == []


def test_nothing_is_lost_or_unlogged_on_sqlite(tmp_path: Path) -> None:
    check(enumerated("sqlite", tmp_path))


def test_nothing_is_lost_or_unlogged_on_postgresql(tmp_path: Path, postgres_server: PostgresServer) -> None:
    check(enumerated(postgres_server.url(), tmp_path), times(4, 1))


def test_a_value_that_is_shown_before_it_is_kept_is_caught(tmp_path: Path) -> None:
    """Break the promise on purpose: the table has to say so."""
    rows = enumerated("planted", tmp_path)
    assert [row for row in rows if row.get("lost")]


@pytest.fixture(autouse=True)
def _long(request: pytest.FixtureRequest) -> None:
    """Name these tests as the long ones they are."""
    request.node.add_marker(pytest.mark.xdist_group("crash"))
