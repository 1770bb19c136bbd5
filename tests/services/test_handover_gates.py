"""Days and gates of a handover: each closes, names its rule and the next step, and two people never share a place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest

from tests.support.handovers import CONTACT, MEMBERS_DAY, ONE, PAYER, PAYER_DAY, TWO, Handover
from tests.support.prepared import copy_files, reopen
from tests.support.replay import check_replay
from vault.bootstrap.cases import CaseParts, case_rooms, kinds_of
from vault.domain.account import Kind
from vault.domain.actor import system_actor
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType
from vault.domain.freeze import Covered, FreezeKind
from vault.domain.ids import new_id
from vault.domain.incident import Incident, IncidentKind
from vault.domain.outlook import Standing
from vault.domain.plans import handover as plan
from vault.domain.told import changes
from vault.errors import Blocked, Conflict, VaultError
from vault.services.frozen import put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.support.world import World
    from vault.bootstrap.cases import CaseRooms
    from vault.domain.case import CaseFile
    from vault.domain.days_of_business import Calendar

WHY = {"why": "the customer's bank needs it before the year ends"}


@pytest.fixture(scope="module")
def asked(
    prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Handover, CaseFile]]:
    """Lend a handover whose days are asked for and refused: nothing of it changes."""
    directory = tmp_path_factory.mktemp("days") / "vault"
    copy_files(prepared_sqlite, directory)
    world = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    handover = Handover(world).three()
    case = handover.open()
    handover.plan(case, TWO, MEMBERS_DAY)
    yield handover, case
    check_replay(world)
    world.close()


@pytest.mark.parametrize(
    ("number", "at", "code", "words"),
    [
        (ONE, "2026-11-26T15:00:00Z", "case.rule", "H2: 2026-11-26 is a holiday: Thanksgiving"),
        (ONE, "2026-12-12T15:00:00Z", "case.rule", "H2: 2026-12-12 is a Saturday"),
        (ONE, "2026-12-14T22:30", "case.rule", "H2: 2026-12-14 22:30 is not within"),
        (ONE, "2026-11-20T15:00:00Z", "case.rule", "H2: this moment is over"),
        (ONE, "2027-01-04T15:00:00Z", "case.rule", "H2: 2027-01-04 is beyond 2026-12-31"),
        (ONE, "2050-01-04T15:00:00Z", "case.rule", "H2: the holidays of 2050 are not known"),
        (ONE, "2027-03-14T02:30", "case.evidence", "leave 2027-03-14T02:30 out"),
        (ONE, "2026-11-01T01:30", "case.evidence", "show 2026-11-01T01:30 twice"),
        (ONE, "2026-02-30T09:00", "case.evidence", "there is no time"),
        (ONE, "tomorrow", "case.evidence", "write a time such as"),
        (PAYER, "2026-12-15T15:00:00Z", "case.rule", "H5: 2026-12-15 is not after the 15th"),
        (PAYER, "2027-01-05T15:00:00Z", "case.rule", "H5: 2027-01-05"),
        (PAYER, "2026-11-27T15:00:00Z", "case.rule", "H2: the payer goes last, and the last of its"),
    ],
)  # fmt: skip
def test_a_day_is_refused_by_its_rule(
    asked: tuple[Handover, CaseFile], number: str, at: str, code: str, words: str
) -> None:
    handover, case = asked
    with pytest.raises(VaultError) as caught:
        handover.say(handover.chris, case, plan.DAY, number, at=at)
    assert caught.value.code == code
    assert words in caught.value.detail
    if code == "case.rule" and "payer goes last" not in words:
        assert "The next free day for it begins at 2026-12-31T14:00Z." in caught.value.detail


def test_two_people_put_h2_aside_and_nobody_h5(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.open()
    work, chris, ada = quick_world.vault.cases.work, handover.chris, handover.ada
    saturday = {"at": "2026-12-12T15:00:00Z", **WHY}
    with pytest.raises(Conflict, match="H5"):
        handover.say(chris, case, plan.DAY, PAYER, **saturday)
    with pytest.raises(VaultError, match="Nothing speaks against"):
        handover.say(chris, case, plan.DAY, ONE, at=MEMBERS_DAY.isoformat(), **WHY)
    found = work.attest(chris.actor, case.id, plan.DAY, ONE, saturday, chris.otp())
    assert found.standing is Standing.ASKED
    assert work.get(chris.actor, case.id).scene.live[ONE].day is None
    found = work.agree(ada.actor, case.id, plan.DAY, ONE, ada.otp())
    assert found.standing is Standing.DONE
    for number, at in ((TWO, MEMBERS_DAY), (PAYER, PAYER_DAY)):
        handover.plan(case, number, at)
    handover.say(handover.olga, case, plan.BILLING, ONE)
    handover.until(MEMBERS_DAY - timedelta(days=3))
    handover.begin(case, ONE)
    assert handover.custody(ONE) == "in_transfer", "on the Saturday that two people agreed to"


@pytest.fixture
def ready(quick_world: World) -> tuple[Handover, CaseFile]:
    """Lend a handover on the day of its first member, with the balance confirmed."""
    handover = Handover(quick_world).three()
    case = handover.planned()
    handover.until(MEMBERS_DAY)
    handover.say(handover.chris, case, plan.BALANCE)
    return handover, case


def refusal(handover: Handover, case: CaseFile, number: str = ONE) -> str:
    """Try to begin; give why not."""
    with pytest.raises(VaultError) as caught:
        handover.world.vault.cases.work.attest(handover.olga.actor, case.id, plan.BEGIN, number)
    assert handover.custody(number) == "held"
    return f"{caught.value.code} {caught.value.detail}"


def _checked_out(handover: Handover, case: CaseFile) -> None:
    handover.world.ask(handover.olga, ONE, "CRED_ROTATE")


def _unsettled(handover: Handover, case: CaseFile) -> None:
    lease = handover.world.lease(handover.olga, ONE, "CRED_ROTATE")
    handover.world.vault.rotations.plan(handover.olga.actor, lease.id, PartKind.PASSWORD, None)
    handover.world.vault.checkouts.check_in(handover.olga.actor, lease.id)


def _incident(handover: Handover, case: CaseFile) -> None:
    now = handover.world.clock.now()
    with handover.world.vault.units.write() as unit:
        incident = Incident(
            new_id(), IncidentKind.ROOT_SIGN_IN, "event-1", ONE, None, "seen", "event-1", now, now
        )
        unit.incidents.add(incident)
        told = changes(None, incident)
        unit.log.record(Event(EventType.INCIDENT_OPENED, system_actor("test"), changes=told), now)
        unit.commit()


def _frozen(handover: Handover, case: CaseFile) -> None:
    with handover.world.vault.units.write() as unit:
        covered = Covered(FreezeKind.ACCOUNT, ONE)
        put(unit, handover.ada.actor, covered, "somebody called from the bank", handover.world.clock.now())
        unit.commit()


def _tomorrow(handover: Handover, case: CaseFile) -> None:
    handover.world.clock.advance(days=1)
    handover.say(handover.chris, case, plan.BALANCE)


def _in_the_night(handover: Handover, case: CaseFile) -> None:
    handover.world.clock.advance(hours=9)


def _yesterdays_balance(handover: Handover, case: CaseFile) -> None:
    handover.world.clock.advance(days=1)


def _amended_today(handover: Handover, case: CaseFile) -> None:
    handover.say(handover.olga, case, plan.BILLING, ONE, note="amended a minute ago")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_checked_out, "checkout.conflict Account 111122223333 is checked out by olga"),
        (_unsettled, "rotation.state A rotation of account 111122223333 is not settled"),
        (_incident, "case.state Incident"),
        (_frozen, "frozen Account 111122223333 was frozen by ada"),
        (_tomorrow, "case.rule H2: the day of account 111122223333 was 2026-12-15"),
        (_in_the_night, "case.rule H2: it is not within"),
        (_yesterdays_balance, "case.state Begin: first comes The customer is current"),
        (_amended_today, "case.rule H6: billing permissions were amended today"),
    ],
)
def test_nothing_begins_at_a_closed_gate(
    ready: tuple[Handover, CaseFile], change: Callable[[Handover, CaseFile], None], words: str
) -> None:
    handover, case = ready
    change(handover, case)
    assert words in refusal(handover, case)


@pytest.mark.parametrize("step", [plan.SUCCESSORS, plan.BILLING, plan.DAY, plan.CONTRACT, plan.SIGNATORY])
def test_nothing_begins_without_what_the_plan_asks(quick_world: World, step: str) -> None:
    handover = Handover(quick_world).three()
    case = handover.planned(ONE)
    with quick_world.vault.units.read() as unit:
        scene = unit.cases.scene(case)
    number = ONE if plan.PLAN.step(step).per_account else ""  # type: ignore[union-attr]  # the plan's own
    gone = {place: done for place, done in scene.done.items() if place != (number, step)}
    view = handover.world.vault.cases.work.ground.view(replace(scene, done=gone), MEMBERS_DAY)
    begin = next(each for each in view.items if each.step.name == plan.BEGIN)
    title = plan.PLAN.step(step).title  # type: ignore[union-attr]  # the plan's own
    assert begin.standing is Standing.BLOCKED
    assert title in begin.missing


def test_the_first_begins_when_all_have_their_day(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.open()
    handover.plan(case, ONE, MEMBERS_DAY)
    handover.say(handover.olga, case, plan.BILLING, ONE)
    with pytest.raises(Conflict, match="first comes The day"):
        handover.say(handover.chris, case, plan.BALANCE)


def test_a_payer_waits_for_the_members_that_are_ours(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.planned(PAYER, ONE)
    handover.until(PAYER_DAY)
    handover.say(handover.chris, case, plan.BALANCE)
    assert (
        f"case.rule H7: members go before their payer, and 1 of ours are not in this handover: {TWO}"
        in refusal(handover, case, PAYER)
    )


def test_a_payer_that_waits_into_the_next_month_waits_for_its_16th(quick_world: World) -> None:
    handover = Handover(quick_world)
    handover.account(PAYER, Kind.PAYER)
    case = handover.open(PAYER)
    handover.plan(case, PAYER, PAYER_DAY + timedelta(days=15))
    handover.until(PAYER_DAY + timedelta(days=15))
    handover.begin(case, PAYER)
    handover.world.clock.advance(days=5)  # Tuesday 2027-01-05
    handover.say(handover.chris, case, plan.BALANCE)
    handover.say(handover.olga, case, plan.CONTACTS, PAYER)
    with pytest.raises(Conflict, match="H5: 2027-01-05 is not after the 15th"):
        handover.world.vault.cases.work.attest(handover.olga.actor, case.id, plan.GO, PAYER, {}, "")


def test_nothing_frozen_is_given_away(ready: tuple[Handover, CaseFile]) -> None:
    handover, case = ready
    handover.begin(case, ONE)
    handover.say(handover.olga, case, plan.CONTACTS, ONE)
    _frozen(handover, case)
    with pytest.raises(Blocked, match="frozen by ada"):
        handover.say(handover.olga, case, plan.GO, ONE)


def test_gates_say_what_is_missing_and_on_whom_it_waits(ready: tuple[Handover, CaseFile]) -> None:
    handover, case = ready
    gates = handover.world.vault.cases.handovers.gates(handover.chris.actor, case.id)
    states = {(each.rule, each.step, each.account_id): each.state.value for each in gates}
    assert states["H1", plan.SIGNATORY, ""] == "met"
    assert states["H3", plan.CTA_AWS, ""] == "not_needed"
    assert states["H4", plan.BALANCE, ""] == "met"
    assert states["H5", plan.DAY, PAYER] == "met"
    assert states["H6", plan.BILLING, ONE] == "met"
    assert states["H6", plan.BILLING, PAYER] == "not_needed"
    assert states["H6", plan.BILLING_LAST, PAYER] == "waits"
    handover.world.clock.advance(days=1)
    gates = handover.world.vault.cases.handovers.gates(handover.chris.actor, case.id)
    (balance,) = (each for each in gates if each.rule == "H4")
    assert (balance.state, balance.who) == ("open", "handover.prepare")


def test_a_gate_is_as_strict_as_the_begin(quick_world: World) -> None:
    handover = Handover(quick_world)
    handover.account(ONE, Kind.STANDALONE)
    case = handover.open(ONE)
    handover.plan(case, ONE, MEMBERS_DAY)
    handover.until(MEMBERS_DAY)
    handover.say(handover.olga, case, plan.BILLING, ONE)

    def state(step: str) -> tuple[str, str]:
        gates = handover.world.vault.cases.handovers.gates(handover.chris.actor, case.id)
        (found,) = (each for each in gates if each.step == step)
        return found.state, found.words

    assert (state(plan.DAY)[0], state(plan.BILLING)[0]) == ("met", "open")
    assert "choose another day" in state(plan.BILLING)[1]
    handover.world.clock.advance(days=1)
    assert state(plan.DAY) == ("open", f"The day was {MEMBERS_DAY:%Y-%m-%d}; choose one anew.")


def test_a_contact_that_aws_would_not_take_is_refused(asked: tuple[Handover, CaseFile]) -> None:
    handover, case = asked
    with pytest.raises(VaultError) as caught:
        handover.say(handover.chris, case, plan.CONTACT, **CONTACT | {"country": "USA", "phone": "555"})
    assert {each.pointer for each in caught.value.errors} == {"/evidence/country", "/evidence/phone"}


class Small:
    """The calendar of a team that hands over one account a day."""

    def __init__(self, world: World) -> None:
        self._calendars = world.vault.calendars
        self.windows = self._calendars.windows

    def around(self, now: datetime) -> Calendar:
        """Give the vault's own, but for what a day takes."""
        return replace(self._calendars.around(now), capacity=1)


