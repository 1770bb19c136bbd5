"""Looks at accounts: whose turn it is, what becomes of what was seen, and what a refusal never becomes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.events import entries, newest, types
from tests.support.inspected import DENIED, WANTED, PaperInspector, inspected, listed
from tests.support.replay import check_replay
from tests.support.world import World
from vault.domain.account import Custody, Kind, Model
from vault.domain.actor import Reach, Role, Scope, ScopeKind, system_actor
from vault.domain.event import Event, EventType
from vault.domain.hygiene import Finding, FindingState, Rule
from vault.domain.inspection import Known, Reason, Unknown
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, NotFound
from vault.ports.inspection import FindingFilter
from vault.ports.store import Slice

NUMBER, OTHER, PAYER, STRANGER = "111122223333", "444455556666", "999988887777", "777788889999"
EVERYTHING = Reach(everything=True)


def findings(world: World) -> dict[tuple[str, str, str], Finding]:
    """Give all findings by account, rule and subject."""
    with world.vault.units.read() as unit:
        found = unit.findings.page(EVERYTHING, FindingFilter(), Slice(200)).items
    return {(each.account_id, each.rule, each.subject): each for each in found}


def standing(world: World) -> set[tuple[str, str, str]]:
    """Name all open findings."""
    return {name for name, each in findings(world).items() if each.state is FindingState.OPEN}


def test_a_fault_is_opened_once_mended_by_itself_and_opened_again(world: World) -> None:
    paper = inspected(world.vault)
    world.held()
    paper.other[NUMBER] = {"root_keys": Known(value=True)}
    looked = world.vault.inspecting.once()
    assert (looked.accounts, looked.opened, looked.closed) == (1, 1, 0)
    name = (NUMBER, "root_keys", "")
    first = findings(world)[name]
    world.clock.advance(days=1)
    assert world.vault.inspecting.once().opened == 0
    again = findings(world)[name]
    assert (again.opened_at, again.seen_at - first.seen_at) == (first.opened_at, timedelta(days=1))
    paper.other.clear()
    world.clock.advance(days=1)
    assert world.vault.inspecting.once().closed == 1
    assert findings(world)[name].ended_by == "system:hygiene"
    paper.other[NUMBER] = {"root_keys": Known(value=True)}
    world.clock.advance(days=1)
    assert world.vault.inspecting.once().opened == 1
    last = findings(world)[name]
    assert (last.id, last.first_at, last.state) == (first.id, first.first_at, FindingState.OPEN)
    assert last.opened_at == world.clock.now()
    assert last.ended_at is None
    told = [each for each in types(world) if each.startswith("finding.")]
    assert told == ["finding.opened", "finding.closed", "finding.opened"]
    check_replay(world)


def test_what_is_not_known_opens_nothing_and_closes_nothing(quick_world: World) -> None:
    world = quick_world
    paper = inspected(world.vault)
    world.held()
    dark: dict[str, Any] = dict.fromkeys(
        (
            "root_keys",
            "root_mfa",
            "root_password",
            "root_certificates",
            "policy",
            "membership",
            "contacts",
            "report",
        ),
        DENIED,
    ) | {"defaults": dict.fromkeys(WANTED.names(), DENIED)}
    paper.other[NUMBER] = dark
    assert world.vault.inspecting.once().opened == 0
    bad: dict[str, Any] = {
        "root_keys": Known(value=True),
        "root_mfa": Known(value=False),
        "root_password": Known(value=False),
        "root_certificates": Known(value=True),
        "policy": Known(None),
        "contacts": Known(frozenset()),
        "defaults": {name: Known(value=False) for name in WANTED.names()},
    }
    paper.other[NUMBER] = bad
    world.clock.advance(days=1)
    assert world.vault.inspecting.once().opened == 8
    before = findings(world)
    paper.other[NUMBER] = dark
    world.clock.advance(days=1)
    looked = world.vault.inspecting.once()
    assert (looked.accounts, looked.opened, looked.closed) == (1, 0, 0)
    assert findings(world) == before
    seen = world.vault.inspecting.of_account(world.human("olga", Role.OPERATOR).actor, NUMBER)
    assert len(seen.unknown) == 8 + len(WANTED.names())


def test_a_look_that_fails_does_not_keep_the_others_from_theirs(
    quick_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = quick_world
    paper = inspected(world.vault)
    object.__setattr__(world.vault.inspecting, "interval", timedelta(minutes=1))
    for number in (NUMBER, OTHER, STRANGER):
        world.account(number)
    look = PaperInspector.look

    def fail(self: PaperInspector, target: Any, *rest: Any) -> Any:
        seen = look(self, target, *rest)
        if target.account_id == NUMBER:
            raise ValueError("no account is like this")
        return seen

    monkeypatch.setattr(PaperInspector, "look", fail)
    with pytest.raises(ValueError, match="no account is like this"):
        world.vault.inspecting.once()
    assert {each.account_id for each in paper.looked} == {NUMBER, OTHER, STRANGER}
    with world.vault.units.read() as unit:
        assert unit.inspections.latest((NUMBER, OTHER, STRANGER)).keys() == {OTHER, STRANGER}


def test_an_account_whose_role_is_gone_is_a_finding_and_its_others_stay(quick_world: World) -> None:
    world = quick_world
    paper = inspected(world.vault)
    world.held()
    paper.other[NUMBER] = {"root_keys": Known(value=True)}
    world.vault.inspecting.once()
    gone = Unknown(Reason.NO_ROLE, "AccessDenied")
    paper.other[NUMBER] = dict.fromkeys(("root_keys", "membership", "root_mfa"), gone)
    world.clock.advance(days=1)
    assert world.vault.inspecting.once().unseen == 1
    assert standing(world) == {(NUMBER, "root_keys", ""), (NUMBER, "unseen", "")}


def test_the_same_is_kept_and_told_once(world: World) -> None:
    paper = inspected(world.vault)
    world.held()
    for _ in range(3):
        world.vault.inspecting.once()
        world.clock.advance(days=1)
    with world.vault.units.read() as unit:
        (kept,) = unit.inspections.of(NUMBER, None, 9)
        assert kept.seen_at - kept.at == timedelta(days=2)
        assert unit.inspections.of(NUMBER, kept.seen_at, 9) == (kept,)
        assert unit.inspections.of(NUMBER, kept.seen_at + timedelta(1), 9) == ()
        assert unit.inspections.latest((NUMBER, OTHER)) == {NUMBER: kept}
    assert types(world).count("inspection.done") == 1
    paper.other[NUMBER] = {"root_mfa": Known(value=False)}
    world.vault.inspecting.once()
    done = newest(world, "inspection.done")
    assert [entry["detail"]["root_mfa"] for entry in done] == [False, True]
    assert done[0]["detail"]["defaults"] == WANTED.digest


def test_everybody_has_a_turn_in_an_interval_and_asked_ones_come_first(world: World) -> None:
    paper = inspected(world.vault)
    world.vault = replace(
        world.vault, inspecting=replace(world.vault.inspecting, interval=timedelta(minutes=10))
    )
    numbers = [f"11112222{n:04}" for n in range(16)]
    for number in numbers:
        world.account(number)
    for _ in range(10):
        assert world.vault.inspecting.once().accounts in {0, 2}
        world.clock.advance(minutes=1)
    assert sorted(each.account_id for each in paper.looked) == numbers
    assert {each.source for each in paper.looked} == {"rootvault"}
    paper.looked.clear()
    olga = world.human("olga", Role.OPERATOR).actor
    assert world.vault.inspecting.ask(olga, numbers[-1]).asked
    world.vault.inspecting.ask(olga, numbers[-1])
    world.vault.inspecting.once()
    assert (paper.looked[0].account_id, paper.looked[0].source) == (numbers[-1], olga.id)
    assert not world.vault.inspecting.of_account(olga, numbers[-1]).asked
    assert types(world).count("inspection.asked") == 1
    # asked for, so told although nothing changed
    assert types(world).count("inspection.done") == len(numbers) + 1


def test_who_takes_an_account_has_it_alone_until_it_would_be_forgotten(world: World) -> None:
    inspected(world.vault)
    world.account()
    now = world.clock.now()
    with world.vault.units.write() as unit:
        assert [turn.account_id for turn in unit.inspections.claim(now, now + timedelta(minutes=15), 9)] == [
            NUMBER
        ]
        unit.commit()
    assert world.vault.inspecting.once().accounts == 0
    world.clock.advance(minutes=16)
    assert world.vault.inspecting.once().accounts == 1
    assert world.vault.inspecting.once().accounts == 0


def test_asking_needs_the_power_and_an_account_that_is_ours(quick_world: World) -> None:
    world = quick_world
    world.account()
    world.account(OTHER, Kind.MEMBER, Model.ECAM)
    olga = world.human("olga", Role.OPERATOR).actor
    with pytest.raises(Conflict, match=r"inspection\.role"):
        world.vault.inspecting.ask(olga, NUMBER)
    inspected(world.vault)
    with pytest.raises(Conflict) as refused:
        world.vault.inspecting.ask(olga, OTHER)
    assert refused.value.code == "custody.state"
    with pytest.raises(Forbidden):
        world.vault.inspecting.ask(world.human("uma", Role.AUDITOR).actor, NUMBER)
    far = world.human("far", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, STRANGER)).actor
    with pytest.raises(NotFound):
        world.vault.inspecting.ask(far, NUMBER)
    assert types(world).count(EventType.ACCESS_DENIED) == 4
    assert world.vault.inspecting.once().accounts == 1


def test_what_was_found_of_an_account_that_left_is_closed(quick_world: World) -> None:
    world = quick_world
    paper = inspected(world.vault)
    world.held()
    paper.other[NUMBER] = {"root_keys": Known(value=True)}
    world.vault.inspecting.once()
    for custody in (Custody.IN_TRANSFER, Custody.RELEASED):
        with world.vault.units.write() as unit:
            was = unit.accounts.get(NUMBER)
            assert was is not None
            now = replace(was, custody=custody)
            unit.accounts.update(now)
            event = Event(
                EventType.ACCOUNT_CHANGED, system_actor("test"), account_id=NUMBER, changes=changes(was, now)
            )
            unit.log.record(event, world.clock.now())
            unit.commit()
    looked = world.vault.inspecting.once()
    assert (looked.accounts, looked.closed) == (0, 1)
    assert standing(world) == set()


# --- drift


def organized(world: World) -> PaperInspector:
    """Hold a payer and a member."""
    paper = inspected(world.vault)
    world.account(PAYER, Kind.PAYER)
    world.account(NUMBER, Kind.MEMBER)
    return paper


def test_lists_are_compared_both_ways_and_again_when_they_agree(world: World) -> None:
    paper = organized(world)
    with world.vault.units.read() as unit:
        payer, member = unit.accounts.get(PAYER), unit.accounts.get(NUMBER)
    assert payer is not None
    assert member is not None
    stranger = replace(member, id=STRANGER, name="Somebody's")
    paper.lists[PAYER] = listed(payer, stranger)
    look_at_all(world)
    drifted = {name for name in standing(world) if Rule(name[1]) is not Rule.PLACE}
    assert drifted == {(PAYER, "not_in_vault", STRANGER), (NUMBER, "not_in_organization", "")}
    # a list that cannot be read takes nothing back
    paper.lists.clear()
    look_at_all(world)
    assert drifted <= standing(world)
    moved = replace(member, root_email="thief@elsewhere.example")
    paper.lists[PAYER] = listed(payer, moved)
    look_at_all(world)
    drifted = {name for name in standing(world) if Rule(name[1]) is not Rule.PLACE}
    assert drifted == {(NUMBER, "email_differs", "")}
    rosters = world.vault.inspecting.rosters(world.human("olga", Role.OPERATOR).actor)
    assert [(each.payer_id, each.count, each.reason) for each in rosters] == [(PAYER, 2, None)]
    check_replay(world)


def look_at_all(world: World) -> None:
    """Let a day go by, and every account have its turn."""
    world.clock.advance(days=1)
    while world.vault.inspecting.once().accounts:
        pass


def test_a_list_that_cannot_be_read_says_why(quick_world: World) -> None:
    organized(quick_world)
    look_at_all(quick_world)
    olga = quick_world.human("olga", Role.OPERATOR).actor
    (state,) = quick_world.vault.inspecting.rosters(olga)
    assert (state.count, state.reason, state.code) == (None, Reason.DENIED, "AccessDenied")
    far = quick_world.human("far", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, NUMBER)).actor
    assert quick_world.vault.inspecting.rosters(far) == ()


def test_the_entries_are_of_the_account(quick_world: World) -> None:
    paper = inspected(quick_world.vault)
    quick_world.held()
    paper.other[NUMBER] = {"root_mfa": Known(value=False)}
    quick_world.vault.inspecting.once()
    (opened,) = entries(quick_world, type="finding.opened")
    assert (opened["account"]["id"], opened["detail"]["rule"], opened["detail"]["weight"]) == (
        NUMBER,
        "mfa_off",
        1,
    )
    assert opened["actor"]["id"] == "system:hygiene"
