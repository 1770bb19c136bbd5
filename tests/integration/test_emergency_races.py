"""Freezes, broken glass and the limit of accounts at the same moment as what they stop, by four processes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from tests.support.racing import Job, Track, course
from tests.support.replay import check_database
from vault.domain.actor import Role, Scope
from vault.domain.freeze import FreezeKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import ProcessPoolExecutor


ROUNDS = {FreezeKind.ACCOUNT: 2, FreezeKind.VAULT: 1, FreezeKind.PERSON: 1}
MANY = 12


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def track(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, processes: ProcessPoolExecutor
) -> Iterator[Track]:
    """Prepare one vault of each kind."""
    directory = tmp_path_factory.mktemp("track")
    with course(request, directory) as (world, url):
        for name in ("olga", "gus", "gil", "fay"):
            world.human(name, Role.OPERATOR)
        for name, role in (("ada", Role.APPROVER), ("amy", Role.ADMIN), ("ann", Role.ADMIN)):
            world.human(name, role)
        yield Track(world, url, directory, processes)
        check_database(url)


def held(track: Track) -> str:
    """Take another account into custody."""
    with track.world.vault.units.read() as unit:
        number = f"{200000000000 + unit.accounts.count()}"
    track.world.held(number)
    return number


def lift(track: Track, freeze_id: str) -> None:
    """Let two people lift a freeze."""
    for name in ("ada", "amy"):
        human = track.world.people[name]
        track.world.clock.advance(seconds=30)
        track.world.vault.freezes.lift(human.actor, freeze_id, "the race is over", human.otp())


@pytest.mark.parametrize("kind", ROUNDS)
def test_nothing_is_released_after_a_freeze(track: Track, kind: FreezeKind) -> None:
    world, olga = track.world, track.world.people["olga"]
    for _ in range(ROUNDS[kind]):
        number = held(track)
        world.clock.advance(hours=2)
        lease = world.lease(olga, number, "CRED_ROTATE")
        target = {FreezeKind.ACCOUNT: number, FreezeKind.PERSON: olga.actor.id}.get(kind)
        scope = kind if target is None else f"{kind}:{target}"
        reveals = [Job("olga", "password", (lease.id,))] * 4 + [Job("olga", "code", (lease.id,))]
        ends = track.race([*reveals, Job("ada", "freeze", (scope,))])
        assert ends[-1] == "ok"
        # who came in between finds the freeze, or that it ended their factor
        assert set(ends[:-1]) <= {"ok", "frozen", "auth.step_up_required"}
        told = entries(world)
        frozen = max(place for place, each in enumerate(told) if each["type"] == "freeze.set")
        after = [each["type"] for each in told[frozen:]]
        assert "secret.reveal.released" not in after
        assert "secret.reveal.authorized" not in after or "secret.reveal.failed" in after
        lift(track, world.vault.freezes.open(world.people["amy"].actor)[0].id)
        world.vault.checkouts.check_in(olga.actor, lease.id)


def test_nobody_opens_more_accounts_than_the_limit(track: Track) -> None:
    world, fay = track.world, track.world.people["fay"]
    limit = world.vault.policy.limits.accounts_per_hour
    asked = [world.ask(fay, held(track), "CRED_ROTATE").id for _ in range(MANY)]
    ends = Counter(track.race([Job("fay", "begin", (each,)) for each in asked]))
    assert ends["ok"] == limit
    assert ends["limit.accounts"] + ends["frozen"] == MANY - limit
    with world.vault.units.read() as unit:
        begun = [unit.checkouts.get(each) for each in asked]
    assert sum(each is not None and each.activated_at is not None for each in begun) == limit
    (found,) = world.vault.freezes.open(world.people["amy"].actor)
    assert (found.set_by, found.target) == ("system:velocity", fay.actor.id)
    lift(track, found.id)


def test_of_many_who_break_the_glass_one_does(track: Track) -> None:
    world, amy, ann = track.world, track.world.people["amy"], track.world.people["ann"]
    for name in ("gus", "gil"):
        world.clock.advance(seconds=30)
        person = world.people[name].actor.id
        made = world.vault.glass.enable(amy.actor, person, Scope(), "on duty at night", amy.otp())
        world.vault.proposals.confirm(ann.actor, made.id, ann.otp())
    world.clock.advance(hours=25)
    number = held(track)
    lease = world.lease(world.people["olga"], number, "CRED_ROTATE")
    jobs = [Job(name, "break_glass", (number,)) for name in ("gus", "gil") for _ in range(3)]
    ends = track.race([*jobs, Job("olga", "password", (lease.id,))])
    assert ends[:-1].count("ok") == 1
    assert set(ends[:-1]) == {"ok", "checkout.conflict"}
    told = [each["type"] for each in entries(world, account_id=number) if each["outcome"] == "success"]
    assert told.count("breakglass.begun") == told.count("checkout.revoked") == 1
    assert "secret.reveal.released" not in told[told.index("checkout.revoked") :]
