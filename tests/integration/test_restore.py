"""A restored vault goes on under a new log, and nothing that was alive in the backup lives again (S7)."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from audit.__main__ import main as audit_main
from audit.mark import MarkFile
from audit.note import read_key
from audit.progress import silent
from tests.support.people import came, move_in
from tests.support.replay import replayed
from tests.support.whole import FIRST, SECOND, Whole, tell
from tests.support.world import ORIGIN, HandClock, World, create_world, hasher
from vault.adapters.db import SqlUnits, engine_for
from vault.adapters.db.copying import copy_database
from vault.adapters.db.privileges import grants
from vault.adapters.local_keys import InsecureLocalKeys
from vault.bootstrap.compose import Ground, compose
from vault.bootstrap.ground import make_data_directory, open_server_key, read_policy_file
from vault.bootstrap.open import check_log, units_for
from vault.bootstrap.restoring import Steps, Wish, next_origin, restore
from vault.domain.actor import Reach
from vault.domain.credential import Due, PartKind
from vault.domain.outlet import OutletReceipt, Published
from vault.domain.policy_document import read_policy
from vault.errors import Conflict, Refused, Unauthenticated
from vault.ports.store import EntryFilter, RevealState, Slice
from vault.services.asking import Ask
from vault.services.replay import lines_of
from vault.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from tests.support.postgres import PostgresServer

WISH = Wish(why="the disk of the database broke", by=("Ada Lovelace", "Bob Noyce"))


@dataclass(slots=True)
class Kept:
    """A vault with its settings, a backup of it, and what was alive when the backup was taken."""

    settings: Settings
    world: World
    whole: Whole
    receipt: str
    leaf: bytes
    later: int
    """How large the log was when the backup had long been taken."""


def settings_for(directory: Path, url: str) -> Settings:
    """Make settings of a vault whose data lies in a directory."""
    environment = {
        "ROOTVAULT_ENVIRONMENT": "demo",
        "ROOTVAULT_KEYS_SERVICE": "local",
        "ROOTVAULT_DATA_DIRECTORY": str(directory),
        "ROOTVAULT_LOG_ORIGIN": ORIGIN,
        "ROOTVAULT_DATABASE_URL": url,
    }
    return load_settings(environment=environment)


def with_steps(settings: Settings, steps: Steps) -> Settings:
    """Set what the ceremony says is to be set."""
    told = {name.partition(".")[2]: value for name, value in steps.settings}
    return replace(settings, log=replace(settings.log, **told))  # type: ignore[arg-type]  # all of them texts


def opened(settings: Settings, clock: HandClock) -> World:
    """Open the vault of these settings."""
    policy = read_policy(read_policy_file(settings))
    signer = read_key(settings.file(settings.log.key_file), settings.log.origin)
    units = units_for(settings, signer, lambda: policy.digest)
    try:
        check_log(units)
    except BaseException:
        units.engine.dispose()
        raise
    keys = InsecureLocalKeys(settings.file(settings.keys.local_file))
    ground = Ground(
        settings,
        policy,
        clock,
        units,
        keys,
        open_server_key(settings),
        settings.log.origin,
        signer.vkey,
        hasher(),
        units.engine.dispose,
    )
    return World(compose(ground), clock)


def tell_and_keep(settings: Settings, keep: Callable[[Engine], None]) -> Kept:
    """Tell the whole story, keep a backup, and let more happen after it."""
    directory = settings.data_directory
    make_data_directory(settings)
    signer = read_key(directory / "log.key", ORIGIN)
    keys = InsecureLocalKeys(directory / "local-keys.json")
    world = create_world(settings.database_url, directory, keys, signer, open_server_key(settings))
    whole = tell(world)
    vault = whole.house.vault
    with vault.units.read() as unit:
        index = unit.ranges.size() - 1
        receipt, entry = unit.log.proof(index), unit.log.entry(index)
    assert receipt is not None
    assert entry is not None
    # a place outside has seen the log
    with vault.units.write() as unit:
        note = unit.log.checkpoint()
        unit.published.add(Published(index + 1, note, world.clock.now()))
        unit.outlets.put(replace(unit.outlets.claim("file/anchor"), position=index + 1))
        unit.outlets.add_receipt(OutletReceipt("file/anchor", index + 1, "kept", world.clock.now()))
        unit.commit()
    # an authorisation without outcome, as a program leaves that dies in between
    with vault.units.write() as unit:
        version = unit.versions.current(SECOND, PartKind.MFA)
        lease = unit.checkouts.get(whole.lease.id)
        assert version is not None
        assert lease is not None
        vault.reveals.authorize(unit, whole.acting, lease, version, "display", world.clock.now())  # type: ignore[arg-type]  # a word of the enumeration
        unit.commit()
    keep(vault.units.engine)  # type: ignore[attr-defined]  # the SQL units
    vault.checkouts.check_in(whole.acting, whole.lease.id)
    with vault.units.read() as unit:
        later = unit.ranges.size()
    return Kept(settings, world, whole, receipt, entry.leaf, later)


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """Lend a vault whose database is that of its backup again, on each kind of database."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    if request.param == "sqlite":
        settings = settings_for(directory, f"sqlite+pysqlite:///{directory / 'vault.db'}")
        copy = tmp_path / "backup.db"

        def keep(_: Engine) -> None:
            copy_database(settings.database_url, copy)

        found = tell_and_keep(settings, keep)
        found.world.close()
        for name in ("vault.db", "vault.db-wal", "vault.db-shm"):
            (directory / name).unlink(missing_ok=True)
        shutil.copyfile(copy, directory / "vault.db")
        yield found
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    names: list[str] = []
    with server.database() as url:
        settings = settings_for(directory, url)

        def keep_copy(engine: Engine) -> None:
            engine.dispose()
            names.append(server.create_database(url.partition("@/")[2].partition("?")[0]))

        found = tell_and_keep(settings, keep_copy)
        found.world.close()
        yield replace(found, settings=settings_for(directory, server.url(names[0])))
        server.drop_database(names[0])


