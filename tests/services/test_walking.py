"""The walk beside the AWS console: the order of its steps, and that another operator goes on where one stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.desk import NUMBER
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.domain.walk import Act, Which
from vault.errors import NotFound

if TYPE_CHECKING:
    from tests.support.desk import Desk
    from tests.support.world import Human
    from vault.domain.checkout import Checkout
    from vault.services.walking import WalkView

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)

BOTH = [Act.SIGN_IN, Act.ADD, Act.CODES, Act.PROVE, Act.REMOVE, Act.SET, Act.CHECK_IN]


def look(desk: Desk, lease: Checkout, which: Which = Which.BOTH, rotation: str | None = None) -> WalkView:
    """Look at the walk as Alice does: whoever reads it sees the same."""
    return desk.vault.walks.of(desk.alice.actor, lease.id, which, rotation)


def now(desk: Desk, lease: Checkout, which: Which = Which.BOTH) -> Act:
    """Give the step to do now."""
    return look(desk, lease, which).now.act


def enrol(desk: Desk, who: Human, lease: Checkout) -> None:
    """Add a device, which AWS takes."""
    rotation = desk.plan(who, lease, PartKind.MFA)
    desk.vault.rotations.display(who.actor, rotation.id)
    desk.attest(who, rotation, Outcome.ACCEPTED)


def test_both_are_walked_through_device_first_and_password_last(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    assert [step.act for step in look(desk, lease).steps] == BOTH
    assert now(desk, lease) is Act.SIGN_IN
    assert look(desk, lease).next_device == "rv-2"
    desk.reveal(desk.alice, lease)
    assert now(desk, lease) is Act.SIGN_IN
    desk.vault.reveals.code(desk.alice.actor, lease.id)
    assert now(desk, lease) is Act.ADD
    rotation = desk.plan(desk.alice, lease, PartKind.MFA)
    assert (now(desk, lease), look(desk, lease).next_device) == (Act.CODES, "rv-2")
    desk.vault.rotations.display(desk.alice.actor, rotation.id)
    assert now(desk, lease) is Act.CODES
    desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    assert now(desk, lease) is Act.PROVE
    # a code of the old device proves nothing of the new one
    desk.world.clock.advance(seconds=90)
    desk.vault.reveals.code(desk.alice.actor, lease.id, 1)
    assert now(desk, lease) is Act.PROVE
    desk.vault.reveals.code(desk.alice.actor, lease.id)
    assert now(desk, lease) is Act.REMOVE
    desk.vault.devices.removed(desk.alice.actor, NUMBER, 1)
    assert now(desk, lease) is Act.SET
    desk.rotate(desk.alice, lease)
    view = look(desk, lease)
    assert (view.now.act, view.old_devices) == (Act.CHECK_IN, ())
    assert [view.names.get(step.by or "") for step in view.steps] == [*[desk.alice.actor.name] * 6, None]


def test_each_part_alone_has_its_own_steps(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    assert [each.act for each in look(desk, lease, Which.PASSWORD).steps] == [
        Act.SIGN_IN,
        Act.SET,
        Act.CHECK_IN,
    ]
    assert Act.SET not in [each.act for each in look(desk, lease, Which.MFA).steps]
    rotation = desk.plan(desk.alice, lease)
    assert now(desk, lease, Which.PASSWORD) is Act.SET
    desk.show(desk.alice, rotation)
    desk.attest(desk.alice, rotation, Outcome.REFUSED)
    # they are signed in, and nothing was set: it is made anew
    assert now(desk, lease, Which.PASSWORD) is Act.SET
    assert look(desk, lease, Which.PASSWORD).now.rotation is None


def test_a_first_device_leaves_none_to_remove(desk: Desk) -> None:
    desk.world.account(NUMBER)
    lease = desk.lease(desk.alice, "ONBOARD_TAKEOVER")
    assert [each.act for each in look(desk, lease).steps] == [each for each in BOTH if each is not Act.REMOVE]


def test_another_operator_goes_on_where_one_stopped(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.show(desk.alice, rotation)
    desk.check_in(desk.alice, lease)
    lease = desk.lease(desk.bob)
    view = look(desk, lease)
    # which of two is set is found out before anything else
    assert [each.act for each in view.steps] == [
        Act.FIND_OUT, Act.ADD, Act.CODES, Act.PROVE, Act.REMOVE, Act.CHECK_IN,
    ]  # fmt: skip
    assert (view.now.act, view.now.part) == (Act.FIND_OUT, PartKind.PASSWORD)
    assert view.now.rotation is not None
    assert view.names[view.now.rotation.displayed_by or ""] == desk.alice.actor.name
    desk.attest(desk.bob, rotation, Outcome.ACCEPTED)
    assert now(desk, lease) is Act.ADD
    enrol(desk, desk.bob, lease)
    desk.check_in(desk.bob, lease)
    # the last steps of what Bob's lease left: the page of his rotation leads through them
    lease = desk.lease(desk.alice)
    mine = next(each for each in desk.vault.accounts.credential(desk.alice.actor, NUMBER).rotations)
    assert look(desk, lease, Which.MFA, mine.id).now.act is Act.PROVE
    assert now(desk, lease, Which.MFA) is Act.SIGN_IN


def test_a_key_that_was_entered_under_an_earlier_lease_is_stale(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    desk.plan(desk.alice, lease, PartKind.MFA)
    desk.check_in(desk.alice, lease)
    with desk.refused("checkout.state"):
        look(desk, lease)
    lease = desk.lease(desk.bob)
    steps = {step.act: step for step in look(desk, lease, Which.MFA).steps}
    assert (look(desk, lease, Which.MFA).now.act, steps[Act.ADD].stale) == (Act.SIGN_IN, True)
    with pytest.raises(NotFound):
        look(desk, replace(lease, id="00000000-0000-4000-8000-000000000000"))
