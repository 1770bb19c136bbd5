"""The recovery recipient: only whom two administrators agreed to in the log is wrapped for, whatever rows say (S6)."""

# ruff: noqa: S608 - the statements are an attacker's, of texts of our own
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import text as sql

from audit.log import Log
from audit.mark import MarkFile
from audit.note import read_key
from tests.support.events import entries
from tests.support.prepared import copy_files, reopen
from tests.support.replay import check_replay
from tests.support.world import ORIGIN
from vault.adapters.db import SqlUnits, engine_for
from vault.adapters.db.copying import copy_database
from vault.bootstrap.compose import Ground, compose
from vault.bootstrap.restoring import Wish, restore
from vault.cli.admin.recipient_check import check_recipient
from vault.crypto import recovery
from vault.crypto.context import Context
from vault.crypto.envelope import Envelope, decode_wraps, open_envelope
from vault.domain.actor import Role
from vault.domain.credential import PartKind, VersionOrigin
from vault.domain.event import EventType
from vault.domain.proposal import ProposalState
from vault.domain.recipient import NONE, ToldRecipient
from vault.domain.secret import Secret
from vault.errors import Conflict, Forbidden, Invalid, Unavailable
from vault.services.recipient_book import RecipientBook, kept_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World
    from vault.domain.credential import Version
    from vault.domain.proposal import Proposal
    from vault.settings import Settings

MADE: Final = recovery.new_recipient()
OTHER: Final = recovery.new_recipient()
THEIRS: Final = recovery.new_recipient()
WHY: Final = "so that losing both keys loses nothing"
HOLD: Final = timedelta(hours=24)
NUMBER: Final = "111122223333"


@pytest.fixture
def world(prepared_sqlite: Path, tmp_path: Path) -> Iterator[World]:
    """Lend a world in which an account was held, so that holds hold."""
    directory = tmp_path / "vault"
    copy_files(prepared_sqlite, directory)
    lent = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    lent.held()
    yield lent
    lent.close()


def propose(world: World, recipient: str, by: str = "ada") -> Proposal:
    human = world.human(by, Role.ADMIN)
    return world.vault.recipients.propose(human.actor, recipient, WHY, human.otp())


def agree(world: World, made: Proposal, by: str = "ben") -> Proposal:
    human = world.human(by, Role.ADMIN)
    return world.vault.proposals.confirm(human.actor, made.id, human.otp())


def settle(world: World, recipient: str) -> None:
    agreed = agree(world, propose(world, recipient))
    assert agreed.effective_at is not None
    world.clock.at = max(world.clock.at, agreed.effective_at)


def seal(world: World, number: int = 9) -> Version:
    """Seal as every use case does."""
    with world.vault.units.read() as unit:
        vault_id = unit.vault_id
    sealer = world.vault.custodies.sealer
    place = (NUMBER, PartKind.PASSWORD, number)
    return sealer.seal(
        vault_id, place, Secret("s3cret"), VersionOrigin.GENERATED, "x", world.clock.now()
    ).version


def wrapped_for(version: Version) -> list[str]:
    return [wrap.key_id for wrap in decode_wraps(version.wraps) if wrap.service == recovery.SERVICE]


def tamper(world: World, *statements: str) -> None:
    """Do what the owner of the database can do, guards and all."""
    units = world.vault.units
    assert isinstance(units, SqlUnits)
    with units.engine.begin() as connection:
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN"
        names = sql(f"{guards} ('recovery_recipient', 'audit_entry')")
        for (name,) in connection.execute(names).all():
            connection.execute(sql(f"DROP TRIGGER {name}"))
        for statement in statements:
            connection.exec_driver_sql(statement)


def fresh(world: World) -> RecipientBook:
    """Give the book of a process that just started."""
    return RecipientBook(world.vault.units, world.clock)


def test_after_two_words_and_the_hold_every_seal_carries_the_wrap_and_three_shares_open_it(
    world: World,
) -> None:
    assert wrapped_for(seal(world)) == []
    agreed = agree(world, propose(world, MADE.recipient))
    assert agreed.effective_at == world.clock.now() + HOLD
    assert wrapped_for(seal(world)) == []
    world.clock.at += HOLD - timedelta(seconds=1)
    assert wrapped_for(seal(world)) == []
    world.clock.advance(seconds=1)
    version = seal(world)
    assert wrapped_for(version) == [MADE.recipient]
    with world.vault.units.read() as unit:
        context = Context(unit.vault_id, NUMBER, PartKind.PASSWORD, 9)
    wraps = decode_wraps(version.wraps)
    key = recovery.open_wrap(recovery.join(MADE.shares[1:4]), wraps, context.pairs())
    assert open_envelope(Envelope(version.body, wraps), context, key).expose() == "s3cret"
    check_replay(world)


def test_the_vaults_own_keys_still_open_what_has_the_wrap(world: World) -> None:
    settle(world, MADE.recipient)
    with world.vault.units.read() as unit:
        vault_id = unit.vault_id
    assert world.vault.custodies.sealer.open(vault_id, seal(world)).plaintext.expose() == "s3cret"