def newest(world: World, kind: str) -> list[dict[str, Any]]:
    """Give the entries of a type, newest first."""
    with world.vault.units.read() as unit:
        found = unit.log.page(EntryFilter(type=kind), Reach(everything=True), Slice(200)).items
    return [dict(entry.content) for entry in found]


def test_a_restored_database_is_refused_until_the_ceremony(kept: Kept) -> None:
    with pytest.raises(Refused) as caught:
        opened(kept.settings, kept.world.clock)
    assert caught.value.code == "log.rolled_back"


def test_after_the_ceremony_reveals_work_and_nothing_lives_again(kept: Kept) -> None:
    clock, whole = kept.world.clock, kept.whole
    steps = restore(kept.settings, WISH, silent, clock)
    assert steps.restored is not None
    settings = with_steps(kept.settings, steps)
    with closing(opened(settings, clock)) as world:
        house = move_in(world)
        vault = house.vault
        # nothing of what was alive
        assert vault.tokens.resolve(whole.token.text) is None
        assert vault.tokens.resolve(whole.machine.text) is None
        assert vault.signin.resolve(whole.session.token) is None
        with pytest.raises(Unauthenticated):
            vault.enrolment.begin(whole.waiting.link, came())
        with vault.units.read() as unit:
            assert unit.checkouts.open_of_many((FIRST, SECOND)) == {}
            assert unit.reveals.unfinished(clock.now(), 10) == ()
            states = {reveal.state for reveal in unit.reveals.of_checkout(whole.lease.id)}
            shown = unit.rotations.get(whole.shown.id)
        assert RevealState.UNKNOWN in states
        assert shown is not None
        assert shown.state == "unknown"
        with pytest.raises(Conflict):
            vault.reveals.password(whole.acting, whole.lease.id)
        # what is held opens, and is unchecked
        clock.advance(minutes=5)
        acting = house.actor(whole.operator)
        view = vault.accounts.get(acting, FIRST)
        assert all(Due.UNCHECKED in part.due for part in view.parts)
        asked = vault.asking.ask(acting, Ask(FIRST, "CRED_ROTATE", "T-3", "to see what works now"))
        lease = vault.checkouts.step_up(acting, asked.id, whole.operator.code())[0]
        assert vault.reveals.password(acting, lease.id).value.expose() == whole.password
        # a new version is not unchecked any more
        planned = vault.rotations.plan(acting, lease.id, PartKind.PASSWORD)
        vault.rotations.display(acting, planned.id)
        vault.attestations.attest(acting, planned.id, "accepted")  # type: ignore[arg-type]  # a word of the enumeration
        (password,) = (
            part for part in vault.accounts.get(acting, FIRST).parts if part.part.kind == "password"
        )
        assert Due.UNCHECKED not in password.due
        # both logs lead to what is kept
        outcome = replayed(vault.units.engine)  # type: ignore[attr-defined]  # the SQL units
        assert list(lines_of(outcome)) == []


