"""Versions of the policy: only what two administrators agreed to in the log counts, for all workers at once."""

# ruff: noqa: S608 - the statements are an attacker's, of texts of our own
from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text as sql

from tests.support.events import entries
from tests.support.policies import SHIPPED, Town, changed, settle
from tests.support.prepared import copy_files, reopen
from tests.support.replay import check_replay
from vault.adapters.db import SqlUnits
from vault.bootstrap.open import adopt_policy
from vault.domain.actor import Role
from vault.domain.event import EventType
from vault.domain.proposal import ProposalState
from vault.errors import Conflict, Forbidden, Invalid, Refused, Unavailable
from vault.ports.store import Slice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World

LESS = changed("accounts_per_hour = 10", "accounts_per_hour = 5")
MORE = changed("accounts_per_hour = 10", "accounts_per_hour = 50")
DAY = timedelta(hours=24)


@pytest.fixture
def town(prepared_sqlite: Path, tmp_path: Path) -> Iterator[Town]:
    """Lend a world with versions, in which an account was held, so that holds hold."""
    directory = tmp_path / "vault"
    copy_files(prepared_sqlite, directory)
    world = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    file = tmp_path / "policy.toml"
    file.write_text(SHIPPED, "utf-8")
    lent = settle(world, file)
    world.held()
    yield lent
    world.close()


def limit(worker: World) -> int:
    return worker.vault.policy.limits.accounts_per_hour


def tamper(worker: World, *statements: str) -> None:
    """Do what the owner of the database can do, guards and all."""
    units = worker.vault.units
    assert isinstance(units, SqlUnits)
    with units.engine.begin() as connection:
        for name in ("policy_version_fixed", "policy_version_kept"):
            connection.execute(sql(f"DROP TRIGGER IF EXISTS {name}"))
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_the_file_is_not_loaded_and_is_said_to_wait(town: Town) -> None:
    worker = town.worker()
    assert town.file is not None
    assert not worker.vault.policies.file_state().waits
    town.file.write_text(MORE, "utf-8")
    town.look(worker)
    assert limit(worker) == 10
    assert limit(town.worker()) == 10  # a start changes nothing either
    state = worker.vault.policies.file_state()
    assert (state.waits, state.fault) == (True, "")
    town.file.write_text("version = 2", "utf-8")
    assert "line 1" in worker.vault.policies.file_state().fault
    assert limit(town.worker()) == 10


def test_one_word_and_the_same_person_twice_load_nothing(town: Town) -> None:
    worker = town.worker()
    made = town.proposed(worker, LESS)
    town.look(worker)
    assert limit(worker) == 10
    ada = worker.human("ada", Role.ADMIN)
    with pytest.raises(Forbidden) as caught:
        worker.vault.proposals.confirm(ada.actor, made.id, ada.otp())
    assert caught.value.code == "policy.second_person"
    town.look(worker)
    assert limit(worker) == 10


def test_what_takes_away_counts_at_once_and_every_worker_follows_within_a_second(town: Town) -> None:
    one, two = town.worker(), town.worker()
    made = town.agreed(one, LESS)
    assert made.effective_at == made.confirmed_at
    assert (limit(one), one.vault.book.number) == (5, 2)
    two.vault.book.refresh(two.vault.units)
    assert limit(two) == 5
    three = town.worker()
    town.ticking.at += 0.5
    town.agreed(one, changed("accounts_per_hour = 10", "accounts_per_hour = 4"))
    town.ticking.at -= 1.2  # as if within the second of its last look
    three.vault.book.refresh(three.vault.units)
    assert limit(three) == 5
    town.look(three)
    assert limit(three) == 4
    check_replay(one)


def test_what_adds_power_waits_out_the_hold(town: Town) -> None:
    worker = town.worker()
    made = town.agreed(worker, MORE)
    assert made.effective_at == town.world.clock.now() + DAY or made.effective_at is not None
    assert limit(worker) == 10
    town.world.clock.at = made.effective_at - timedelta(seconds=1)
    town.look(worker)
    assert limit(worker) == 10
    town.world.clock.at = made.effective_at
    town.look(worker)
    assert limit(worker) == 50
    assert limit(town.worker()) == 50


