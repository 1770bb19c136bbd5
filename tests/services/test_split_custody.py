"""Split custody (C8): password and codes of one lease go to two people, and neither ever holds both halves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from vault.crypto import totp
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.domain.rotation import Outcome
from vault.errors import Blocked, Conflict, Forbidden, NotFound, Unauthenticated

if TYPE_CHECKING:
    from tests.support.world import Human, World
    from vault.domain.checkout import Checkout

NUMBER = "111122223333"
ACCOUNT = Scope(ScopeKind.ACCOUNT, NUMBER)


@pytest.fixture
def world(quick_world: World) -> World:
    """Take one account into custody and split it."""
    quick_world.held(NUMBER)
    for name in ("olga", "otto", "oscar"):
        quick_world.human(name, Role.OPERATOR)
    quick_world.human("carl", Role.CUSTODIAN)
    quick_world.human("ada", Role.APPROVER)
    quick_world.vault.split.turn_on(quick_world.people["carla"].actor, ACCOUNT)
    return quick_world


def joined(world: World, reason: str = "CRED_ROTATE") -> tuple[Human, Human, Checkout]:
    """Begin a lease of olga's that otto joins."""
    olga, otto = world.people["olga"], world.people["otto"]
    lease = world.lease(olga, reason=reason)
    made, _ = world.vault.checkouts.join(otto.actor, lease.id, otto.otp())
    return olga, otto, made


def test_each_sees_their_half_alone(world: World) -> None:
    vault = world.vault
    olga, otto, lease = joined(world)
    vault.reveals.password(olga.actor, lease.id)
    vault.reveals.code(otto.actor, lease.id)
    for act in (
        lambda: vault.reveals.code(olga.actor, lease.id),
        lambda: vault.reveals.password(otto.actor, lease.id),
        lambda: vault.rotations.plan(otto.actor, lease.id, PartKind.PASSWORD),
        lambda: vault.rotations.plan(olga.actor, lease.id, PartKind.MFA, totp.generate_seed().secret),
    ):
        with pytest.raises(Forbidden) as closed:
            act()
        assert (closed.value.code, closed.value.facts["rule"]) == ("custody.split", "C8")
    assert lease.second_id == otto.actor.id
    told = entries(world, type=EventType.CHECKOUT_JOINED)[0]
    assert told["detail"]["requester"] == olga.actor.id
    # the lease is its holder's to end
    with pytest.raises(Forbidden):
        vault.checkouts.check_in(otto.actor, lease.id)
    vault.checkouts.check_in(olga.actor, lease.id)
    with pytest.raises(Conflict):
        vault.reveals.code(otto.actor, lease.id)


def test_who_enrolled_the_seed_sees_no_password(world: World) -> None:
    vault = world.vault
    olga, otto, lease = joined(world)
    plan = vault.rotations.plan(otto.actor, lease.id, PartKind.MFA, totp.generate_seed().secret)
    with pytest.raises(Forbidden):
        vault.rotations.display(olga.actor, plan.id)
    vault.rotations.display(otto.actor, plan.id)
    vault.attestations.attest(otto.actor, plan.id, Outcome.ACCEPTED)
    vault.checkouts.check_in(olga.actor, lease.id)
    world.clock.advance(minutes=2)
    next_one = world.lease(otto, reason="CRED_ROTATE")
    before = len(entries(world))
    with pytest.raises(Forbidden) as closed:
        vault.reveals.password(otto.actor, next_one.id)
    assert closed.value.code == "custody.split"
    assert entries(world)[before]["type"] == EventType.REVEAL_REFUSED
    with pytest.raises(Forbidden):
        vault.rotations.plan(otto.actor, next_one.id, PartKind.PASSWORD)


def test_who_knows_the_password_gets_no_code(world: World) -> None:
    vault = world.vault
    olga, otto, lease = joined(world)
    vault.reveals.password(olga.actor, lease.id)
    vault.checkouts.check_in(olga.actor, lease.id)
    other = world.lease(world.people["oscar"], reason="CRED_ROTATE")
    with pytest.raises(Forbidden) as closed:
        vault.checkouts.join(olga.actor, other.id, olga.otp())
    assert closed.value.code == "custody.split"
    vault.checkouts.join(otto.actor, other.id, otto.otp())