def test_the_new_log_begins_with_where_the_old_one_ended(kept: Kept) -> None:
    mark = MarkFile(kept.settings.file("log.mark")).read()
    steps = restore(kept.settings, WISH, silent, kept.world.clock)
    settings = with_steps(kept.settings, steps)
    with closing(opened(settings, kept.world.clock)) as world:
        with world.vault.units.read() as unit:
            first = unit.log.entry(0)
            (aside,) = unit.census.put_aside()
            # places outside begin anew: what they confirmed was another log
            assert unit.published.latest() is None
            assert unit.outlets.all() == ()
        assert first is not None
        detail = first.content["detail"]
        assert isinstance(detail, dict)
        assert first.content["type"] == "log.opened"
        assert detail["origin"] == steps.origin == f"{ORIGIN}/2"
        assert detail["previous_checkpoint"] == aside.note
        assert detail["previous_size"] == aside.size < detail["marked_size"] == kept.later
        assert detail["marked_checkpoint"] == mark
        assert detail["why"] == WISH.why
        name = first.content["actor"]["name"]  # type: ignore[index]  # an object
        assert name == "restore by Ada Lovelace and Bob Noyce, as named on the host"
        (closing_entry,) = (each for each in newest(world, "vault.restored") if each["detail"]["complete"])
        assert steps.restored is not None
        for name in ("versions", "checkouts", "reveals", "tokens", "sessions", "links"):
            assert closing_entry["detail"][name] == getattr(steps.restored, name) > 0
        promotions = newest(world, "secret.promoted")
        assert {each["account"]["seq"] for each in promotions if each["account"]["id"] == FIRST} <= {
            0,
            1,
            2,
            3,
        }
        assert all(each["detail"] == {"restored": True} for each in promotions)
        assert len(promotions) == steps.restored.versions == 4


def test_old_receipts_verify_by_the_old_bundle_and_key(kept: Kept, tmp_path: Path) -> None:
    steps = restore(kept.settings, WISH, silent, kept.world.clock)
    (tmp_path / "receipt").write_text(kept.receipt)
    (tmp_path / "leaf").write_bytes(kept.leaf)
    key = ["--key", steps.previous_vkey]
    assert audit_main(["verify", str(steps.bundle), *key]) == 0
    command = ["receipt", str(tmp_path / "receipt"), "--leaf", str(tmp_path / "leaf"), *key]
    assert audit_main(command) == 0
    assert (
        audit_main(
            ["receipt", str(tmp_path / "receipt"), "--leaf", str(tmp_path / "leaf"), "--key", steps.vkey]
        )
        != 0
    )
    with closing(opened(with_steps(kept.settings, steps), kept.world.clock)) as world:
        engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units
        with engine.begin() as connection, pytest.raises(Exception, match="nothing is changed or removed"):
            connection.execute(text("UPDATE audit_entry_1 SET seq = seq + 1000"))