def test_a_later_word_ends_what_still_waits_and_a_removal_is_never_undone_by_it(town: Town) -> None:
    worker = town.worker()
    held = town.agreed(worker, MORE)
    town.agreed(worker, LESS)
    assert limit(worker) == 5
    ada = worker.human("ada", Role.ADMIN)
    ended = worker.vault.proposals.get(ada.actor, held.id)
    assert ended.state(town.world.clock.now()) is ProposalState.ENDED
    town.world.clock.advance(hours=30)
    town.look(worker)
    assert limit(worker) == 5
    assert limit(town.worker()) == 5
    check_replay(worker)


def test_what_waits_can_be_withdrawn_and_what_is_in_force_cannot_be_ended(town: Town) -> None:
    worker = town.worker()
    ada, ben = worker.human("ada", Role.ADMIN), worker.human("ben", Role.ADMIN)
    held = town.agreed(worker, MORE)
    worker.vault.proposals.end(ben.actor, held.id, "on second thoughts not")
    town.world.clock.advance(hours=30)
    town.look(worker)
    assert limit(worker) == 10
    lasting = town.agreed(worker, LESS)
    with pytest.raises(Conflict) as caught:
        worker.vault.proposals.end(ada.actor, lasting.id, "back to what was before")
    assert caught.value.code == "proposal.state"
    town.look(worker)
    assert limit(worker) == 5
    check_replay(worker)


def test_only_administrators_propose_and_only_whole_and_other_texts(town: Town) -> None:
    worker = town.worker()
    oscar = worker.human("oscar", Role.OPERATOR)
    with pytest.raises(Forbidden):
        worker.vault.policies.propose(oscar.actor, LESS, "because I want to do more", oscar.otp())
    with pytest.raises(Invalid, match=r"line \d+"):
        town.proposed(worker, changed("use_seconds = 1800", "use_seconds = 0"))
    with pytest.raises(Conflict, match="in force already"):
        town.proposed(worker, SHIPPED)
    with pytest.raises(Invalid, match="at most"):
        town.proposed(worker, SHIPPED + "# " + "x" * 66_000)
    for use in (worker.vault.policies.page, lambda who, _: worker.vault.policies.version(who, "0" * 64)):
        with pytest.raises(Forbidden):
            use(oscar.actor, Slice())


FORGED = hashlib.sha256(MORE.encode()).hexdigest()


