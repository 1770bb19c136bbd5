"""A backup with what nobody signed, or without what was signed: recovering and restoring, neither goes unseen (S6)."""

# ruff: noqa: S608 - the statements are an attacker's, of texts of our own
from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.test_recipients import MADE, OTHER, settings_of, settle, world
from tests.services.test_recovering import change, doctored, opened, scene
from tests.support.desk import NUMBER
from tests.support.events import entries
from vault.adapters.db.copying import copy_database
from vault.bootstrap import recovering, restoring
from vault.bootstrap.restoring import Wish, restore
from vault.crypto.context import Context
from vault.crypto.envelope import encode_wraps, seal
from vault.crypto.recovery import wrap_for
from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.domain.secret import Secret
from vault.errors import Refused
from vault.ports.keys import DataKey
from vault.services.recovering import TheLog

if TYPE_CHECKING:
    from tests.services.test_recovering import Scene
    from tests.support.world import World

__all__ = ["doctored", "scene", "world"]  # fixtures, found here by their names


@pytest.mark.parametrize("table", ["version", "account"])
def test_an_account_whose_rows_are_gone_is_told_of(scene: Scene, doctored: Path, table: str) -> None:
    named = "id" if table == "account" else "account_id"
    change(doctored, f"DELETE FROM {table} WHERE {named} = '{NUMBER}'")
    done = opened(scene, doctored, accounts=None)
    assert {(each.kind, each.number, each.code) for each in done.failed if each.account_id == NUMBER} == {
        ("password", 2, "envelope.not_current"),
        ("mfa", 1, "envelope.not_current"),
    } | ({("mail", 0, "envelope.not_current")} if table == "account" else set())
    kept = [(each.values, len(each.mails)) for each in done.regained if each.account.id == NUMBER]
    assert kept == ([] if table == "account" else [((), 1)])  # its mail opens without any value beside it


def test_work_on_whatever_rows_there_are_names_no_value() -> None:
    """A re-wrap or a drill that met a planted row does not make it one of the log's."""
    log = TheLog()
    secret = {"kind": "password", "version": 9, "ciphertext_sha256": "00" * 32}
    for name in (EventType.KEYS_REWRAPPED, EventType.DRILL_OPENED, EventType.CREDENTIAL_RECOVERED):
        log.take({"type": name, "outcome": "success", "account": {"id": NUMBER}, "secret": secret}, b"")
    assert log.hashes == {}
    told = {"type": EventType.SECRET_PROMOTED, "outcome": "success", "account": {"id": NUMBER}}
    log.take(told | {"secret": secret}, b"")
    assert log.hashes == {(NUMBER, "password", 9): "00" * 32}


@pytest.mark.parametrize("seq", [-1, "size", "size + 1"], ids=["before", "next", "beyond"])
def test_an_entry_that_nobody_signed_opens_nothing(scene: Scene, doctored: Path, seq: int | str) -> None:
    """An entry outside the signed tree calls a planted value current: it is not read as one of the log."""
    plant(scene, doctored, seq)
    with pytest.raises(Refused) as caught:
        opened(scene, doctored)
    assert caught.value.code == "log.unavailable"


def test_what_is_read_is_what_was_proven(
    scene: Scene, doctored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries that come in after the proof, as whoever writes to the database meanwhile can make them."""
    proven = recovering._examined

    def later(url: str, *others: Any) -> object:
        found = proven(url, *others)
        plant(scene, Path(url.partition(":///")[2]), "size")
        return found

    monkeypatch.setattr(recovering, "_examined", later)
    with pytest.raises(Refused) as caught:
        opened(scene, doctored)
    assert caught.value.code == "log.unavailable"


def plant(scene: Scene, backup: Path, seq: int | str) -> None:
    """Seal a value for the public recipient as the next version, and put an entry there that calls it current."""
    with scene.world.vault.units.read() as unit:
        place = Context(unit.vault_id, NUMBER, PartKind.PASSWORD, 3)
    key = Secret(b"k" * 32)
    wraps = (wrap_for(MADE.recipient, key, place.pairs()),)
    sealed = seal(Secret("Type-Me-At-The-Wrong-Place"), place, DataKey(key, wraps, ()))
    told = entries(scene.world, type=EventType.SECRET_PROMOTED)[-1]
    told = {name: value for name, value in told.items() if name != "seq"}
    told["account"] = {"id": NUMBER}
    told["secret"] = {"kind": "password", "version": 3, "ciphertext_sha256": sealed.body_sha256.hex()}
    with closing(sqlite3.connect(backup)) as stolen, stolen:
        for kind, name in stolen.execute(
            "SELECT type, name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            stolen.execute(f"DROP {kind} {name}")
        columns = [row[1] for row in stolen.execute("PRAGMA table_info(version)")]
        values = {"number": "3", "body": "?", "wraps": "?", "sha256": "?", "label": "'staged'"}
        chosen = ", ".join(values.get(name, name) for name in columns)
        stolen.execute(
            f"INSERT INTO version ({', '.join(columns)}) SELECT {chosen} FROM version"
            f" WHERE account_id = '{NUMBER}' AND kind = 'password' AND number = 2",
            (sealed.body, encode_wraps(sealed.wraps), sealed.body_sha256.hex()),
        )
        stolen.execute("PRAGMA writable_schema = ON")
        stolen.execute("UPDATE sqlite_master SET sql = replace(sql, 'CHECK (', 'CHECK (1 OR ')")
        stolen.commit()
    with closing(sqlite3.connect(backup)) as stolen, stolen:
        stolen.execute(
            f"INSERT INTO audit_entry (seq, leaf, nodes) SELECT {seq}, ?, zeroblob(32) FROM audit_head",
            (json.dumps(told).encode(),),
        )


# --- the ceremony after a restore


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_restore_takes_over_nothing_of_an_entry_that_nobody_signed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Whoever has the backup puts an entry beyond its signed head, or there as soon as the log was examined."""
    settle(world, MADE.recipient)
    directory = tmp_path / "vault"
    directory.chmod(0o700)
    backup = tmp_path / "backup.db"
    copy_database(settings_of(world, directory).database_url, backup)
    examined = restoring._examined

    def later(made: Any, url: str, progress: Any) -> object:
        found = examined(made, url, progress)
        name_beyond(Path(url.partition(":///")[2]), OTHER.recipient)
        return found

    if when == "before":
        name_beyond(backup, OTHER.recipient)
    else:
        monkeypatch.setattr(restoring, "_examined", later)
    wish = Wish(why="the disk broke", by=("Ada", "Bob"), backup=backup)
    with pytest.raises(Refused) as refused:
        restore(settings_of(world, directory), wish, lambda _done, _all: None, world.clock)
    assert refused.value.code == "log.unavailable"


def name_beyond(database: Path, recipient: str) -> None:
    """Put an entry beyond the signed head, with a gap before it, that tells of a recipient."""
    of = {"entity": "recovery_recipient.of", "id": "9", "from": "", "to": recipient}
    since = {"entity": "recovery_recipient.effective_at", "id": "9", "from": "", "to": "2000-01-01T00:00:00Z"}
    told = {"type": EventType.RECIPIENT_KEPT, "outcome": "success", "changes": [of, since]}
    with closing(sqlite3.connect(database)) as stolen, stolen:
        for (name,) in stolen.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            stolen.execute(f"DROP TRIGGER {name}")
        (size,) = stolen.execute("SELECT size FROM audit_head").fetchone()
        planted = (size + 2 - size % 2, json.dumps(told).encode(), bytes(32))
        stolen.execute("INSERT INTO audit_entry (seq, leaf, nodes) VALUES (?, ?, ?)", planted)
