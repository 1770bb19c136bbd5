"""Leavers: all they hold ends at once, all they may know is due, and what became of each value is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.desk import NUMBER, Desk
from vault.crypto import totp
from vault.domain.actor import Reach, Role, Scope, ScopeKind
from vault.domain.credential import Due, PartKind
from vault.domain.event import EventType
from vault.domain.leaver import Way, next_step
from vault.domain.rotation import Outcome
from vault.errors import Blocked, Forbidden, NotFound
from vault.ports.store import EntryFilter, Slice
from vault.services.asking import Ask
from vault.services.knowledge_told import How
from vault.services.machines import Wanted

if TYPE_CHECKING:
    from tests.support.world import Human, World
    from vault.services.leavers import Progress

one_database = pytest.mark.parametrize("world", ["sqlite"], indirect=True)
"""For what is decided in Python alone."""


def chief(world: World) -> Human:
    """Give the administrator who shuts people out; another one stays."""
    world.human("dora", Role.ADMIN)
    return world.human("ada", Role.ADMIN)


def leave(world: World, who: Human) -> None:
    world.vault.people.disable(chief(world).actor, who.actor.id)


def progress(world: World, who: Human, *, is_open: bool = True) -> Progress:
    return world.vault.leavers.progress(chief(world).actor, who.actor.id, Slice(limit=100), is_open=is_open)


def entries(world: World, kind: EventType) -> list[dict[str, Any]]:
    with world.vault.units.read() as unit:
        page = unit.log.page(EntryFilter(type=kind), Reach(everything=True), Slice(limit=100))
    return [dict(each.content) for each in page.items]


def lines(found: Progress) -> list[tuple[str, int, str, str]]:
    return [
        (each.knows.kind.value, each.knows.version, each.knows.way.value, next_step(each.label).value)
        for each in found.items.items
    ]


def dues(world: World) -> list[tuple[Due, ...]]:
    return [part.due for part in world.vault.accounts.get(chief(world).actor, NUMBER).parts]


def test_what_a_leaver_saw_set_and_entered_is_due_until_it_is_replaced_and_proven(desk: Desk) -> None:
    world = desk.world
    desk.held()
    lease = desk.lease(desk.alice)
    desk.reveal(desk.alice, lease)
    first = desk.rotate(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    desk.vault.attestations.verify(desk.bob.actor, first.id, "signed in with it")
    assert Due.LEAVER not in dues(world)[0]
    leave(world, desk.alice)
    found = progress(world, desk.alice)
    assert lines(found) == [("password", 2, "shown_to_set", "rotate")]
    assert (found.known, found.done) == (1, 0)
    assert [Due.LEAVER in due for due in dues(world)] == [True, False]
    with pytest.raises(Blocked) as caught:
        desk.vault.asking.ask(desk.bob.actor, Ask(NUMBER, "BILL_ROOT", "T-1", "a look at the bill"))
    assert caught.value.code == "rotation.due"
    again = desk.lease(desk.bob)
    desk.reveal(desk.bob, again)
    second = desk.rotate(desk.bob, again)
    desk.check_in(desk.bob, again)
    assert lines(progress(world, desk.alice)) == [("password", 2, "shown_to_set", "verify")]
    assert Due.LEAVER not in dues(world)[0]
    carl = world.human("carl", Role.OPERATOR)
    desk.vault.attestations.verify(carl.actor, second.id, "signed in with it")
    over = progress(world, desk.alice, is_open=False)
    assert (over.known, over.done) == (1, 1)
    assert lines(over) == [("password", 2, "shown_to_set", "done")]
    assert progress(world, desk.alice).items.items == ()
    leave(world, desk.bob)
    assert lines(progress(world, desk.bob)) == [("password", 3, "shown_to_set", "rotate")]
    leave(world, carl)
    assert lines(progress(world, carl)) == [("password", 3, "verified", "rotate")]


@one_database
def test_who_took_values_in_knows_both(desk: Desk) -> None:
    desk.held()
    carla = desk.world.people["carla"]
    leave(desk.world, carla)
    found = progress(desk.world, carla)
    assert lines(found) == [("mfa", 1, "entered", "rotate"), ("password", 1, "entered", "rotate")]
    assert all(Due.LEAVER in due for due in dues(desk.world))
    told = [each.knows.known_since for each in found.items.items]
    assert all(at <= desk.world.clock.now() for at in told)


def test_what_was_displayed_and_never_settled_stays_open(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    rotation = desk.vault.rotations.plan(desk.alice.actor, lease.id, PartKind.PASSWORD)
    desk.vault.rotations.display(desk.alice.actor, rotation.id)
    leave(desk.world, desk.alice)
    assert lines(progress(desk.world, desk.alice)) == [("password", 2, "shown_to_set", "settle")]
    again = desk.lease(desk.bob)
    desk.vault.attestations.attest(desk.bob.actor, rotation.id, Outcome.ACCEPTED)
    # the value that they set is the current one now, and due because they know it
    assert Due.LEAVER in dues(desk.world)[0]
    desk.check_in(desk.bob, again)
    assert lines(progress(desk.world, desk.alice)) == [("password", 2, "shown_to_set", "rotate")]


def test_who_entered_a_seed_knows_it_and_who_saw_its_codes_does_not(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    seed = totp.generate_seed()
    desk.vault.rotations.plan(desk.alice.actor, lease.id, PartKind.MFA, seed.secret)
    other = desk.world.held("222233334444")
    watched = desk.world.lease(desk.bob, other.id, "CRED_ROTATE")
    desk.vault.reveals.code(desk.bob.actor, watched.id)
    leave(desk.world, desk.alice)
    leave(desk.world, desk.bob)
    assert lines(progress(desk.world, desk.alice)) == [("mfa", 2, "entered", "settle")]
    assert progress(desk.world, desk.bob, is_open=False).known == 0


@one_database
def test_the_list_is_what_the_log_tells(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    desk.reveal(desk.alice, lease)
    desk.rotate(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    auditor = desk.world.human("uma", Role.AUDITOR)
    told = desk.vault.knowledge.of_person(auditor.actor, desk.alice.actor.id)
    leave(desk.world, desk.alice)
    found = progress(desk.world, desk.alice)
    assert [(each.knower.kind, each.knower.version, each.knower.how.value) for each in told.items] == [
        (kind, number, way) for kind, number, way, _ in lines(found)
    ]
    assert {each.value for each in Way} <= {each.value for each in How}


@one_database
def test_one_who_leaves_twice_is_written_down_once(desk: Desk) -> None:
    desk.held()
    carla = desk.world.people["carla"]
    leave(desk.world, carla)
    with desk.vault.units.write() as unit:
        now = desk.world.clock.now()
        assert unit.leavers.add(unit.leavers.known_to(carla.actor.id, now)) == ()
    assert [each["detail"] for each in entries(desk.world, EventType.LEAVER_KNOWS)] == [
        {"person": carla.actor.id, "from": 1, "to": 2, "of": 2}
    ]


@one_database
def test_machines_that_a_leaver_made_are_named_and_run_on(desk: Desk) -> None:
    desk.held()
    ada, scope = chief(desk.world), Scope()
    browser = replace(ada.actor, origin=replace(ada.actor.origin, browser=True))
    scopes = frozenset({"account.read"})
    made = desk.vault.machines.issue(browser, Wanted("sync", scopes, scope), ada.otp())
    desk.vault.people.disable(desk.world.people["dora"].actor, ada.actor.id)
    dora = desk.world.people["dora"].actor
    found = desk.vault.leavers.progress(dora, ada.actor.id, Slice(limit=10))
    assert [each.id for each in found.machines] == [made.token.id]
    (entry,) = entries(desk.world, EventType.PERSON_DISABLED)
    assert entry["detail"]["machines"] == made.token.id
    assert desk.vault.tokens.resolve(made.text) is not None
    desk.vault.tokens.revoke(dora, made.token.id)
    assert desk.vault.leavers.progress(dora, ada.actor.id, Slice(limit=10)).machines == ()


def test_an_administrator_of_one_customer_sees_what_is_theirs(desk: Desk) -> None:
    desk.held()
    carla = desk.world.people["carla"]
    leave(desk.world, carla)
    account = desk.vault.accounts.get(chief(desk.world).actor, NUMBER).account
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    limited = desk.world.human("lena", Role.ADMIN, scope)
    found = desk.vault.leavers.progress(limited.actor, carla.actor.id, Slice(limit=10))
    assert found.known == 2
    other = desk.world.human("otto", Role.ADMIN, Scope(ScopeKind.CUSTOMER, "another"))
    for stranger in (other, desk.world.human("olaf", Role.OPERATOR)):
        with pytest.raises((NotFound, Forbidden)):
            desk.vault.leavers.progress(stranger.actor, carla.actor.id, Slice(limit=10))
