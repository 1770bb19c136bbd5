"""The operator's commands on a host: founding, doctor on every kind of break, backup, worker, wrong settings."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from audit.note import Signer, write_key
from tests.cli.conftest import SETTINGS, rootvault, settings_directory
from vault.adapters.db import head, upgrade
from vault.adapters.db.copying import copy_database
from vault.bootstrap import make_data_directory, open_log, open_vault
from vault.bootstrap.open import announce
from vault.cli.admin.checks import DISK_FAIL, Level, check_disk
from vault.cli.admin.doctor import doctor as doctor_command
from vault.cli.admin.founding import found
from vault.domain.actor import Reach, system_actor
from vault.domain.event import Event, EventType
from vault.errors import Refused
from vault.ports.store import EntryFilter, Slice
from vault.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

from click.testing import CliRunner

ADMINS = ("--admin", "ada@vault.example", "Ada Byron", "--admin", "bo@vault.example", "Bo Ek")


def doctor(directory: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Ask doctor about a vault."""
    done = CliRunner().invoke(doctor_command, ["--config", str(directory), "--json", *options])
    report: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, report


def faults(report: dict[str, Any]) -> str:
    """Give the words of all faults."""
    return "\n".join(
        f"{f['check']}: {f['words']} {f['next']}" for f in report["findings"] if f["level"] == "fail"
    )


def test_init_makes_a_vault_that_doctor_likes_and_prints_the_links_once(tmp_path: Path) -> None:
    directory = settings_directory(tmp_path / "config")
    done = rootvault("init", "--config", str(directory), *ADMINS, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert [each["email"] for each in made["administrators"]] == ["ada@vault.example", "bo@vault.example"]
    assert len({each["link"] for each in made["administrators"]}) == 2
    assert all(each["link"].startswith("http://127.0.0.1:8400/enrol/") for each in made["administrators"])
    data = directory / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in data.iterdir()} == {0}
    tokens = [each["link"].rpartition("/")[2].encode() for each in made["administrators"]]
    kept = b"".join(path.read_bytes() for path in data.iterdir())
    assert [token for token in tokens if token in kept] == []
    status, report = doctor(directory, "--deep")
    assert (status, report["faults"]) == (0, 0)

    keys = {path: path.read_bytes() for path in data.glob("*.key")}
    again = rootvault("init", "--config", str(directory), *ADMINS)
    assert again.returncode == 2
    assert "it is founded once" in again.stderr
    assert {path: path.read_bytes() for path in keys} == keys


def test_init_takes_two_administrators(tmp_path: Path) -> None:
    directory = settings_directory(tmp_path / "config")
    done = rootvault("init", "--config", str(directory), *ADMINS[:3])
    assert done.returncode == 2
    assert "Name two administrators" in done.stderr
    assert not (directory / "data").exists()
    assert rootvault("init", "--config", str(directory), *ADMINS).returncode == 0


def test_the_log_begins_with_its_name_and_key_and_tells_of_starts(vault_directory: Path) -> None:
    vault = open_vault(load_settings(str(vault_directory), {}))
    announce(vault)
    announce(vault)
    with vault.units.read() as unit:
        first = unit.log.entry(0)
        page = unit.log.page(EntryFilter(), Reach(everything=True), Slice(50))
    vault.close()
    assert first is not None
    assert first.content["type"] == "log.opened"
    assert first.content["detail"]["vkey"] == vault.vkey  # type: ignore[index]  # a leaf's members are JSON
    types = [entry.content["type"] for entry in page.items]
    assert (types.count("policy.loaded"), types.count("service.started")) == (1, 2)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _other_log_key(directory: Path) -> None:
    key = directory / "data" / "log.key"
    key.unlink()
    write_key(key, Signer.generate("vault.test.example/audit"))


def _older_schema(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "data" / "vault.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
        database.commit()


def _edited_entry(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "data" / "vault.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute(
            "UPDATE audit_entry SET leaf = CAST(replace(leaf, 'One', 'Eve') AS BLOB) WHERE seq = 2"
        )
        database.commit()


def _grow(directory: Path) -> None:
    vault = open_vault(load_settings(str(directory), {}))
    with vault.units.write() as unit:
        unit.log.record(Event(EventType.SERVICE_STOPPED, system_actor("service")), vault.clock.now())
        unit.commit()
    vault.close()


def _rolled_back(directory: Path) -> None:
    data = directory / "data"
    old = copy_database(f"sqlite+pysqlite:///{data / 'vault.db'}", data / "old.db")
    assert old > 0
    _grow(directory)
    for name in ("vault.db", "vault.db-wal", "vault.db-shm"):
        (data / name).unlink(missing_ok=True)
    (data / "old.db").rename(data / "vault.db")


def _emptied(directory: Path) -> None:
    (directory / "data" / "vault.db").unlink()


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a misspelt setting": (
        lambda d: _edit(d / "vault.toml", "service", "servise"),
        "keys.servise is not known",
    ),
    "no settings": (lambda d: (d / "vault.toml").unlink(), "There is no vault.toml"),
    "production with local keys": (
        lambda d: _edit(d / "vault.toml", '"development"\n', '"production"\n'),
        "server.public_url must begin with https",
    ),
    "no data directory": (lambda d: shutil.rmtree(d / "data"), "Run `rootvault init` first"),
    "an open data directory": (lambda d: (d / "data").chmod(0o755), "chmod 700"),
    "a readable log key": (
        lambda d: (d / "data" / "log.key").chmod(0o644),
        "must be a regular file of mode 0600",
    ),
    "no log key": (
        lambda d: (d / "data" / "log.key").unlink(),
        "Restore it from a backup; a new key is a new log",
    ),
    "another log key": (_other_log_key, "is by a key that was asked for. Is it the right"),
    "a readable server key": (lambda d: (d / "data" / "server.key").chmod(0o640), "chmod 600"),
    "no local keys": (lambda d: (d / "data" / "local-keys.json").unlink(), "local-keys.json is refused"),
    "an older schema": (_older_schema, "rootvault db upgrade"),
    "a rolled back database": (_rolled_back, "LOG ROLLED BACK"),
    "no mark": (lambda d: (d / "data" / "log.mark").unlink(), "mark"),
    "a damaged mark": (lambda d: (d / "data" / "log.mark").write_bytes(b"\xff"), "mark"),
    "an empty database": (_emptied, "Run: rootvault init"),
}