def small_rooms(world: World) -> CaseRooms:
    """Put cases together on a small calendar."""
    vault = world.vault
    ground = vault.cases.work.ground
    parts = CaseParts(vault.units, vault.gate, ground.factors, vault.clock, Small(world))
    return case_rooms(parts, kinds_of(parts), {})


def test_who_comes_first_has_the_last_place_of_a_day(world: World) -> None:
    handover = Handover(world).three()
    cases = (handover.open(ONE), handover.open(TWO))
    rooms, chris = small_rooms(world), handover.chris.actor
    days = rooms.handovers.free_days(chris, cases[0].id)
    assert [(each.account_id, f"{each.at:%Y-%m-%d}") for each in days] == [(ONE, "2026-12-31")]
    together, ends = Barrier(2), list[str]()

    def choose(case: CaseFile, number: str) -> None:
        together.wait()
        try:
            rooms.work.attest(chris, case.id, plan.DAY, number, {"at": "2026-12-31T15:00:00Z"})
            ends.append("has it")
        except Conflict as error:
            ends.append(error.detail)

    threads = [Thread(target=choose, args=pair) for pair in zip(cases, (ONE, TWO), strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    refused, has = sorted(ends)
    assert has == "has it"
    assert "H2: 2026-12-31 is full: 1 of 1" in refused
    assert "2026-12-30T14:00Z" in refused
