"""Several workers look at the same moment: each account is looked at once, and nothing is found twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.services.test_campaign_races import at_once
from tests.support.events import types
from tests.support.inspected import inspected, listed
from tests.support.replay import check_replay
from vault.domain.account import Kind
from vault.domain.actor import EVERYTHING
from vault.domain.hygiene import FindingState
from vault.domain.inspection import Known
from vault.ports.inspection import FindingFilter
from vault.ports.store import Slice

if TYPE_CHECKING:
    from tests.support.world import World

PAYERS, MEMBERS = ("999988887777", "888877776666"), ("111122223333", "444455556666")
WORKERS = 3


def test_workers_share_the_accounts_and_find_each_thing_once(world: World) -> None:
    paper = inspected(world.vault)
    payers = [world.account(number, Kind.PAYER) for number in PAYERS]
    for number in MEMBERS:
        world.account(number, Kind.MEMBER)
        paper.other[number] = {"root_keys": Known(value=True)}
    for payer in payers:
        paper.lists[payer.id] = listed(payer)
    for _ in range(3):

        def work() -> int:
            count = 0
            while done := world.vault.inspecting.once().accounts:
                count += done
            return count

        assert sum(map(int, map(str, at_once(*[work] * WORKERS)))) == len(PAYERS) + len(MEMBERS)
        world.clock.advance(days=1)
    assert len(paper.looked) == 3 * (len(PAYERS) + len(MEMBERS))
    with world.vault.units.read() as unit:
        found = unit.findings.page(EVERYTHING, FindingFilter(), Slice(200)).items
    assert {each.state for each in found} == {FindingState.OPEN}
    assert {(each.account_id, str(each.rule)) for each in found if each.account_id in MEMBERS} == {
        (number, rule) for number in MEMBERS for rule in ("root_keys", "place", "not_in_organization")
    }
    assert types(world).count("finding.opened") == len(found)
    check_replay(world)


def test_a_turn_that_another_moved_meanwhile_is_not_taken(world: World) -> None:
    world.account()
    now = world.clock.now()
    with world.vault.units.write() as unit:
        (turn,) = unit.inspections.claim(now, now + timedelta(minutes=15), 9)
        # as if this one had read the turn before the other moved it
        take = unit.inspections._take  # type: ignore[attr-defined]  # the store's own last look
        assert not take(turn, now, now + timedelta(minutes=15))
        unit.commit()


def test_asking_twice_at_once_is_asked_once(world: World) -> None:
    inspected(world.vault)
    world.held()
    carla = world.people["carla"].actor
    at_once(*[lambda: world.vault.inspecting.ask(carla, MEMBERS[0])] * 2)
    assert types(world).count("inspection.asked") == 1