def test_a_vault_is_founded_served_and_examined_on_postgresql(fresh_database: str, tmp_path: Path) -> None:
    directory = settings_directory(tmp_path / "config")
    text = f'[database]\nurl = "{fresh_database}"\n'
    (directory / "vault.toml").write_text(SETTINGS + text, encoding="utf-8")
    settings = load_settings(str(directory), {})
    make_data_directory(settings)
    upgrade(settings.database_url)
    open_log(settings)  # a founding that was cut off before anybody could enter is finished by the next
    founded = found(settings, (("one@vault.example", "One"), ("two@vault.example", "Two")))
    assert len(founded.administrators) == 2
    announce(founded.vault)
    founded.vault.close()
    status, report = doctor(directory, "--deep")
    assert (status, faults(report)) == (0, "")
    assert "postgresql answers" in {finding["words"] for finding in report["findings"]}
    with pytest.raises(Refused, match="it is founded once"):
        found(settings, (("three@vault.example", "Three"), ("four@vault.example", "Four")))


@pytest.mark.parametrize("name", BREAKS)
def test_doctor_names_what_is_broken_and_it_does_not_start(name: str, vault_directory: Path) -> None:
    damage, words = BREAKS[name]
    damage(vault_directory)
    status, report = doctor(vault_directory)
    assert status == 1
    assert not report["healthy"]
    assert words in faults(report)
    with pytest.raises(Refused):
        open_vault(load_settings(str(vault_directory), {})).close()


def test_a_deep_look_finds_one_changed_entry(vault_directory: Path) -> None:
    _edited_entry(vault_directory)
    status, report = doctor(vault_directory, "--deep")
    assert status == 1
    assert "at entry 2" in faults(report)


def test_doctor_warns_of_what_works_and_should_not(vault_directory: Path) -> None:
    (vault_directory / "data" / "vault.db").chmod(0o644)
    status, report = doctor(vault_directory)
    warned = {f["check"] for f in report["findings"] if f["level"] == "warn"}
    assert status == 0
    assert {"settings", "keys", "mark", "files", "people"} <= warned


def test_a_full_disk_is_a_fault(vault_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(vault_directory)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=DISK_FAIL - 1))
    found = next(check_disk(load_settings(str(vault_directory), {})))
    assert (found.name, found.level) == ("disk", Level.FAIL)


def test_a_redirected_aws_is_refused(vault_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
    _edit(vault_directory / "vault.toml", 'service = "local"', f'service = "aws-kms"\nkms_keys = ["{key}"]')
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://203.0.113.9")
    status, report = doctor(vault_directory)
    assert status == 1
    assert "AWS_ENDPOINT_URL" in faults(report)


def test_a_backup_is_a_whole_database_for_its_owner_only(vault_directory: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    done = rootvault("backup", str(file), "--config", str(vault_directory), "--json")
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (head(),)
        assert database.execute("SELECT count(*) FROM person").fetchone() == (2,)
    again = rootvault("backup", str(file), "--config", str(vault_directory))
    assert again.returncode == 2
    assert "name a new file" in again.stderr


def test_a_backup_without_pg_dump_leaves_no_file(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(Refused, match="pg_dump is not on this machine"):
        copy_database(postgres_url, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_the_worker_sweeps_once_and_says_what_it_wrote(vault_directory: Path) -> None:
    done = rootvault("worker", "--once", "--config", str(vault_directory), "--json")
    assert json.loads(done.stdout) == {"checkouts": 0, "reveals": 0}


def test_the_people_of_a_vault_are_listed_on_the_host(vault_directory: Path) -> None:
    done = rootvault("admin", "people", "--config", str(vault_directory), "--json")
    rows = json.loads(done.stdout)["items"]
    assert [(row["email"], row["state"], row["roles"]) for row in rows] == [
        ("one@vault.example", "invited", ["admin (all)"]),
        ("two@vault.example", "invited", ["admin (all)"]),
    ]


def test_serve_says_what_is_wrong_before_it_listens(vault_directory: Path) -> None:
    (vault_directory / "data" / "server.key").chmod(0o644)
    done = rootvault("serve", "--config", str(vault_directory), "--port", "0")
    assert done.returncode == 2
    assert "chmod 600" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_upgrade_of_what_is_current_changes_nothing(vault_directory: Path) -> None:
    done = rootvault("db", "upgrade", "--config", str(vault_directory))
    assert (done.returncode, done.stderr) == (0, "")
    with closing(open_vault(load_settings(str(vault_directory), {}))) as vault, vault.units.read() as unit:
        wanted = EntryFilter(type=EventType.HOST_COMMAND)
        (entry,) = unit.log.page(wanted, Reach(everything=True), Slice(9)).items
    assert entry.content["detail"]["command"] == "db upgrade"  # type: ignore[index]  # leaves are JSON
    assert doctor(vault_directory)[0] == 0