def test_a_ceremony_that_is_cut_off_leaves_all_as_it_was(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _everything(kept.settings)
    monkeypatch.setattr("vault.services.restoring._promote", _die)
    with pytest.raises(KeyboardInterrupt):
        restore(kept.settings, WISH, silent, kept.world.clock)
    monkeypatch.undo()
    assert _everything(kept.settings) == before
    with pytest.raises(Refused):
        opened(kept.settings, kept.world.clock)
    steps = restore(kept.settings, WISH, silent, kept.world.clock)
    opened(with_steps(kept.settings, steps), kept.world.clock).close()


def test_one_that_is_cut_off_after_its_transaction_is_finished_by_the_same_words(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqlUnits, "advance", lambda *_: _die())
    origin = next_origin(kept.settings)
    with pytest.raises(KeyboardInterrupt):
        restore(kept.settings, WISH, silent, kept.world.clock)
    monkeypatch.undo()
    steps = restore(kept.settings, replace(WISH, origin=origin), silent, kept.world.clock)
    assert steps.restored is None
    opened(with_steps(kept.settings, steps), kept.world.clock).close()
    with pytest.raises(Refused):
        opened(kept.settings, kept.world.clock)


def test_a_second_restore_keeps_both_logs(kept: Kept) -> None:
    clock = kept.world.clock
    first = restore(kept.settings, WISH, silent, clock)
    settings = with_steps(kept.settings, first)
    second = restore(settings, WISH, silent, clock)
    assert second.origin == f"{ORIGIN}/3"
    with closing(opened(with_steps(settings, second), clock)) as world:
        with world.vault.units.read() as unit:
            assert [each.number for each in unit.census.put_aside()] == [1, 2]
        assert list(lines_of(replayed(world.vault.units.engine))) == []  # type: ignore[attr-defined]  # the SQL units


def test_the_service_s_role_goes_on_and_nobody_touches_what_was_put_aside(kept: Kept) -> None:
    engine = engine_for(kept.settings.database_url)
    is_sqlite = engine.dialect.name == "sqlite"
    if not is_sqlite:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP ROLE IF EXISTS restored_service")
            connection.exec_driver_sql("CREATE ROLE restored_service")
            for statement in grants("restored_service"):
                connection.exec_driver_sql(statement)
    engine.dispose()
    restore(kept.settings, WISH, silent, kept.world.clock)
    allowed = "SELECT has_column_privilege('restored_service', 'audit_entry', 'leaf', 'INSERT'),"
    allowed += " has_table_privilege('restored_service', 'audit_entry_1', 'SELECT'),"
    allowed += " has_table_privilege('restored_service', 'audit_entry_1', 'INSERT')"
    with engine.connect() as connection:
        if not is_sqlite:
            assert tuple(connection.execute(text(allowed)).one()) == (True, True, False)
            connection.rollback()
        for statement in (
            "INSERT INTO audit_entry_1 SELECT seq + 1000, leaf, nodes, inserted_at FROM audit_entry_1",
            "DELETE FROM audit_entry_1",
            "UPDATE audit_head_1 SET size = 0",
            "DELETE FROM audit_head_1",
            *(() if is_sqlite else ("TRUNCATE audit_head_1",)),
        ):
            with connection.begin(), pytest.raises(Exception, match="nothing is changed or removed"):
                connection.execute(text(statement))
    if not is_sqlite:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY restored_service")
            connection.exec_driver_sql("DROP ROLE restored_service")
    engine.dispose()


@pytest.mark.parametrize("by", [("Ada",), ("Ada", " ada "), ("Ada", ""), ("Ada", "B\x1bob")])
def test_two_people_answer_for_it(by: tuple[str, ...], tmp_path: Path) -> None:
    settings = settings_for(tmp_path, f"sqlite+pysqlite:///{tmp_path / 'vault.db'}")
    with pytest.raises(Refused, match="two different people"):
        restore(settings, replace(WISH, by=by), silent)


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def _everything(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Read all tables."""
    engine = engine_for(settings.database_url)
    with engine.connect() as connection:
        listed = (
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger', 'index') ORDER BY 1"
            if engine.dialect.name == "sqlite"
            else "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        names = list(connection.execute(text(listed)).scalars())
        found = {
            name: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {name}")).all()), key=str)  # noqa: S608 - our own names
            for name in ("audit_entry", "audit_head", "checkout", "api_token", "person", "version")
        }
    engine.dispose()
    return {**found, "names": [(name,) for name in names]}