def quoted(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


ROW = (
    "INSERT INTO policy_version (number, digest, text, effective_at) VALUES"
    f" (9, '{FORGED}', {quoted(MORE)}, '2026-01-01 00:00:00.000000')"
).replace("%", "%%")


ENDED = "UPDATE policy_version SET ended_at = '2026-01-01 00:00:00.000000' WHERE number = 2"
DELETED = "DELETE FROM policy_version WHERE number = 2"
EXCHANGED = f"UPDATE policy_version SET digest = '{FORGED}', text = {quoted(MORE)} WHERE number = 2"
TEXT_ONLY = f"UPDATE policy_version SET text = {quoted(MORE)} WHERE number = 2"
WITHOUT_TEXT = (DELETED, EXCHANGED, TEXT_ONLY)


@pytest.mark.parametrize(
    "statement",
    [ROW, ENDED, DELETED, EXCHANGED, TEXT_ONLY],
    ids=["planted", "ended", "deleted", "exchanged", "text exchanged"],
)
def test_rows_that_the_log_does_not_tell_of_change_nothing(town: Town, statement: str) -> None:
    running = town.worker()
    town.agreed(running, LESS)
    tamper(running, statement)
    town.look(running)
    assert limit(running) == 5
    assert bool(running.vault.book.fault) is (statement != TEXT_ONLY)
    if statement in WITHOUT_TEXT:
        with pytest.raises(Refused) as caught:
            town.worker()
        assert caught.value.code == "policy.unproven"
    else:
        started = town.worker()
        assert limit(started) == 5
        assert started.vault.book.fault


@pytest.mark.parametrize("how", ["another text", "to count later"])
def test_an_entry_that_was_rewritten_is_not_believed(town: Town, how: str) -> None:
    """Nor one whose moment was moved, so that the version before it would be in force."""
    running = town.worker()
    town.agreed(running, LESS)
    (entry,) = entries(running, type=EventType.PROPOSAL_AGREED)
    digest = running.vault.policy.digest
    units = running.vault.units
    assert isinstance(units, SqlUnits)
    with units.engine.begin() as connection:
        for (name,) in connection.execute(
            sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entry'")
        ).all():
            connection.execute(sql(f"DROP TRIGGER {name}"))
        leaf = connection.execute(
            sql("SELECT leaf FROM audit_entry WHERE seq = :seq"), {"seq": entry["seq"]}
        ).scalar_one()
        was, now = (digest.encode(), FORGED.encode()) if how == "another text" else (b'"to":"20', b'"to":"21')
        other = bytes(leaf).replace(was, now)
        assert other != bytes(leaf)
        connection.execute(
            sql("UPDATE audit_entry SET leaf = :leaf WHERE seq = :seq"), {"leaf": other, "seq": entry["seq"]}
        )
    planted = f"UPDATE policy_version SET digest = '{FORGED}', text = {quoted(MORE)} WHERE number = 2"
    tamper(running, planted if how == "another text" else ENDED)
    with pytest.raises(Unavailable) as caught:
        town.worker()
    assert caught.value.code == "log.rolled_back"


def test_a_process_never_goes_back_to_an_older_version(town: Town) -> None:
    running = town.worker()
    town.agreed(running, LESS)
    (entry,) = entries(running, type=EventType.PROPOSAL_AGREED)
    units = running.vault.units
    assert isinstance(units, SqlUnits)
    with units.engine.begin() as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entry'"
        for (name,) in connection.execute(sql(names)).all():
            connection.execute(sql(f"DROP TRIGGER {name}"))
        other = "CAST(replace(leaf, 'proposal.agreed', 'service.started') AS BLOB)"
        hidden = sql(f"UPDATE audit_entry SET leaf = {other} WHERE seq = :seq")
        connection.execute(hidden, {"seq": entry["seq"]})
    tamper(running, ENDED)
    town.look(running)
    assert limit(running) == 5
    assert "hidden" in running.vault.book.fault


def test_a_log_without_a_version_opens_no_vault(prepared_sqlite: Path, tmp_path: Path) -> None:
    directory = tmp_path / "vault"
    copy_files(prepared_sqlite, directory)
    world = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    tamper(world, ROW)
    with pytest.raises(Refused, match="db upgrade"):
        Town(world).worker()
    world.close()


def test_an_older_vault_adopts_the_hosts_file_once(prepared_sqlite: Path, tmp_path: Path) -> None:
    directory = tmp_path / "vault"
    copy_files(prepared_sqlite, directory)
    world = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    units = world.vault.units
    assert isinstance(units, SqlUnits)
    assert adopt_policy(world.vault.settings, units, world.clock.now())
    assert not adopt_policy(world.vault.settings, units, world.clock.now())
    assert Town(world).worker().vault.policy.digest == hashlib.sha256(SHIPPED.encode()).hexdigest()
    world.close()


def test_each_checkout_names_the_version_that_it_passed(town: Town) -> None:
    worker = town.worker()
    oscar = worker.human("oscar", Role.OPERATOR)
    first = worker.ask(oscar)
    worker.vault.checkouts.cancel(oscar.actor, first.id)
    town.agreed(worker, LESS)
    second = worker.ask(oscar)
    assert first.policy_hash == hashlib.sha256(SHIPPED.encode()).hexdigest()
    assert second.policy_hash == hashlib.sha256(LESS.encode()).hexdigest()
    ada = worker.human("ada", Role.ADMIN)
    version, before = worker.vault.policies.version(ada.actor, second.policy_hash)
    assert before is not None
    assert (version.text, before.digest) == (LESS, first.policy_hash)


def test_a_request_keeps_the_version_that_it_began_with(town: Town) -> None:
    worker = town.worker()
    digest = worker.vault.policy.digest
    made = town.proposed(worker, LESS)
    ben = worker.human("ben", Role.ADMIN)
    worker.vault.proposals.confirm(ben.actor, made.id, ben.otp())
    assert worker.vault.policy.digest == digest
    town.look(worker)
    assert worker.vault.policy.digest == made.subject