def test_one_person_names_nobody(world: World) -> None:
    made = propose(world, MADE.recipient)
    with pytest.raises(Forbidden) as caught:
        agree(world, made, "ada")
    assert caught.value.code == "policy.second_person"
    oscar = world.human("oscar", Role.OPERATOR)
    with pytest.raises(Forbidden):
        world.vault.recipients.propose(oscar.actor, THEIRS.recipient, WHY, oscar.otp())
    with pytest.raises(Forbidden):
        world.vault.recipients.state(oscar.actor)
    world.clock.advance(days=3)
    assert wrapped_for(seal(world)) == []


@pytest.mark.parametrize(
    "text",
    ["", "age1", "ssh-ed25519 AAAA", MADE.recipient[:-1], MADE.recipient.upper()],
    ids=["empty", "begun", "ssh", "short", "upper case"],
)
def test_only_a_whole_recipient_can_be_proposed(world: World, text: str) -> None:
    with pytest.raises(Invalid):
        propose(world, text)


def test_one_in_force_is_replaced_never_ended_and_nobody_counts_at_once(world: World) -> None:
    agreed = agree(world, propose(world, MADE.recipient))
    world.clock.at += HOLD
    ada = world.human("ada", Role.ADMIN)
    with pytest.raises(Conflict) as caught:
        world.vault.proposals.end(ada.actor, agreed.id, "I would rather have none")
    assert caught.value.code == "proposal.state"
    with pytest.raises(Conflict, match="in force already"):
        propose(world, MADE.recipient)
    settle(world, OTHER.recipient)
    assert wrapped_for(seal(world)) == [OTHER.recipient]
    gone = agree(world, propose(world, NONE))
    assert gone.effective_at == gone.confirmed_at
    assert wrapped_for(seal(world)) == []
    check_replay(world)


def test_a_later_word_ends_what_still_waits(world: World) -> None:
    held = agree(world, propose(world, MADE.recipient))
    settle(world, OTHER.recipient)
    world.clock.advance(days=9)
    assert world.vault.recipients.book.recipient == OTHER.recipient
    ada = world.human("ada", Role.ADMIN)
    ended = world.vault.proposals.get(ada.actor, held.id)
    assert ended.state(world.clock.now()) is ProposalState.ENDED
    state = world.vault.recipients.state(ada.actor)
    assert (state.number, state.recipient, state.held) == (2, OTHER.recipient, ())
    check_replay(world)


def test_what_replaces_another_than_was_looked_at_is_refused(world: World) -> None:
    made = propose(world, OTHER.recipient)
    settle(world, MADE.recipient)
    with pytest.raises(Conflict) as caught:
        agree(world, made)
    assert caught.value.code == "concurrent.change"


PLANTED = (
    "INSERT INTO recovery_recipient (number, recipient, effective_at) VALUES"
    f" (9, '{THEIRS.recipient}', '2026-01-01 00:00:00.000000')"
)


@pytest.mark.parametrize(
    "statement",
    [
        PLANTED,
        f"UPDATE recovery_recipient SET recipient = '{THEIRS.recipient}'",
        "UPDATE recovery_recipient SET ended_at = '2026-01-01 00:00:00.000000'",
        "DELETE FROM recovery_recipient",
    ],
    ids=["planted", "swapped", "ended", "deleted"],
)
def test_rows_that_the_log_does_not_tell_of_change_nothing(world: World, statement: str) -> None:
    settle(world, MADE.recipient)
    running = world.vault.recipients.book
    assert running.recipient == MADE.recipient
    tamper(world, statement)
    for book in (running, fresh(world)):
        assert book.recipient == MADE.recipient
        assert "log" in book.fault
    assert wrapped_for(seal(world)) == [MADE.recipient]


def test_a_planted_row_names_nobody_where_nobody_was_agreed_to(world: World) -> None:
    tamper(world, PLANTED)
    assert fresh(world).recipient == ""
    assert wrapped_for(seal(world)) == []


def test_an_entry_that_was_rewritten_stops_sealing(world: World) -> None:
    settle(world, MADE.recipient)
    (entry,) = entries(world, type=EventType.PROPOSAL_AGREED)
    tamper(
        world,
        f"UPDATE audit_entry SET leaf = CAST(replace(leaf, '{MADE.recipient}', '{THEIRS.recipient}') AS BLOB)"
        f" WHERE seq = {entry['seq']}",
        f"UPDATE recovery_recipient SET recipient = '{THEIRS.recipient}'",
    )
    for book in (world.vault.recipients.book, fresh(world)):
        with pytest.raises(Unavailable) as caught:
            book.wrap(Secret(b"k" * 32), {})
        assert caught.value.code == "log.rolled_back"


