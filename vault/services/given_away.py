"""Accounts of handovers that a restore finds handed over already: their case goes on without them (H9).

A backup may hold an account as it was before its work began, and the list outside tells that what we kept of it is
destroyed: it is its customer's, and no step of its day can be done again. Decided here: such an account is at its end
in its handover, by the list's word, and whoever waits for it waits no more; a handover all of whose accounts are so has
ended as well. Never decided here: which accounts are (`vault.services.destruction`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vault.domain.account import Custody
from vault.domain.case import CaseKind, Done, HandoverEvent, HandoverState, PlaceEvent, PlaceState, StepState
from vault.domain.event import Event, EventType, stamp
from vault.domain.plans.handover import PLAN
from vault.domain.plans.release import RELEASE, RESET
from vault.domain.release import Handed
from vault.domain.told import changes
from vault.services.case_ground import about
from vault.services.case_kinds import move_case, move_place
from vault.services.handovers import onward

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile, Scene
    from vault.domain.destruction import Destroyed
    from vault.domain.event import Change
    from vault.ports.store import Unit

AT_ONCE: Final = 40
"""So many accounts are told of in one entry."""
_ON: Final = {
    HandoverState.REQUESTED: HandoverEvent.COMPLETED,
    HandoverState.PREPARED: HandoverEvent.SCHEDULED,
    HandoverState.SCHEDULED: HandoverEvent.BEGUN,
    HandoverState.IN_PROGRESS: HandoverEvent.RELEASED,
}
"""How a handover goes on, state by state, up to its release."""


def finish_given(unit: Unit, actor: Actor, destroyed: Iterable[Destroyed], now: datetime) -> int:
    """End accounts that are released and destroyed in the handovers that a backup has of them; give how many.

    For the transaction of a restore, after the destructions were applied again. The caller commits.
    """
    told = {each.account_id: each for each in destroyed}
    cases = {case.id: case for case in unit.cases.open_of(tuple(told)).values()}
    done = 0
    for case in sorted(cases.values(), key=lambda each: each.id):
        if case.kind is CaseKind.HANDOVER:
            done += _finish(unit, actor, unit.cases.scene(case), told, now)
    return done


def _finish(unit: Unit, actor: Actor, scene: Scene, destroyed: dict[str, Destroyed], now: datetime) -> int:
    mine = [
        number
        for number, place in scene.live.items()
        if place.state is not PlaceState.DONE
        and number in destroyed
        and destroyed[number].case_id in {scene.case.id, ""}
        and scene.accounts[number].custody is Custody.RELEASED
    ]
    for start in range(0, len(mine), AT_ONCE):
        part = mine[start : start + AT_ONCE]
        found = [change for number in part for change in _end(unit, scene, destroyed[number], now)]
        _record(unit, actor, scene.case, part, found, now)
    left = [number for number, place in scene.live.items() if place.state is not PlaceState.DONE]
    if mine and set(left) != set(mine):
        # they may have been the last whose e-mail or day was waited for
        _record_any(unit, actor, scene.case, onward(unit, unit.cases.again(scene), now), now)
    elif mine:
        at = max(destroyed[number].at for number in scene.live if number in destroyed)
        _record(unit, actor, scene.case, (), _over(unit, scene.case, at, now), now)
    return len(mine)


def _end(unit: Unit, scene: Scene, destroyed: Destroyed, now: datetime) -> list[Change]:
    """Let an account's password be dead and its release done, by the list's word."""
    number = destroyed.account_id
    words = (
        f"A backup from before was restored: the list of destructions says that what was kept of the account was "
        f"destroyed at {stamp(destroyed.at)}, which is after its release"
    )
    told: list[Change] = []
    for name in (RESET, RELEASE):
        was = scene.of(number, name)
        if was is not None and was.settled:
            continue
        done = Done(
            scene.case.id, number, name, StepState.DONE, now, destroyed.by, by_vault=True, words=words
        )
        unit.cases.put((done,))
        told += changes(was, done)
    place = scene.live[number]
    return [*told, *move_place(unit, place, PlaceEvent.FINISHED, now)[1]]


def _over(unit: Unit, case: CaseFile, at: datetime, now: datetime) -> list[Change]:
    """Take a handover on to its release, state by state; nobody is waited for, as what was kept is gone."""
    told: list[Change] = []
    while (event := _ON.get(HandoverState(case.state))) is not None:
        case, found = move_case(unit, PLAN, case, event, now)
        told += found
    handed = Handed(case.id, at, at)
    unit.releases.add(handed)
    return [*told, *changes(None, handed)]


def _record_any(unit: Unit, actor: Actor, case: CaseFile, told: Sequence[Change], now: datetime) -> None:
    if told:
        _record(unit, actor, case, (), told, now)


def _record(
    unit: Unit, actor: Actor, case: CaseFile, numbers: Sequence[str], told: Sequence[Change], now: datetime
) -> None:
    scene = unit.cases.scene(case)
    detail = about(scene) | {"what": "restored", "accounts": len(numbers)}
    event = Event(EventType.CASE_CHANGED, actor, rule="H9", changes=tuple(told), detail=detail)
    alone = numbers[0] if len(numbers) == 1 else None
    unit.log.record(replace(event, account_id=alone, subject=f"case:{case.id}"), now)
