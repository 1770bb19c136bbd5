"""Moves and what goes on beside them: work of others, powers and freezes of the same moment, changes of the account."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.moves import ON_THE_DAY, MoveBench, bench_of
from vault.domain.account import Custody
from vault.domain.actor import Power, Role, Scope, system_actor
from vault.domain.campaign import Parts
from vault.domain.event import Event, EventType
from vault.domain.freeze import Freeze, FreezeKind
from vault.domain.hygiene import Finding, FindingState, Rule
from vault.domain.ids import new_id
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden
from vault.ports.inspection import Turn
from vault.services import moves, moving
from vault.services.accounts import AccountFacts
from vault.services.planning import Wish
from vault.services.settling import event_of

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.ports.store import Unit

A, B, P = "111122223333", "222233334444", "999900001111"
PASSWORD = "Correct-Horse-7-Battery"


@pytest.fixture
def bench(quick_world: World) -> MoveBench:
    return bench_of(quick_world)


def test_work_of_who_may_not_do_it_there_is_nobodys_again(bench: MoveBench) -> None:
    world = bench.world
    world.held(A)
    olga, nora, ada = (
        bench.operator("olga", bench.old),
        world.human("nora", Role.OPERATOR),
        world.human("ada", Role.APPROVER),
    )
    world.held(B)
    until = world.clock.now() + timedelta(days=28)
    wish = Wish(
        "Spring",
        "the yearly rotation of every account",
        Parts.PASSWORD,
        until,
        40,
        (olga.actor.id, nora.actor.id),
    )
    proposal = world.vault.campaigns.propose(ada.actor, wish, ada.otp())
    world.vault.proposals.confirm(bench.admin.actor, proposal.id, bench.admin.otp())
    for who, number in ((olga, A), (nora, B)):
        world.vault.campaigns.assign(bench.admin.actor, proposal.subject, (number,), None, who.actor.id)
    with world.vault.units.write() as unit:
        for number in (A, B):
            at = world.clock.now()
            found = Finding(f"f-{number}", Rule.ROOT_KEYS, number, "", "keys", FindingState.OPEN, at, at, at)
            unit.findings.add(found)
            unit.log.record(
                event_of(EventType.FINDING_OPENED, system_actor("test"), None, found), found.first_at
            )
            unit.inspections.put_turn(Turn(number, until))
        unit.commit()
    for who, number in ((olga, A), (nora, B)):
        world.vault.findings.take(who.actor, f"f-{number}")
    case = bench.ask(A, B)
    bench.prepare(case)
    bench.move(case)
    with world.vault.units.read() as unit:
        held = {
            number: each.person_id for number, each in unit.campaigns.assignments(proposal.subject).items()
        }
        owners = [unit.findings.get(f"f-{number}") for number in (A, B)]
        turns = [unit.inspections.turn(number) for number in (A, B)]
    assert held == {A: None, B: nora.actor.id}
    assert [each and each.owner_id for each in owners] == [None, nora.actor.id]
    assert {each and each.next_at for each in turns} == {world.clock.now()}


def test_who_sees_the_new_customer_and_may_not_move_to_it_is_told(bench: MoveBench) -> None:
    bench.world.held(A)
    half = bench.world.human("hanna", Role.CUSTODIAN, bench.of(bench.old))
    powers = (*half.actor.powers, Power(Role.AUDITOR, Scope()))
    hanna = replace(half.actor, powers=powers)
    with pytest.raises(Forbidden, match="who has both customers"):
        bench.rooms.moves.ask(hanna, A, bench.wish())
    assert bench.rooms.moves.ask(bench.manager.actor, A, bench.wish()).state == "open"


@pytest.mark.parametrize("meanwhile", ["freeze", "power"])
def test_what_came_at_the_same_moment_stops_the_move(
    bench: MoveBench, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    bench.world.held(A)
    case = bench.ask(A)
    bench.prepare(case)
    bench.say(case, "move", words="as both customers want it")
    written = moving.move_accounts

    def move_late(unit: Unit, *rest: Any) -> None:
        written(unit, *rest)
        if meanwhile == "freeze":
            unit.freezes.add(
                Freeze("f", FreezeKind.CUSTOMER, bench.old.id, "", "somebody", "Somebody", ON_THE_DAY)
            )
        else:
            for grant in unit.people.grants(bench.manager.actor.id):
                unit.people.update_grant(replace(grant, removed_at=ON_THE_DAY))
                unit.people.add_grant(replace(grant, id=new_id(), scope=bench.of(bench.old)))

    monkeypatch.setattr(moves, "move_accounts", move_late)
    with pytest.raises(Conflict) as refused:
        bench.agree(case)
    assert (refused.value.code, bench.account(A).customer_id) == ("concurrent.change", bench.old.id)


def test_what_is_on_its_way_somewhere_else_by_then_does_not_move(bench: MoveBench) -> None:
    bench.world.held(A)
    case = bench.ask(A)
    bench.prepare(case)
    bench.say(case, "move", words="as both customers want it")
    with bench.world.vault.units.write() as unit:
        was = bench.account(A)
        now = replace(was, custody=Custody.CLOSING)
        unit.accounts.update(now)
        event = Event(
            EventType.ACCOUNT_CHANGED, system_actor("test"), account_id=A, changes=changes(was, now)
        )
        unit.log.record(event, bench.world.clock.now())
        unit.commit()
    with pytest.raises(Conflict, match="is closing, and not to be moved"):
        bench.agree(case)


def test_nobody_changes_an_account_while_it_moves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of(world)
    bench.world.held(A)
    case = bench.ask(A)
    bench.prepare(case)
    bench.say(case, "move", words="as both customers want it")
    reached, looked = threading.Event(), moving.Sight.now

    def look_late(*rest: Any) -> moving.Sight:
        reached.set()
        changed.join(1)  # it waits for the account's row: this is the time that it is given
        return looked(*rest)

    def change() -> None:
        assert reached.wait(30)
        world.vault.accounts.change(bench.manager.actor, A, AccountFacts(name="renamed"))

    monkeypatch.setattr(moving.Sight, "now", look_late)
    changed = threading.Thread(target=change)
    changed.start()
    bench.agree(case)
    changed.join(30)
    account = bench.account(A)
    assert (account.name, account.customer_id) == ("renamed", bench.new.id)