def test_an_entry_that_was_rewritten_to_count_later_brings_no_older_one_back(world: World) -> None:
    settle(world, MADE.recipient)
    settle(world, OTHER.recipient)
    newest = max(entry["seq"] for entry in entries(world, type=EventType.PROPOSAL_AGREED))
    later = """CAST(replace(leaf, '"to":"20', '"to":"21') AS BLOB)"""
    tamper(
        world,
        f"UPDATE audit_entry SET leaf = {later} WHERE seq = {newest}",
        "DELETE FROM recovery_recipient WHERE number = 2",
    )
    with pytest.raises(Unavailable) as caught:
        fresh(world).wrap(Secret(b"k" * 32), {})
    assert caught.value.code == "log.rolled_back"


def test_a_process_never_goes_back_to_an_older_one(world: World) -> None:
    settle(world, MADE.recipient)
    settle(world, OTHER.recipient)
    running = world.vault.recipients.book
    assert running.recipient == OTHER.recipient
    seqs = [entry["seq"] for entry in entries(world, type=EventType.PROPOSAL_AGREED)]
    tamper(
        world,
        "UPDATE audit_entry SET leaf = CAST(replace(leaf, 'proposal.agreed', 'service.started') AS BLOB)"
        f" WHERE seq = {max(seqs)}",
        "DELETE FROM recovery_recipient WHERE number = 2",
    )
    assert running.recipient == OTHER.recipient
    assert running.fault


def test_settings_and_files_name_nobody(world: World) -> None:
    settle(world, MADE.recipient)
    vault = world.vault
    assert not [name for name in dir(vault.settings.keys) if "recipient" in name]
    ground = Ground(
        vault.settings,
        vault.policy,
        vault.clock,
        vault.units,
        vault.keys,
        vault.server_key,
        vault.origin,
        vault.vkey,
    )
    assert compose(ground).recipients.book.recipient == MADE.recipient


def test_how_far_it_reaches_is_counted_and_known_by_account(world: World) -> None:
    ada = world.human("ada", Role.ADMIN)
    settle(world, MADE.recipient)
    state = world.vault.recipients.state(ada.actor)
    assert (state.wrapped, state.versions > 0) == (0, True)
    assert world.vault.recipients.covered() == frozenset()
    world.held("444455556666")
    assert world.vault.recipients.covered() == {"444455556666"}
    assert world.vault.recipients.state(ada.actor).wrapped == 2


def test_a_restore_takes_over_what_the_old_log_tells_and_not_what_rows_say(world: World) -> None:
    settle(world, MADE.recipient)
    agree(world, propose(world, OTHER.recipient))
    tamper(world, PLANTED)
    with world.vault.units.read() as unit:
        assert kept_by(unit.census.leaves(), world.clock.now()) == ToldRecipient(1, MADE.recipient)
        later = world.clock.now() + HOLD
        assert kept_by(unit.census.leaves(), later) == ToldRecipient(2, OTHER.recipient)
        assert kept_by((), later) == ToldRecipient(0, "")


def settings_of(world: World, directory: Path) -> Settings:
    """Give the settings of a host on which this world runs."""
    whole = world.vault.settings
    general = replace(whole.general, data_directory=str(directory))
    log = replace(whole.log, origin=ORIGIN, key_file="log.key", mark_file="log.mark")
    return replace(whole, general=general, log=log)


def test_after_the_ceremony_the_new_log_names_the_one_that_the_old_log_had(
    world: World, tmp_path: Path
) -> None:
    settle(world, MADE.recipient)
    waiting = agree(world, propose(world, OTHER.recipient))
    tamper(world, PLANTED)
    directory = tmp_path / "vault"
    directory.chmod(0o700)
    settings = settings_of(world, directory)
    copy_database(settings.database_url, tmp_path / "backup.db")
    wish = Wish(why="the disk broke", by=("Ada", "Bob"), backup=tmp_path / "backup.db")
    steps = restore(settings, wish, lambda _done, _all: None, world.clock)
    made = dict(steps.settings)
    log = Log(steps.origin, read_key(directory / made["log.key_file"], steps.origin))
    units = SqlUnits(engine_for(settings.database_url), log, MarkFile(directory / made["log.mark_file"]), {})
    book = RecipientBook(units, world.clock)
    # what waited out its hold ended, and a row that was planted counts for nothing
    assert waiting.effective_at is not None
    for _ in range(2):
        assert (book.current(), book.fault) == (ToldRecipient(10, MADE.recipient), "")
        world.clock.at = waiting.effective_at
    units.engine.dispose()


def test_doctor_says_how_far_it_reaches_and_what_was_planted(world: World, tmp_path: Path) -> None:
    settings = settings_of(world, tmp_path / "vault")

    def said() -> list[tuple[str, str]]:
        return [(each.level.value, each.words) for each in check_recipient(settings, world.clock)]

    assert said() == [("ok", "none is in force: losing every key loses every credential")]
    settle(world, MADE.recipient)
    assert said() == [("warn", f"2 of 2 sealed values are not wrapped for {MADE.recipient}")]
    tamper(world, PLANTED)
    assert said()[0] == ("fail", "The rows have recipient 9 in force, the log 1.")
    assert MADE.recipient in said()[1][1]