def test_joining_has_its_gates(world: World) -> None:
    vault, olga, otto, oscar = world.vault, *(world.people[name] for name in ("olga", "otto", "oscar"))
    asked = world.ask(olga, reason="CRED_ROTATE")
    with pytest.raises(Conflict):
        vault.checkouts.join(otto.actor, asked.id, otto.otp())  # it has not begun
    vault.checkouts.step_up(olga.actor, asked.id, olga.otp())
    for who in ("olga", "ada", "carla"):
        human = world.people[who]
        with pytest.raises(Forbidden):
            vault.checkouts.join(human.actor, asked.id, human.otp())
    with pytest.raises(Unauthenticated):
        vault.checkouts.join(otto.actor, asked.id, "000000")
    freeze = vault.freezes.freeze(world.people["ada"].actor, f"person:{otto.actor.id}")
    with pytest.raises(Blocked):
        vault.checkouts.join(otto.actor, asked.id, otto.otp())
    assert freeze.target == otto.actor.id
    vault.checkouts.join(oscar.actor, asked.id, oscar.otp())
    with pytest.raises(Conflict):
        vault.checkouts.join(world.human("ole", Role.OPERATOR).actor, asked.id, "000000")
    # the factor is the second person's own, and has its time
    world.clock.advance(minutes=6)
    with pytest.raises(Unauthenticated):
        vault.reveals.code(oscar.actor, asked.id)
    vault.checkouts.step_up(oscar.actor, asked.id, oscar.otp())
    vault.reveals.code(oscar.actor, asked.id)
    with pytest.raises(Unauthenticated):
        vault.reveals.password(olga.actor, asked.id)


def test_without_the_option_nobody_joins(world: World) -> None:
    number = "444455556666"
    world.held(number)
    lease = world.lease(world.people["olga"], number)
    otto = world.people["otto"]
    with pytest.raises(Conflict):
        world.vault.checkouts.join(otto.actor, lease.id, otto.otp())
    world.vault.reveals.password(world.people["olga"].actor, lease.id)
    world.vault.reveals.code(world.people["olga"].actor, lease.id)


def test_a_customer_splits_all_its_accounts(world: World) -> None:
    number = "444455556666"
    customer = Scope(ScopeKind.CUSTOMER, world.held(number).customer_id)
    world.vault.split.turn_on(world.people["carla"].actor, customer)
    lease = world.lease(world.people["olga"], number)
    with pytest.raises(Forbidden):
        world.vault.reveals.code(world.people["olga"].actor, lease.id)


def test_one_turns_it_on_and_two_turn_it_off(world: World) -> None:
    vault, carla, carl = world.vault, world.people["carla"], world.people["carl"]
    strange = world.human("cora", Role.CUSTODIAN, Scope(ScopeKind.CUSTOMER, "nobody"))
    for act in (
        lambda: vault.split.turn_on(strange.actor, ACCOUNT),
        lambda: vault.split.turn_off(strange.actor, ACCOUNT, "there is one person left", strange.otp()),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Forbidden):
        vault.split.turn_on(world.people["olga"].actor, ACCOUNT)
    before = len(entries(world))
    vault.split.turn_on(carl.actor, ACCOUNT)  # twice is once
    assert len(entries(world)) == before
    made = vault.split.turn_off(carla.actor, ACCOUNT, "there is one person left", carla.otp())
    with pytest.raises(Forbidden):
        vault.proposals.confirm(carla.actor, made.id, carla.otp())
    lease = world.lease(world.people["olga"])
    with pytest.raises(Forbidden):
        vault.reveals.code(world.people["olga"].actor, lease.id)
    vault.proposals.confirm(carl.actor, made.id, carl.otp())
    vault.reveals.code(world.people["olga"].actor, lease.id)
