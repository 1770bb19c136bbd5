"""A restore from a backup taken before a destruction applies it again before it serves (H9, S30)."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from audit.note import read_key
from audit.progress import silent
from tests.integration.test_restore import WISH, opened, settings_for, with_steps
from tests.support.released import release
from tests.support.replay import replayed
from tests.support.world import ORIGIN, World, create_world
from vault.adapters.db.copying import copy_database
from vault.adapters.local_keys import InsecureLocalKeys
from vault.bootstrap.ground import destroyed_list, make_data_directory, open_server_key
from vault.bootstrap.restoring import restore
from vault.cli.admin.checks import Level
from vault.cli.admin.destroyed_check import check_destroyed
from vault.domain.account import Custody
from vault.domain.actor import EVERYTHING, Reach, Role, system_actor
from vault.domain.case import CaseKind, PlaceState
from vault.domain.credential import PartKind, PartState, VersionLabel
from vault.domain.destruction import EMPTIED, Ground
from vault.domain.freeze import FreezeKind
from vault.errors import Refused, VaultError
from vault.ports.cases import CaseFilter
from vault.ports.store import EntryFilter, Slice
from vault.services.case_opening import Opening
from vault.services.certificates import Certificates
from vault.services.destruction import Destruction, Order
from vault.services.replay import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.support.postgres import PostgresServer
    from vault.settings import Settings

GONE, HELD = "111122223333", "111122224444"
ORDER = Order(Ground.ACKNOWLEDGED, "the customer holds it")


@dataclass(slots=True)
class Before:
    """A vault whose database is that of a backup again, in which nothing is destroyed yet."""

    settings: Settings
    world: World


def lived(settings: Settings) -> World:
    """Make a vault that holds two accounts, one of them in a handover that nobody began."""
    directory = settings.data_directory
    make_data_directory(settings)
    world = create_world(
        settings.database_url,
        directory,
        InsecureLocalKeys(directory / "local-keys.json"),
        read_key(directory / "log.key", ORIGIN),
        open_server_key(settings),
    )
    world.held(GONE)
    world.held(HELD, "Another-Horse-7-Battery")
    with world.vault.units.read() as unit:
        account = unit.accounts.get(GONE)
    assert account is not None
    opening = Opening(CaseKind.HANDOVER, account.customer_id, (GONE,), "T-1")
    world.vault.cases.opening.open(world.human("chris", Role.CSM).actor, opening)
    return world


def destroy(world: World, settings: Settings) -> None:
    """Destroy one of them, as the service does."""
    release(world, GONE)
    by = Destruction(outside=destroyed_list(settings))
    with world.vault.units.write() as unit:
        by.destroy(unit, system_actor("test"), GONE, ORDER, world.clock.now())
        unit.commit()


@pytest.fixture(params=["sqlite", "postgresql"])
def before(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Before]:
    """Lend one on each kind of database."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    if request.param == "sqlite":
        settings = settings_for(directory, f"sqlite+pysqlite:///{directory / 'vault.db'}")
        world = lived(settings)
        copy_database(settings.database_url, tmp_path / "backup.db")
        destroy(world, settings)
        world.close()
        for name in ("vault.db-wal", "vault.db-shm"):
            (directory / name).unlink(missing_ok=True)
        shutil.copyfile(tmp_path / "backup.db", directory / "vault.db")
        yield Before(settings, world)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        settings = settings_for(directory, url)
        world = lived(settings)
        engine: Engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units
        engine.dispose()
        copy = server.create_database(url.partition("@/")[2].partition("?")[0])
        destroy(world, settings)
        world.close()
        yield Before(settings_for(directory, server.url(copy)), world)
        server.drop_database(copy)


