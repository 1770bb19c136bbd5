"""`rootvault restore`, as an operator runs it: from a backup file, with two names, to a vault that opens again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from audit.__main__ import main as audit_main
from audit.checkpoint import Checkpoint
from audit.mark import MarkFile
from audit.note import read_key
from tests.cli.conftest import rootvault
from vault.bootstrap import announce, open_vault
from vault.bootstrap.restoring import next_origin
from vault.errors import Refused
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ("--why", "the disk broke", "--by", "Ada Lovelace", "--and", "Bob Noyce")


@pytest.fixture
def backup(vault_directory: Path, tmp_path: Path) -> Path:
    """Take a backup, and let more happen after it."""
    file = tmp_path / "backup.db"
    assert rootvault("backup", str(file), "--config", str(vault_directory)).returncode == 0
    vault = open_vault(load_settings(str(vault_directory), {}))
    announce(vault)
    vault.close()
    return file


def set_log(directory: Path, settings: dict[str, str]) -> None:
    """Write what the ceremony says into the settings, as the operator does."""
    file = directory / "vault.toml"
    told = file.read_text(encoding="utf-8")
    lines = [line for line in told.splitlines() if not line.startswith("origin")]
    at = lines.index("[log]") + 1
    lines[at:at] = [f'{name.partition(".")[2]} = "{value}"' for name, value in settings.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_backup_becomes_a_vault_again(vault_directory: Path, backup: Path) -> None:
    arguments = ("--config", str(vault_directory), "--from", str(backup), *WORDS)
    done = rootvault("restore", *arguments, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["log"]["origin"] == "vault.test.example/audit/2"
    assert told["previous"]["origin"] == "vault.test.example/audit"
    with pytest.raises(Refused):
        open_vault(load_settings(str(vault_directory), {}))
    set_log(vault_directory, told["settings"])
    look = rootvault("doctor", "--deep", "--replay", "--config", str(vault_directory), "--json")
    assert look.returncode == 0, look.stdout
    assert json.loads(look.stdout)["replay"]["differences"] == 0
    bundle = audit_main(["verify", told["previous"]["bundle"], "--key", told["previous"]["vkey"]])
    assert bundle == 0
    data = vault_directory / "data"
    assert (data / "vault.db.before-2").exists()
    assert (data / "log.mark.1").exists()
    again = rootvault("restore", *arguments, "--yes")
    assert again.returncode == 2
    assert "log.origin" in again.stderr


def test_what_is_held_is_told_of_and_put_aside_with_the_old_mark(vault_directory: Path, backup: Path) -> None:
    settings, data = load_settings(str(vault_directory), {}), vault_directory / "data"
    signer = read_key(settings.file("log.key"), settings.log.origin)
    forked = signer.sign(Checkpoint(signer.name, 2, bytes(32)).format())
    MarkFile(data / "log.mark").hold(forked)
    with pytest.raises(Refused) as refused:
        open_vault(settings)
    assert refused.value.code == "log.rolled_back"
    look = rootvault("doctor", "--deep", "--config", str(vault_directory))
    assert "log.mark.held" in look.stdout
    assert "what is held" in look.stdout
    done = rootvault(
        "restore", "--config", str(vault_directory), "--from", str(backup), *WORDS, "--yes", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert (data / "log.mark.held.1").read_text() == forked
    assert not (data / "log.mark.held").exists()
    set_log(vault_directory, json.loads(done.stdout)["settings"])
    vault = open_vault(load_settings(str(vault_directory), {}))
    with vault.units.read() as unit:
        first = unit.log.entry(0)
    vault.close()
    assert first is not None
    assert forked in first.content["detail"].values()  # type: ignore[attr-defined]  # an entry's JSON


def test_it_asks_and_tells_what_to_set(vault_directory: Path, backup: Path) -> None:
    before = (vault_directory / "data" / "vault.db").read_bytes()
    arguments = ("--config", str(vault_directory), "--from", str(backup), *WORDS)
    unasked = rootvault("restore", *arguments)
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    one = rootvault("restore", *arguments[:-1], "ada lovelace", "--yes")
    assert "two different people" in one.stderr
    assert (vault_directory / "data" / "vault.db").read_bytes() == before
    done = rootvault("restore", *arguments, "--yes")
    assert done.returncode == 0, done.stderr
    assert 'origin = "vault.test.example/audit/2"' in done.stdout
    assert "People" in done.stdout


def test_what_is_no_backup_of_this_vault_is_refused(vault_directory: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    empty.touch()
    done = rootvault("restore", "--config", str(vault_directory), "--from", str(empty), *WORDS, "--yes")
    assert done.returncode == 2
    assert "no vault" in done.stderr
    absent = rootvault("restore", "--config", str(vault_directory), "--from", "/nowhere", *WORDS, "--yes")
    assert absent.returncode == 2
    assert not (vault_directory / "data" / "vault.db.restoring").exists()
    open_vault(load_settings(str(vault_directory), {})).close()


def test_names_of_new_logs_are_numbered_on(vault_directory: Path) -> None:
    settings = load_settings(str(vault_directory), {})
    assert next_origin(settings) == "vault.test.example/audit/2"
    (vault_directory / "data" / "log-2.mark").touch(mode=0o600)
    assert next_origin(settings) == "vault.test.example/audit/3"
