"""`rootvault recover`: three shares open a backup with nothing else; two, wrong ones and doctored ones do not (S6)."""

# ruff: noqa: S608 - the statements are an attacker's, of texts of our own
from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pyrage
import pytest
from click.testing import CliRunner

from audit.note import Signer
from tests.services.test_recipients import MADE, OTHER, settle
from tests.support.console import AwsConsole
from tests.support.desk import NUMBER, PASSWORD, SEED, Desk
from tests.support.events import entries
from tests.support.mailbox import CODE, RESET, came, code, reset, with_mailbox
from tests.support.prepared import copy_files, reopen
from tests.support.replay import check_replay
from vault.adapters.db.copying import copy_database
from vault.bootstrap import recovering
from vault.bootstrap.recovering import Wish
from vault.cli.admin import recover as command
from vault.cli.exits import Failure
from vault.crypto.context import Context
from vault.crypto.envelope import encode_wraps, seal
from vault.crypto.recovery import wrap_for
from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.domain.secret import Secret
from vault.errors import NotFound, Refused, Tampered
from vault.ports.keys import DataKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World
    from vault.bootstrap.recovering import Recovered
    from vault.services.recovering import Value

SECOND: Final = "444455556666"
WORDS: Final = ("--why", "both keys are gone", "--by", "Ada Lovelace", "--and", "Bob Noyce")


@dataclass(frozen=True, slots=True)
class Scene:
    """A vault with a recipient, a rotated account and one that was there before the recipient; and a backup of it."""

    world: World
    backup: Path
    password: str
    note: str


