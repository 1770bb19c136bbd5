"""Host commands leave entries: what was examined, what came of it, which backup was taken."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from tests.cli.conftest import rootvault
from vault.bootstrap import open_vault
from vault.domain.actor import Reach
from vault.ports.store import EntryFilter, Slice
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path


def last(directory: Path, kind: str) -> dict[str, Any]:
    """Give the newest entry of a type."""
    vault = open_vault(load_settings(str(directory), {}))
    with vault.units.read() as unit:
        found = unit.log.page(EntryFilter(type=kind), Reach(everything=True), Slice(1)).items
    vault.close()
    return dict(found[0].content)


def replay(directory: Path) -> tuple[int, dict[str, Any]]:
    """Run doctor's replay."""
    done = rootvault("doctor", "--replay", "--config", str(directory), "--json")
    return done.returncode, json.loads(done.stdout)


def test_a_replay_of_what_nobody_touched_is_well_and_an_entry(vault_directory: Path) -> None:
    status, report = replay(vault_directory)
    assert status == 0
    assert report["replay"]["differences"] == 0
    entry = last(vault_directory, "audit.examined")
    assert entry["actor"]["id"] == "system:doctor"
    assert entry["outcome"] == "success"
    assert entry["detail"] == {
        "examined": "replay",
        "entries": report["replay"]["entries"],
        "differences": 0,
    }


def test_a_replay_names_what_was_changed_and_ends_with_a_fault(vault_directory: Path) -> None:
    with closing(sqlite3.connect(vault_directory / "data" / "vault.db")) as database, database:
        database.execute("UPDATE person SET name = 'Mallory' WHERE email = (SELECT min(email) FROM person)")
    status, report = replay(vault_directory)
    assert status == 1
    (found,) = report["replay"]["told"]
    assert (found["entity"], found["database"]) == ("person.name", "Mallory")
    assert found["index"] is not None
    plain = rootvault("doctor", "--replay", "--config", str(vault_directory))
    assert plain.returncode == 1
    assert f"entry {found['index']}" in plain.stdout
    assert "Mallory" in plain.stdout
    entry = last(vault_directory, "audit.examined")
    assert (entry["outcome"], entry["detail"]["differences"]) == ("failed", 1)
    opened = last(vault_directory, "incident.opened")
    assert (opened["actor"]["id"], opened["detail"]["kind"]) == ("system:doctor", "log_damaged")
    vault = open_vault(load_settings(str(vault_directory), {}))
    assert [each.count for each in vault.incidents.open_counts()] == [1]  # found twice, and one incident
    vault.close()


def test_a_deep_look_is_an_entry(vault_directory: Path) -> None:
    assert rootvault("doctor", "--deep", "--config", str(vault_directory)).returncode == 0
    assert last(vault_directory, "audit.examined")["detail"]["examined"] == "entries"


def test_a_backup_is_an_entry_that_knows_the_copy_again(vault_directory: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert rootvault("backup", str(copy), "--config", str(vault_directory)).returncode == 0
    detail = last(vault_directory, "backup.taken")["detail"]
    assert detail["sha256"] == hashlib.sha256(copy.read_bytes()).hexdigest()
    assert (detail["file"], detail["bytes"]) == ("copy.db", copy.stat().st_size)
