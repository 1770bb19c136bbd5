"""Re-wrapping: every version under other keys, proven under each, without the old wraps when all is proven (S6)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from tests.support.key_work import NEW, NUMBERS, OLD, Changing, changing
from tests.support.replay import check_replay
from vault.crypto.envelope import decode_wraps
from vault.crypto.recovery import SERVICE, new_recipient
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.domain.proposal import ProposalState
from vault.domain.secret import Secret
from vault.errors import Conflict, Forbidden, Invalid, KeyCall, KeysUnavailable, NotFound, Refused, VaultError
from vault.ports.keys import Wrap
from vault.services import rewrapping
from vault.services.recipient_book import FixedRecipient
from vault.services.sealed_values import of_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vault.ports.keys import NamedKey, NamedKeys, Unwrapped, Wrapped

VALUES = 2 * len(NUMBERS)


@pytest.fixture
def vault(sqlite_url: str, tmp_path: Path) -> Iterator[Changing]:
    """Hold two accounts under old keys; the log has to lead to what is in the database afterwards."""
    made = changing(sqlite_url, tmp_path)
    yield made
    check_replay(made.world)
    made.world.close()


@pytest.fixture
def both(database_url: str, tmp_path: Path) -> Iterator[Changing]:
    """Hold them on each kind of database."""
    made = changing(database_url, tmp_path)
    yield made
    check_replay(made.world)
    made.world.close()


def test_every_version_gets_the_new_wraps_and_loses_the_old_ones_in_one_run(both: Changing) -> None:
    before = both.opened(both.keys(*NEW))
    bodies = [each.body for each in both.versions()]
    proposal = both.agreed()
    report = both.rewrapping().run(proposal.id, remove_old=True)
    assert (report.versions, report.made, report.removed, report.failed) == (VALUES, VALUES, VALUES, 0)
    assert (report.complete, report.old_left) == (True, 0)
    assert both.wraps() == [NEW] * VALUES
    assert both.opened(both.after) == before
    assert [each.body for each in both.versions()] == bodies
    # one look under an old key, two wraps, two looks under the new ones
    assert report.calls == {"Decrypt": 3 * VALUES, "Encrypt": 2 * VALUES}


def test_every_call_is_in_the_entry_of_its_version_with_the_purpose(vault: Changing) -> None:
    proposal = vault.agreed()
    report = vault.rewrapping().run(proposal.id, remove_old=True)
    begun, finished = (
        entries(vault.world, type="keys.rewrap.begun"),
        entries(vault.world, type="keys.rewrap.finished"),
    )
    assert begun[0]["detail"]["why"] == proposal.why
    assert (begun[0]["detail"]["proposed_by"], begun[0]["detail"]["confirmed_by"]) == (
        proposal.proposed_by,
        proposal.confirmed_by,
    )
    assert (finished[0]["outcome"], finished[0]["detail"]["complete"]) == ("success", True)
    told = [call for each in entries(vault.world, type="keys.rewrapped") for call in each.get("kms", ())]
    assert len(told) == sum(report.calls.values())
    assert {call["purpose"] for call in told} == {"rewrap"}
    accounts = {each["account"]["id"] for each in entries(vault.world, type="keys.rewrapped")}
    assert accounts == set(NUMBERS)


def test_what_was_carried_out_is_used_up(vault: Changing) -> None:
    proposal = vault.agreed()
    vault.rewrapping().run(proposal.id, remove_old=True)
    with vault.world.vault.units.read() as unit:
        ended = unit.proposals.get(proposal.id)
    assert ended is not None
    assert ended.state(vault.world.clock.now()) is ProposalState.ENDED
    with pytest.raises(Conflict) as refused:
        vault.rewrapping().run(proposal.id)
    assert refused.value.code == "proposal.state"


def test_without_being_told_to_it_removes_nothing_and_goes_on_later(vault: Changing) -> None:
    proposal = vault.agreed()
    first = vault.rewrapping().run(proposal.id)
    assert (first.complete, first.old_left, first.removed) == (True, VALUES, 0)
    assert vault.wraps() == [(*OLD, *NEW)] * VALUES
    again = vault.rewrapping().run(proposal.id, remove_old=True)
    assert (again.made, again.proven, again.removed) == (0, VALUES, VALUES)
    assert vault.wraps() == [NEW] * VALUES


def test_a_key_of_both_sets_keeps_its_wrap(vault: Changing) -> None:
    kept = [decode_wraps(each.wraps)[1] for each in vault.versions()]
    proposal = vault.agreed(keys=("local-2", "local-3"))
    vault.rewrapping(vault.keys("local-1", "local-4")).run(proposal.id, remove_old=True)
    assert vault.wraps() == [("local-2", "local-3")] * VALUES
    assert [decode_wraps(each.wraps)[0] for each in vault.versions()] == kept


def test_what_an_old_process_seals_meanwhile_is_taken_along(vault: Changing) -> None:
    """It seals one more while the first pass runs, and one more while old wraps are removed."""
    proposal = vault.agreed()
    waiting = {"re-wrapping": NUMBERS[0], "removing old wraps": NUMBERS[1]}

    def progress(what: str, done: int, total: int) -> None:
        assert done <= total
        if what in waiting:
            _plan(vault, waiting.pop(what))

    report = vault.rewrapping().run(proposal.id, remove_old=True, progress=progress)
    assert waiting == {}
    assert vault.wraps() == [NEW] * (VALUES + 2)
    assert (report.complete, report.old_left, report.versions) == (True, 0, VALUES + 2)


def test_a_process_that_never_stops_sealing_under_old_keys_is_told_of(
    vault: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrapping, "PASSES", 2)
    proposal = vault.agreed()
    waiting = {"re-wrapping": NUMBERS[0], "proving, pass 2": NUMBERS[1]}

    def progress(what: str, _done: int, _total: int) -> None:
        if what in waiting:
            _plan(vault, waiting.pop(what))

    with pytest.raises(Refused, match="under other keys"):
        vault.rewrapping().run(proposal.id, remove_old=True, progress=progress)
    assert all(set(OLD) <= set(each) for each in vault.wraps())


def test_a_damaged_wrap_is_made_anew_from_a_sound_one(vault: Changing) -> None:
    version = vault.versions()[0]
    first, second = decode_wraps(version.wraps)
    vault.store(version, (first, replace(second, blob=first.blob)))
    proposal = vault.agreed(keys=OLD)
    report = vault.rewrapping(vault.keys(*NEW)).run(proposal.id)
    assert (report.mended, report.made, report.complete) == (1, 1, True)
    told = [each for each in entries(vault.world, type="keys.rewrapped") if "mended" in each["detail"]]
    assert [each["detail"]["mended"] for each in told] == ["local-2"]
    opened = vault.versions()[0]
    place = of_version(_vault_id(vault), opened).place.pairs()
    one, two = (key.unwrap(decode_wraps(opened.wraps), place).key for key in vault.keys(*NEW).sealing)
    assert one.expose() == two.expose()


def test_one_version_that_opens_under_nothing_keeps_every_old_wrap(vault: Changing) -> None:
    version = vault.versions()[0]
    other = vault.versions()[1]
    vault.store(version, other.wraps)
    proposal = vault.agreed()
    report = vault.rewrapping().run(proposal.id, remove_old=True)
    assert (report.failed, report.complete, report.removed) == (1, False, 0)
    place = f"{version.account_id}/{version.kind}/{version.number}"
    assert report.faults == [(place, "envelope.tampered")]
    assert sorted(map(len, vault.wraps())) == [2, 4, 4, 4]
    failed = [each for each in entries(vault.world, type="keys.rewrapped") if each["outcome"] == "failed"]
    assert [each["detail"]["code"] for each in failed] == ["envelope.tampered"]
    assert failed[0]["kms"]
    assert entries(vault.world, type="keys.rewrap.finished")[0]["outcome"] == "failed"
    vault.store(vault.versions()[0], version.wraps)


def test_wraps_that_cannot_be_read_are_one_versions_fault(vault: Changing) -> None:
    proposal = vault.agreed()
    version = vault.versions()[0]
    vault.store(version, b"nonsense")
    report = vault.rewrapping().run(proposal.id, remove_old=True)
    assert (report.made, report.failed, report.removed) == (VALUES - 1, 1, 0)
    assert [code for _, code in report.faults] == ["envelope.tampered"]
    vault.store(vault.versions()[0], version.wraps)


def test_a_wrap_under_a_key_that_is_not_there_is_not_guessed(vault: Changing) -> None:
    proposal = vault.agreed()
    version = vault.versions()[0]
    vault.store(version, (Wrap("aws-kms", "arn:gone", b"x"),))
    report = vault.rewrapping().run(proposal.id)
    assert [code for _, code in report.faults] == ["keys.unknown"]
    vault.store(vault.versions()[0], version.wraps)


def test_a_key_service_that_is_down_ends_the_run_and_is_told(vault: Changing) -> None:
    proposal = vault.agreed()
    down = Broken(vault.after, "local-4")
    with pytest.raises(KeysUnavailable):
        vault.rewrapping(down).run(proposal.id, remove_old=True)
    assert vault.wraps() == [OLD] * VALUES
    (finished,) = entries(vault.world, type="keys.rewrap.finished")
    assert (finished["outcome"], finished["detail"]["code"]) == ("failed", "keys.unavailable")
    told = [call for each in entries(vault.world, type="keys.rewrapped") for call in each.get("kms", ())]
    assert {call["outcome"] for call in told} == {"ok", "keys.unavailable"}
    vault.rewrapping().run(proposal.id, remove_old=True)
    assert vault.wraps() == [NEW] * VALUES


def test_a_new_wrap_that_does_not_open_is_never_kept(vault: Changing) -> None:
    """A key that wraps something else than it was given: the old wraps are all that counts."""
    proposal = vault.agreed()
    report = vault.rewrapping(Liar(vault.after, "local-4")).run(proposal.id, remove_old=True)
    assert (report.complete, report.failed, report.made) == (False, VALUES, 0)
    assert vault.wraps() == [OLD] * VALUES


def test_two_runs_at_once_do_each_others_work(vault: Changing) -> None:
    proposal = vault.agreed()
    inner: list[int] = []

    def progress(_what: str, _done: int, _total: int) -> None:
        if not inner:
            inner.append(0)
            inner[0] = vault.rewrapping().run(proposal.id).made

    report = vault.rewrapping().run(proposal.id, progress=progress)
    assert report.complete
    assert report.made + inner[0] >= VALUES
    assert vault.wraps() == [(*OLD, *NEW)] * VALUES


def test_versions_of_every_label_are_wrapped_for_the_recipient_too(vault: Changing) -> None:
    recipient = new_recipient().recipient
    proposal = vault.agreed()
    run = replace(vault.rewrapping(), recipient=FixedRecipient(recipient))
    report = run.run(proposal.id, remove_old=True)
    assert report.recipient == recipient
    assert vault.wraps() == [(*NEW, recipient)] * VALUES
    assert {wrap.service for each in vault.versions() for wrap in decode_wraps(each.wraps)} == {
        "local",
        SERVICE,
    }


def test_an_outage_after_old_wraps_were_removed_is_no_success(vault: Changing) -> None:
    proposal = vault.agreed()
    waiting = [NUMBERS[1]]

    def progress(what: str, _done: int, _total: int) -> None:
        if what == "removing old wraps" and waiting:
            _plan(vault, waiting.pop())
            for key in keys.sealing:
                key.fail()

    keys = Broken(vault.after, "")
    with pytest.raises(KeysUnavailable):
        vault.rewrapping(keys).run(proposal.id, remove_old=True, progress=progress)
    (finished,) = entries(vault.world, type="keys.rewrap.finished")
    assert (finished["outcome"], finished["detail"]["complete"]) == ("failed", False)


@pytest.mark.parametrize("change", ["settings", "removal", "unconfirmed", "held", "old", "drill", "frozen"])
def test_it_does_not_begin_without_what_two_people_agreed_to(vault: Changing, change: str) -> None:
    amy, ann = (vault.world.human(name, Role.ADMIN) for name in ("amy", "ann"))
    world, work = vault.world, vault.world.vault.key_work
    refusal: type[VaultError] = Conflict
    keys, remove, code = vault.after, False, "proposal.state"
    if change == "settings":
        proposal, keys, code, refusal = vault.agreed(), vault.keys(*NEW), "keys.settings", Refused
    elif change == "removal":
        proposal, remove, code, refusal = vault.agreed(remove_old=False), True, "keys.settings", Refused
    elif change == "unconfirmed":
        proposal = work.propose_rewrap(amy.actor, NEW, "the yearly change", amy.otp(), remove_old=True)
    elif change == "held":
        made = work.propose_rewrap(amy.actor, NEW, "the yearly change", amy.otp(), remove_old=True)
        proposal = world.vault.proposals.confirm(ann.actor, made.id, ann.otp())
    elif change == "old":
        proposal = vault.agreed()
        world.clock.advance(days=15)
    elif change == "drill":
        proposal, code, refusal = vault.agreed_drill(), "not_found", NotFound
    else:
        proposal = vault.agreed()
        world.vault.freezes.freeze(amy.actor, f"person:{ann.actor.id}", "her laptop is gone")
    with pytest.raises(refusal) as refused:
        vault.rewrapping(keys).run(proposal.id, remove_old=remove)
    assert refused.value.code == code
    assert vault.wraps() == [OLD] * VALUES
    assert entries(world, type="keys.rewrap.begun") == []
    if refusal is not Refused:
        assert entries(world, type="access.denied")[0]["detail"]["code"] == code


def test_a_row_that_says_two_people_agreed_is_not_believed(sqlite_url: str, tmp_path: Path) -> None:
    """Whoever writes rows into the database has agreed to nothing: the log does not tell so."""
    vault = changing(sqlite_url, tmp_path)
    world, now = vault.world, vault.world.clock.now()
    amy, ann = (world.human(name, Role.ADMIN) for name in ("amy", "ann"))
    made = world.vault.key_work.propose_rewrap(
        amy.actor, NEW, "the yearly change", amy.otp(), remove_old=True
    )
    with world.vault.units.write() as unit:
        unit.proposals.update(replace(made, confirmed_by=ann.actor.id, confirmed_at=now, effective_at=now))
        unit.commit()
    with pytest.raises(Refused) as refused:
        vault.rewrapping().run(made.id, remove_old=True)
    assert refused.value.code == "proposal.unproven"
    assert vault.wraps() == [OLD] * VALUES
    world.close()


def test_only_administrators_propose_it_and_nobody_agrees_to_their_own(vault: Changing) -> None:
    world, work = vault.world, vault.world.vault.key_work
    olga, amy = world.human("olga", Role.OPERATOR), world.human("amy", Role.ADMIN)
    with pytest.raises(Forbidden):
        work.propose_rewrap(olga.actor, NEW, "the yearly change", olga.otp(), remove_old=True)
    made = work.propose_rewrap(amy.actor, NEW, "the yearly change", amy.otp(), remove_old=True)
    assert json.loads(made.content) == {"from": [], "keys": list(NEW), "remove_old": True}
    with pytest.raises(Forbidden) as refused:
        world.vault.proposals.confirm(amy.actor, made.id, amy.otp())
    assert refused.value.code == "policy.second_person"
    for wrong in ((), ("a", "a"), ("with a blank",), tuple("abcdefgh")):
        with pytest.raises(Invalid):
            work.propose_rewrap(amy.actor, wrong, "the yearly change", amy.otp(), remove_old=True)


class Broken:
    """Keys of which one answers nobody."""

    def __init__(self, keys: NamedKeys, name: str) -> None:
        self.sealing = tuple(_Down(key, name) for key in keys.sealing)
        self.retiring = keys.retiring


class _Down:
    def __init__(self, key: NamedKey, name: str) -> None:
        self._key, self._name = key, name
        self.service, self.key_id = key.service, key.key_id

    def fail(self) -> None:
        """Be the one that answers nobody, from now on."""
        self._name = self.key_id

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Fail where this is the one."""
        self._look("Encrypt")
        return self._key.wrap(key, context)

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Fail where this is the one."""
        self._look("Decrypt")
        return self._key.unwrap(wraps, context)

    def _look(self, operation: str) -> None:
        if self.key_id == self._name:
            call = KeyCall(operation, self.key_id, "", "keys.unavailable")
            raise KeysUnavailable("keys.unavailable", "It does not answer.", calls=(call,))


class Liar:
    """Keys of which one wraps another data key than it was given."""

    def __init__(self, keys: NamedKeys, name: str) -> None:
        self.sealing = tuple(_Lying(key, name) for key in keys.sealing)
        self.retiring = keys.retiring


class _Lying(_Down):
    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Wrap zeros where this is the one."""
        return self._key.wrap(Secret(bytes(32)) if self.key_id == self._name else key, context)

    def _look(self, operation: str) -> None:
        """Answer."""


def _plan(vault: Changing, number: str) -> None:
    """Seal one more password for an account, as a process with the old settings does."""
    world = vault.world
    olga = world.human("olga", Role.OPERATOR)
    lease = world.lease(olga, number, "CRED_ROTATE")
    world.vault.rotations.plan(olga.actor, lease.id, PartKind.PASSWORD)


def _vault_id(vault: Changing) -> str:
    with vault.world.vault.units.read() as unit:
        return unit.vault_id
