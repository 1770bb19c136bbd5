"""Campaigns and reminders at the same moment: one takes an account, one reminder goes out, who leaves has nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tests.support.events import entries
from tests.support.replay import check_replay
from vault.domain.actor import Role
from vault.domain.campaign import Parts
from vault.domain.event import EventType
from vault.errors import VaultError
from vault.services.planning import Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.world import World
    from vault.domain.campaign import Campaign

NUMBERS = tuple(f"{number}" * 12 for number in range(1, 4))


def begin(world: World) -> Campaign:
    """Begin a campaign over three accounts that nobody has."""
    for number in NUMBERS:
        world.held(number)
    people = tuple(world.human(name, Role.OPERATOR).actor.id for name in ("olga", "otto"))
    ada, amy = world.human("ada", Role.APPROVER), world.human("amy", Role.ADMIN)
    until = world.clock.now() + timedelta(days=10)
    wish = Wish("Spring", "rotate all of them", Parts.BOTH, until, 50, people, share=False)
    made = world.vault.campaigns.propose(ada.actor, wish, ada.otp())
    world.vault.proposals.confirm(amy.actor, made.id, amy.otp())
    return world.vault.campaigns.get(ada.actor, made.subject).campaign


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run jobs at the same moment; give what came of each, or the code of its error."""
    ready = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        ready.wait(30)
        try:
            return job()
        except VaultError as error:
            return error.code

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [each.result(60) for each in [pool.submit(run, job) for job in jobs]]


def test_one_of_two_takes_an_account(world: World) -> None:
    campaign, campaigns = begin(world), world.vault.campaigns
    olga, otto = world.people["olga"].actor, world.people["otto"].actor
    for number in NUMBERS:
        ends = at_once(*(partial(campaigns.take, who, campaign.id, [number]) for who in (olga, otto)))
        assert sorted(map(str, ends)) == sorted(["campaign.account", str((number,))])
    check_replay(world)


def test_several_workers_remind_nobody_twice(world: World) -> None:
    begin(world)
    ends = at_once(*(world.vault.reminders.once for _ in range(4)))
    assert sum(int(str(each)) for each in ends) == 2
    found = [each["detail"]["person"] for each in entries(world) if each["type"] == EventType.UPKEEP_REMINDED]
    assert len(found) == len(set(found)) == 2
    check_replay(world)


def test_who_is_shut_out_while_taking_has_nothing(world: World) -> None:
    campaign, vault = begin(world), world.vault
    amy, ada = world.people["amy"].actor, world.people["ada"].actor
    otto = world.people["otto"].actor
    ends = at_once(
        lambda: vault.campaigns.take(otto, campaign.id, 3),
        lambda: vault.people.disable(amy, otto.id),
        lambda: vault.campaigns.assign(ada, campaign.id, 2, of=None, to=otto.id),
    )
    assert not isinstance(ends[1], str), ends
    assert {each for each in (ends[0], ends[2]) if isinstance(each, str)} <= {"campaign.person", "not_found"}
    with vault.units.read() as unit:
        assert unit.campaigns.assignments(campaign.id, person_id=otto.id) == {}
    check_replay(world)