def test_what_was_destroyed_after_the_backup_is_destroyed_before_it_serves(before: Before) -> None:
    steps = restore(before.settings, WISH, silent, before.world.clock)
    assert steps.restored is not None
    assert (steps.restored.destroyed, steps.restored.versions, steps.restored.is_list_known) == (1, 2, True)
    with closing(opened(with_steps(before.settings, steps), before.world.clock)) as world:
        with world.vault.units.read() as unit:
            account = unit.accounts.get(GONE)
            assert account is not None
            assert account.custody is Custody.RELEASED
            assert {part.state for part in unit.accounts.parts(GONE)} == {PartState.DESTROYED}
            gone = [each for kind in PartKind for each in unit.versions.of(GONE, kind)]
            assert {(each.label, each.body, each.wraps) for each in gone} == {
                (VersionLabel.DESTROYED, EMPTIED, EMPTIED)
            }
            assert unit.log.promotion(GONE, PartKind.PASSWORD) is None
            assert unit.freezes.open() == ()
            over = unit.cases.open_of((GONE,))
            assert over == {}
            (case,) = unit.cases.page(EVERYTHING, CaseFilter(account_id=GONE), Slice(9)).items
            place = unit.cases.scene(case).place(GONE)
            assert (case.state, place and place.state) == ("released", PlaceState.DONE)
            told = unit.log.page(EntryFilter(type="secret.promoted"), Reach(everything=True), Slice(9)).items
            assert {each.content["account"]["id"] for each in told} == {HELD}  # type: ignore[index]  # an object
        alice = world.human("alice", Role.OPERATOR)
        with pytest.raises(VaultError):
            world.lease(alice, GONE)
        lease = world.lease(alice, HELD, "CRED_ROTATE")
        shown = world.vault.reveals.password(alice.actor, lease.id)
        assert shown.value.expose() == "Another-Horse-7-Battery"
        found = Certificates(world.vault.units, world.vault.gate, world.clock).get(alice.actor, GONE)
        assert found.is_again
        assert len(found.destroyed.listed) == 2
        wrong = [each for each in lines_of(replayed(world.vault.units.engine)) if "alice" not in each]  # type: ignore[attr-defined]  # the SQL units
        assert not [each for each in wrong if GONE in each], wrong


def test_without_the_list_it_does_not_restore_or_freezes_everything(before: Before) -> None:
    path = before.settings.file(before.settings.backup.destroyed_file)
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(Refused) as refused:
        restore(before.settings, WISH, silent, before.world.clock)
    assert refused.value.code == "destruction.list"
    steps = restore(before.settings, replace(WISH, without_list=True), silent, before.world.clock)
    assert steps.restored is not None
    assert not steps.restored.is_list_known
    with closing(opened(with_steps(before.settings, steps), before.world.clock)) as world:
        with world.vault.units.read() as unit:
            (freeze,) = unit.freezes.open()
        assert freeze.kind is FreezeKind.VAULT
        alice = world.human("alice", Role.OPERATOR)
        with pytest.raises(VaultError) as stopped:
            world.vault.reveals.password(alice.actor, world.lease(alice, GONE, "CRED_ROTATE").id)
        assert stopped.value.code == "frozen"


def test_a_copy_of_the_list_from_elsewhere_does(before: Before, tmp_path: Path) -> None:
    path = before.settings.file(before.settings.backup.destroyed_file)
    path.rename(tmp_path / "copy")
    steps = restore(before.settings, replace(WISH, destroyed=tmp_path / "copy"), silent, before.world.clock)
    assert steps.restored is not None
    assert steps.restored.destroyed == 1
    assert path.read_bytes() == (tmp_path / "copy").read_bytes()


def test_a_list_that_was_changed_stops_it(before: Before) -> None:
    path = before.settings.file(before.settings.backup.destroyed_file)
    path.write_bytes(path.read_bytes().replace(GONE.encode(), HELD.encode()))
    with pytest.raises(Refused) as refused:
        restore(before.settings, WISH, silent, before.world.clock)
    assert refused.value.code == "destruction.list"


def test_doctor_says_whether_list_and_database_agree(before: Before) -> None:
    (older,) = check_destroyed(before.settings)
    assert older.level is Level.FAIL
    assert GONE in older.words
    steps = restore(before.settings, WISH, silent, before.world.clock)
    settings = with_steps(before.settings, steps)
    assert [each.level for each in check_destroyed(settings)] == [Level.OK]
    settings.file(settings.backup.destroyed_file).unlink()
    assert [each.level for each in check_destroyed(settings)] == [Level.WARN]