@pytest.fixture(scope="module")
def scene(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Make it once; nobody changes it."""
    directory = tmp_path_factory.mktemp("recover") / "vault"
    copy_files(prepared_sqlite, directory)
    world = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    yield prepare(world, directory)
    world.close()


def prepare(world: World, directory: Path) -> Scene:
    """Let a second account be held before there is a recipient; then hold and rotate the first one."""
    world.held(SECOND)
    settle(world, MADE.recipient)
    desk = Desk(world, AwsConsole(directory / "aws.json")).held()
    lease = desk.lease(desk.alice)
    desk.rotate(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    house = with_mailbox(world)
    came(house, reset())
    came(house, code(), "nobody@msp.example")
    backup = directory / "backup.db"
    engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units, as in every real world
    url = engine.url.render_as_string(hide_password=False)
    if url.startswith("sqlite"):
        copy_database(url, backup)
    with world.vault.units.read() as unit:
        note = unit.log.checkpoint()
    assert desk.console.password is not None
    return Scene(world, backup, desk.console.password, note)


@pytest.fixture
def doctored(scene: Scene, tmp_path: Path) -> Path:
    """Lend a copy of the backup, to be changed by who stole it."""
    return shutil.copyfile(scene.backup, tmp_path / "doctored.db")


def change(backup: Path, *statements: str) -> None:
    """Change a backup, its guards off."""
    with closing(sqlite3.connect(backup)) as opened, opened:
        for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            opened.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert opened.execute(statement).rowcount > 0


def wish(scene: Scene, source: object, *accounts: str, **facts: Any) -> Wish:
    made = Wish(
        str(source), (scene.world.vault.vkey,), accounts or (NUMBER,), "both keys are gone", ("Ada", "Bob")
    )
    return replace(made, **facts)


def opened(scene: Scene, source: object = "", *accounts: str, **facts: Any) -> Recovered:
    asked = wish(scene, source or scene.backup, *accounts, **facts)
    return recovering.recover(asked, MADE.shares[2:], scene.world.clock, lambda _done, _all: None)


def values(done: Recovered) -> dict[tuple[str, int], Value]:
    return {(value.kind.value, value.number): value for each in done.regained for value in each.values}


def test_three_shares_open_what_aws_has_and_what_it_had(scene: Scene) -> None:
    done = opened(scene)
    found = values(done)
    assert found["password", 2].plaintext.expose() == scene.password
    assert found["password", 2].standing == "current"
    assert (found["password", 1].plaintext.expose(), found["password", 1].standing) == (PASSWORD, "previous")
    assert found["mfa", 1].plaintext.expose() == SEED
    assert next(iter(found)) == ("password", 2)  # the current one first
    assert done.failed == ()
    assert scene.backup.read_bytes()[:15] == b"SQLite format 3"


def test_the_receipt_names_what_was_opened_and_holds_no_secret(scene: Scene) -> None:
    done = opened(scene)
    receipt = json.loads(done.receipt)
    assert len(receipt["opened"]) == 3
    assert receipt["recipient"] == MADE.recipient
    for secret in (
        scene.password,
        PASSWORD,
        SEED,
        *(word for share in MADE.shares for word in [share.expose()]),
    ):
        assert secret not in done.receipt


def test_sealed_mail_opens_too_where_the_log_names_it(scene: Scene, doctored: Path, tmp_path: Path) -> None:
    done = opened(scene)
    (mail,) = done.mails
    assert (mail.mail.account_id, mail.mail.rule) == (NUMBER, "password_reset")
    assert RESET in mail.plaintext.expose()
    assert [each["mail"] for each in json.loads(done.receipt)["mails"]] == [mail.mail.id]
    assert "Zx81" not in done.receipt
    shown = run(scene, tmp_path, "--all", "--show")
    assert "2 sealed mails" in shown.output
    assert RESET in shown.output
    assert CODE in shown.output.partition("to no account")[2]
    # another content in its place, or the same for another account: the log names neither
    here = f"WHERE id = '{mail.mail.id}'"
    change(doctored, f"UPDATE mail SET account_id = '{SECOND}' {here}")
    moved = opened(scene, doctored, SECOND)
    assert [each.code for each in moved.failed if each.mail] == ["envelope.not_current"]
    theirs = "(SELECT o.{} FROM mail o WHERE o.account_id IS NULL)"
    columns = ", ".join(f"{name} = {theirs.format(name)}" for name in ("body", "wraps", "sha256"))
    change(doctored, f"UPDATE mail SET account_id = '{NUMBER}', {columns} {here}")
    swapped = opened(scene, doctored)
    assert swapped.mails == ()
    assert [(each.mail, each.code) for each in swapped.failed] == [(mail.mail.id, "envelope.not_current")]


def test_two_shares_and_those_of_another_open_nothing(scene: Scene) -> None:
    def attempt(shares: tuple[Secret[str], ...]) -> str:
        with pytest.raises(Refused) as caught:
            recovering.recover(wish(scene, scene.backup), shares, scene.world.clock, lambda _done, _all: None)
        return caught.value.code

    assert attempt(MADE.shares[:2]) == "recovery.shares"
    assert attempt((*MADE.shares[:2], OTHER.shares[2])) == "recovery.shares"
    assert attempt(OTHER.shares[:3]) == "recovery.not_wrapped"


def test_what_was_sealed_before_there_was_a_recipient_is_told_of(scene: Scene) -> None:
    done = opened(scene, "", NUMBER, SECOND)
    assert {(each.account_id, each.code) for each in done.failed} == {(SECOND, "recovery.not_wrapped")}
    assert values(done)["password", 2].plaintext.expose() == scene.password
    with pytest.raises(NotFound):
        opened(scene, "", "999999999999")


def test_an_older_version_put_back_is_not_taken_for_the_current_one(scene: Scene, doctored: Path) -> None:
    at = f"account_id = '{NUMBER}' AND kind = 'password' AND number"
    change(
        doctored,
        f"UPDATE version SET label = 'retired' WHERE {at} = 2",
        f"UPDATE version SET label = 'current' WHERE {at} = 1",
    )
    found = values(opened(scene, doctored))
    assert (found["password", 2].standing, found["password", 1].standing) == ("current", "previous")
    change(doctored, f"DELETE FROM version WHERE {at} = 2")
    done = opened(scene, doctored)
    assert values(done)["password", 1].standing == "previous"
    assert [(each.number, each.code) for each in done.failed] == [(2, "envelope.not_current")]


def test_the_old_body_in_the_place_of_the_new_one_is_not_opened(scene: Scene, doctored: Path) -> None:
    old = f"FROM version o WHERE o.account_id = '{NUMBER}' AND o.kind = 'password' AND o.number = 1"
    here = f"account_id = '{NUMBER}' AND kind = 'password' AND number = 2"
    columns = ", ".join(f"{name} = (SELECT o.{name} {old})" for name in ("body", "wraps", "sha256"))
    change(doctored, f"UPDATE version SET {columns} WHERE {here}")
    done = opened(scene, doctored)
    assert ("password", 2) not in values(done)
    assert [(each.number, each.code) for each in done.failed] == [(2, "envelope.not_current")]


def test_a_value_sealed_by_another_for_the_public_recipient_is_not_opened(
    scene: Scene, doctored: Path
) -> None:
    with scene.world.vault.units.read() as unit:
        place = Context(unit.vault_id, NUMBER, PartKind.PASSWORD, 2)
    key = Secret(b"k" * 32)
    planted = seal(
        Secret("Type-Me-At-The-Wrong-Place"),
        place,
        DataKey(key, (wrap_for(MADE.recipient, key, place.pairs()),), ()),
    )
    facts = (planted.body, encode_wraps(planted.wraps), planted.body_sha256.hex())
    change(doctored, f"UPDATE version SET label = 'failed' WHERE account_id = '{NUMBER}' AND number = 1")
    with closing(sqlite3.connect(doctored)) as stolen, stolen:
        here = f"account_id = '{NUMBER}' AND kind = 'password' AND number = 2"
        stolen.execute(f"UPDATE version SET body = ?, wraps = ?, sha256 = ? WHERE {here}", facts)
    done = opened(scene, doctored)
    assert "Type-Me" not in " ".join(each.plaintext.expose() for each in values(done).values())
    assert {(each.kind, each.number, each.code) for each in done.failed} == {
        ("password", 2, "envelope.not_current")
    }
    # with the hash that the log names beside it, the body is still another one's
    with closing(sqlite3.connect(doctored)) as stolen, stolen:
        sound = next(each for each in values(opened(scene)).values() if each.number == 2).sha256
        stolen.execute(f"UPDATE version SET sha256 = ? WHERE {here}", (sound,))
    assert ("password", 2) not in values(opened(scene, doctored))


def test_a_wrap_moved_to_another_place_does_not_open(scene: Scene, doctored: Path) -> None:
    seed = f"SELECT wraps FROM version WHERE account_id = '{NUMBER}' AND kind = 'mfa'"
    change(doctored, f"UPDATE version SET wraps = ({seed}) WHERE account_id = '{NUMBER}' AND number = 2")
    done = opened(scene, doctored)
    assert [(each.number, each.code) for each in done.failed] == [(2, "envelope.tampered")]


def test_a_log_that_was_changed_or_is_anothers_opens_nothing(scene: Scene, doctored: Path) -> None:
    other = Signer.generate(scene.world.vault.origin).vkey
    with pytest.raises(Refused) as caught:
        opened(scene, "", vkeys=(other,))
    assert caught.value.code == "log.unavailable"
    seq = entries(scene.world, type=EventType.SECRET_PROMOTED)[-1]["seq"]
    change(
        doctored,
        f"UPDATE audit_entry SET leaf = CAST(replace(leaf, 'password', 'passw0rd') AS BLOB) WHERE seq = {seq}",
    )
    with pytest.raises(Refused) as caught:
        opened(scene, doctored)
    assert caught.value.code == "log.unavailable"


def test_rows_of_another_vault_are_refused(scene: Scene, doctored: Path) -> None:
    change(doctored, "UPDATE vault SET id = '6f1f4a6e-59a1-4b5c-9a55-0d6a2f5c1e11'")
    with pytest.raises(Tampered):
        opened(scene, doctored)


def test_a_backup_older_than_a_checkpoint_kept_elsewhere_is_refused(scene: Scene, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint"
    kept.write_text(scene.note, "utf-8")
    assert opened(scene, "", since=(kept,)).failed == ()
    kept.write_text(scene.note.replace(scene.note.split("\n")[1], "999999", 1), "utf-8")
    with pytest.raises(Refused) as caught:
        opened(scene, since=(kept,))
    assert caught.value.code == "log.unavailable"


def test_what_is_no_backup_is_refused_and_no_copy_is_left(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).execute("CREATE TABLE other (here)").connection.close()
    for source in (empty, tmp_path / "none.db"):
        with pytest.raises(Refused):
            opened(scene, source)
    opened(scene)
    assert list((tmp_path / "tmp").iterdir()) == []


# --- the command


def run(scene: Scene, tmp_path: Path, *arguments: str, shares: int = 3) -> Any:
    files = []
    for number, share in enumerate(MADE.shares[:shares], 1):
        file = tmp_path / f"share-{number}.txt"
        file.write_text(f"# share {number}\n{share.expose()}\n", "utf-8")
        files += ["--share", str(file)]
    receipt = ("--receipt", str(tmp_path / "receipt.json"))
    given = [str(scene.backup), *files, "--vkey", scene.world.vault.vkey, *WORDS, *receipt, *arguments]
    return CliRunner().invoke(command.recover, given)


def test_values_go_encrypted_to_who_is_named(scene: Scene, tmp_path: Path) -> None:
    reader = pyrage.x25519.Identity.generate()
    out = tmp_path / "values.age"
    done = run(scene, tmp_path, "--account", NUMBER, "--to", str(reader.to_public()), "--out", str(out))
    assert done.exit_code == 0, done.output
    assert scene.password not in done.output
    read = json.loads(pyrage.decrypt(out.read_bytes(), [reader]))
    assert read[0]["root_email"] == f"root+{NUMBER}@msp.example"
    assert read[0]["values"][0]["value"] == scene.password
    assert (out.stat().st_mode & 0o777, (tmp_path / "receipt.json").stat().st_mode & 0o777) == (0o600, 0o600)
    again = run(scene, tmp_path, "--account", NUMBER, "--check")
    assert isinstance(again.exception, Refused)
    assert "already" in again.exception.detail


def test_values_are_shown_only_where_that_is_said(scene: Scene, tmp_path: Path) -> None:
    checked = run(scene, tmp_path, "--account", NUMBER, "--check")
    assert checked.exit_code == 0
    assert scene.password not in checked.output
    (tmp_path / "receipt.json").unlink()
    shown = run(scene, tmp_path, "--account", NUMBER, "--show")
    assert scene.password in shown.output
    assert SEED in shown.output


def test_everything_is_asked_for_in_so_many_words_and_what_fails_is_told(
    scene: Scene, tmp_path: Path
) -> None:
    done = run(scene, tmp_path, "--all", "--check", "--json")
    assert isinstance(done.exception, Failure)
    assert done.exception.exit_status == 1
    told = json.loads(done.stdout)
    assert (told["accounts"], told["opened"], len(told["failed"])) == (2, 3, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--check",),
        ("--all", "--account", NUMBER, "--check"),
        ("--all",),
        ("--all", "--show", "--check"),
        ("--all", "--to", MADE.recipient),
        ("--all", "--to", "age1nobody", "--out", "here"),
        ("--all", "--check", "--and", "ada lovelace"),
        ("--all", "--check", "--why", " "),
    ],
    ids=[
        "nothing named",
        "all and one",
        "nowhere",
        "two places",
        "no file",
        "nobody",
        "one person",
        "no reason",
    ],
)
def test_wishes_that_are_not_whole_are_refused(
    scene: Scene, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = run(scene, tmp_path, *arguments)
    assert isinstance(done.exception, Refused)
    assert not (tmp_path / "receipt.json").exists()


def test_two_shares_are_refused_in_plain_words(scene: Scene, tmp_path: Path) -> None:
    done = run(scene, tmp_path, "--all", "--check", shares=2)
    assert isinstance(done.exception, Refused)
    assert done.exception.detail == (
        "The shares do not open anything. 3 different shares are needed; here are 2."
    )


# --- the other database


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
def test_postgresql_is_read_where_a_dump_was_put_back(world: World, tmp_path: Path) -> None:
    engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units, as in every real world
    url = engine.url.render_as_string(hide_password=False)
    made = prepare(world, tmp_path)
    assert values(opened(made, url))["password", 2].plaintext.expose() == made.password
    check_replay(world)
