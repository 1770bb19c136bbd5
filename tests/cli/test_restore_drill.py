"""`rootvault drill --restore`: a backup is restored beside the vault, opened, compared, removed; the log tells so."""

# ruff: noqa: S608 - the statements are an attacker's, of texts of our own
from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from audit.durable import locked
from tests.cli.conftest import settings_directory
from tests.support.key_work import NUMBERS, OLD, Changing
from tests.support.replay import check_database
from tests.support.world import HandClock, World
from vault.adapters.db.copying import copy_database
from vault.adapters.local_keys import create_local_keys
from vault.bootstrap import open_vault, restore_drill
from vault.bootstrap.restore_drill import LOCK
from vault.cli.admin.founding import found
from vault.cli.exits import of_error
from vault.cli.main import cli
from vault.domain.actor import Reach
from vault.domain.event import EventType
from vault.domain.ids import new_id
from vault.ports.store import EntryFilter, Slice
from vault.services.key_work import DrillScope
from vault.services.replay import Outcome, Replay
from vault.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from vault.settings import Settings

LATER: Final = "999988887777"
VALUES: Final = 2 * len(NUMBERS)


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found a vault that holds two accounts, back it up, and let a third one be held after that; for copies."""
    directory = settings_directory(tmp_path_factory.mktemp("restoring") / "config")
    (directory / "data").mkdir(mode=0o700)
    create_local_keys(directory / "data" / "local-keys.json", OLD)
    with (directory / "vault.toml").open("a", encoding="utf-8") as file:
        file.write("[people]\nhold_seconds = 0\n")
    settings = load_settings(str(directory), {})
    clock = HandClock(datetime.now(UTC) - timedelta(hours=1))
    world = World(
        found(settings, (("one@vault.example", "One"), ("two@vault.example", "Two")), clock).vault, clock
    )
    for number in NUMBERS:
        world.held(number)
    copy_database(settings.database_url, directory / "backup.db")
    world.held(LATER)
    world.close()
    return directory


@pytest.fixture(autouse=True)
def _without_back_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of what replay finds the people whom tests let in without an entry."""
    examine = Replay.examine

    def examined(self: Replay, progress: Callable[[int, int], None]) -> Outcome:
        outcome = examine(self, progress)
        found = [
            each for each in outcome.differences if each.entity.partition(".")[0] not in {"person", "grant"}
        ]
        outcome.differences, outcome.count = found, len(found)
        return outcome

    monkeypatch.setattr(Replay, "examine", examined)


@pytest.fixture
def directory(holding: Path, tmp_path: Path) -> Path:
    """Lend a copy of it."""
    return shutil.copytree(holding, tmp_path / "vault")


def agree(directory: Path, scope: DrillScope = DrillScope.RESTORE) -> str:
    """Let two people agree, half an hour ago."""
    clock = HandClock(datetime.now(UTC) - timedelta(minutes=30))
    vault = open_vault(load_settings(str(directory), {}), clock)
    try:
        two = (f"amy{new_id()}", f"ann{new_id()}")
        return (
            Changing(World(vault, clock), directory / "data" / "local-keys.json", two).agreed_drill(scope).id
        )
    finally:
        vault.close()


def drill(directory: Path, proposal: str, backup: Path | str = "") -> Result:
    """Run the command in this process."""
    source = str(backup or directory / "backup.db")
    given = ["drill", proposal, "--restore", source, "--config", str(directory), "--json"]
    return CliRunner().invoke(cli, given)


def told(directory: Path, kind: EventType) -> list[Any]:
    """Read the live log's entries of a type, newest first."""
    vault = open_vault(load_settings(str(directory), {}))
    try:
        with vault.units.read() as unit:
            page = unit.log.page(EntryFilter(type=kind), Reach(everything=True), Slice(100))
        return [entry.content for entry in page.items]
    finally:
        vault.close()


def status(done: Result) -> tuple[int, str]:
    """Give the exit status and the code of a refusal."""
    assert isinstance(done.exception, Exception)
    failure = of_error(done.exception)
    assert failure is not None, done.output
    return failure.exit_status, failure.code


def untouched(directory: Path) -> None:
    """Assert that nothing of the scratch is left, and that the live vault is what its log says."""
    data = directory / "data"
    assert not list(data.glob("restore-drill-*"))
    assert not list(data.glob("log-*"))
    settings = load_settings(str(directory), {})
    assert settings.log.origin == "vault.test.example/audit"
    check_database(settings.database_url)


def change(backup: Path, *statements: str) -> None:
    """Change a backup, its guards off."""
    with closing(sqlite3.connect(backup)) as opened, opened:
        for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            opened.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert opened.execute(statement).rowcount > 0


