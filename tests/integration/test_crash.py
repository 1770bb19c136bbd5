"""Faults at every step of custody, reveal, check-in and rotation: nothing lost, nothing unlogged (S1, S2).

``kill -9``, a database or keys that fail once or for good, a lease that ends by time, a check-in, a revocation or
another operator in the middle, a clock that jumps: at each step, with a simulated AWS console as oracle.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.integration.crash_fuse import BARE, NEVER
from tests.integration.crash_story import CHAPTERS
from tests.integration.crash_table import KILLED, Table
from tests.support.events import entries
from tests.support.prepared import reopen
from tests.support.thorough import THOROUGH, times
from vault.domain.credential import PART, VERSION, PartEvent, PartState, VersionEvent, VersionLabel
from vault.domain.rotation import ROTATION, RotationEvent, RotationState

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import PostgresServer

FEWEST_STEPS = 100
"""Every chapter has more steps than this at which a process can be killed; fewer mean that they are not counted."""
FAULTS = len(BARE) + 7
ELSEWHERE = {
    *(
        (PART.name, state.value, event)
        for state in PartState
        for event in (PartEvent.SHRED, PartEvent.REMOVED)
    ),
    *((VERSION.name, label.value, VersionEvent.SHRED) for label in VersionLabel),
    (VERSION.name, VersionLabel.CURRENT, VersionEvent.PROVEN_DEAD),
    *((ROTATION.name, state.value, RotationEvent.REMOVED) for state in RotationState),
}
"""Steps of no chapter: destruction (`tests/services/test_destruction`), removal at AWS (`test_keyless_stopped`)."""


def enumerated(database: str, directory: Path) -> list[dict[str, object]]:
    """Run the enumeration in a process of its own, so that it forks without this one's threads."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.crash_table", database, str(directory)],
        capture_output=True,
        text=True,
        timeout=times(550, 7_200),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(rows: list[dict[str, object]]) -> None:
    """Hold every row to the promises."""
    assert [row for row in rows if "error" in row] == []
    ends = [row for row in rows if "finished" in row]
    hurt = [row for row in rows if "finished" not in row]
    ended = [int(str(row["finished"])) for row in ends if row["fault"] == KILLED]
    assert len(ended) == len(CHAPTERS)
    assert min(ended) > FEWEST_STEPS
    assert len(ends) == (FAULTS if THOROUGH else 1) * len(CHAPTERS)
    assert {row["chapter"] for row in hurt} == set(CHAPTERS)
    assert len({row["fault"] for row in hurt}) == FAULTS
    assert all(row.get("killed") == 9 for row in hurt if row["fault"] == KILLED)
    assert [row for row in hurt if row["lost"] or row["late"] or row["unlogged"]] == []


def test_nothing_is_lost_or_unlogged_on_sqlite(tmp_path: Path) -> None:
    check(enumerated("sqlite", tmp_path))


def test_nothing_is_lost_or_unlogged_on_postgresql(tmp_path: Path, postgres_server: PostgresServer) -> None:
    check(enumerated(postgres_server.url(), tmp_path))


def test_a_value_that_is_shown_before_it_is_kept_is_caught(tmp_path: Path) -> None:
    """Break the promise on purpose: the table has to say so."""
    rows = enumerated("planted", tmp_path)
    assert [row for row in rows if row.get("lost")]


def test_the_chapters_take_every_step_of_every_table(tmp_path: Path) -> None:
    """A lifecycle's step that no chapter takes is one at which no fault was tried."""
    table = Table(None, tmp_path)
    table.prepare("held", held=True)
    table.prepare("registered", held=False)
    taken: set[tuple[str, str, str]] = set()
    for chapter in CHAPTERS:
        run = table.fresh(chapter, KILLED)
        run.live(NEVER)
        with closing(reopen(run.url, run.directory)) as world:
            for entry in entries(world):
                taken |= {(each["entity"], each["from"], each["to"]) for each in entry.get("changes", [])}
    steps = {
        (lifecycle.name, was.value, now.value)
        for lifecycle in (PART, VERSION, ROTATION)
        for (was, event), now in lifecycle.transitions.items()
        if was is not now and (lifecycle.name, was.value, event.value) not in ELSEWHERE
    }
    assert steps - taken == set()


@pytest.fixture(autouse=True)
def _long(request: pytest.FixtureRequest) -> None:
    """Name these tests as the long ones they are."""
    request.node.add_marker(pytest.mark.xdist_group("crash"))