def test_a_backup_is_restored_opened_compared_and_removed(directory: Path) -> None:
    before = (directory / "backup.db").read_bytes()
    proposal = agree(directory)
    done = drill(directory, proposal)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["opened"], report["failed"], report["accounts"], report["finished"]) == (
        VALUES,
        0,
        2,
        True,
    )
    assert report["restore"]["promoted"] == VALUES
    assert report["restore"]["origin"] == "vault.test.example/audit/2"
    # what was taken in after the backup would be lost
    assert (report["restore"]["differences"], report["restore"]["behind"]) == (0, 2)
    assert (directory / "backup.db").read_bytes() == before
    (begun,) = told(directory, EventType.DRILL_BEGUN)
    assert (begun["detail"]["scope"], begun["detail"]["backup"]) == ("restore", "backup.db")
    assert begun["detail"]["why"]
    (finished,) = told(directory, EventType.DRILL_FINISHED)
    assert (finished["outcome"], finished["detail"]["behind"]) == ("success", 2)
    opened = told(directory, EventType.DRILL_OPENED)
    assert len(opened) == VALUES
    assert all(len(entry["kms"]) == len(OLD) for entry in opened)
    untouched(directory)
    assert status(drill(directory, proposal)) == (6, "proposal.state")


def test_nothing_is_restored_without_two_people_who_agreed_to_just_that(directory: Path) -> None:
    live = agree(directory, DrillScope.LIVE)
    assert status(drill(directory, live)) == (6, "proposal.state")
    assert status(drill(directory, "00000000-0000-4000-8000-000000000000")) == (5, "not_found")
    assert not told(directory, EventType.DRILL_BEGUN)
    untouched(directory)


def test_an_older_value_put_back_is_found(directory: Path) -> None:
    at = f"account_id = '{NUMBERS[0]}' AND kind = 'password'"
    other = f"SELECT body FROM version WHERE account_id = '{NUMBERS[1]}' AND kind = 'password'"
    change(directory / "backup.db", f"UPDATE version SET body = ({other}) WHERE {at}")
    done = drill(directory, agree(directory))
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert (report["opened"], report["failed"]) == (VALUES - 1, 1)
    assert report["restore"]["differences"] > 0
    assert told(directory, EventType.DRILL_FINISHED)[0]["outcome"] == "failed"
    untouched(directory)


def test_a_log_that_was_changed_restores_nothing_and_that_is_told(directory: Path) -> None:
    leaf = "CAST(replace(leaf, 'secret.promoted', 'secret.promotes') AS BLOB)"
    change(
        directory / "backup.db", f"UPDATE audit_entry SET leaf = {leaf} WHERE event_type = 'secret.promoted'"
    )
    proposal = agree(directory)
    assert status(drill(directory, proposal)) == (2, "log.unavailable")
    finished = told(directory, EventType.DRILL_FINISHED)[0]
    assert (finished["outcome"], finished["detail"]["code"]) == ("failed", "log.unavailable")
    untouched(directory)
    # the agreement is not used up by a backup that was none
    assert status(drill(directory, proposal)) == (2, "log.unavailable")


def test_what_is_no_backup_is_refused_before_anything_is_told(directory: Path) -> None:
    proposal = agree(directory)
    for source in (directory / "none.db", f"sqlite+pysqlite:///{directory / 'backup.db'}"):
        assert status(drill(directory, proposal, source)) == (2, "operation.failed")
    assert not told(directory, EventType.DRILL_BEGUN)


def test_what_a_run_that_was_killed_left_is_removed(directory: Path) -> None:
    left = directory / "data" / "restore-drill-left"
    left.mkdir(mode=0o700)
    (left / "vault.db").write_bytes(b"half a copy")
    assert drill(directory, agree(directory)).exit_code == 0
    untouched(directory)


def test_two_at_once_do_not_remove_each_others_scratch(directory: Path) -> None:
    proposal = agree(directory)
    scratch = directory / "data" / "restore-drill-running"
    scratch.mkdir(mode=0o700)
    with locked(directory / "data" / LOCK):
        assert status(drill(directory, proposal)) == (2, "operation.failed")
    assert scratch.is_dir()
    assert not told(directory, EventType.DRILL_BEGUN)


def test_what_nobody_foresaw_is_told_of_too(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scratch is gone when it is to be removed, as whoever cleans up by hand does it."""

    def gone(settings: Settings, *_others: object) -> None:
        shutil.rmtree(settings.data_directory)
        raise OSError("the disk is full")

    monkeypatch.setattr(restore_drill, "restore", gone)
    proposal = agree(directory)
    assert isinstance(drill(directory, proposal).exception, OSError)
    (finished,) = told(directory, EventType.DRILL_FINISHED)
    assert (finished["outcome"], finished["detail"]["code"]) == ("failed", "operation.failed")
