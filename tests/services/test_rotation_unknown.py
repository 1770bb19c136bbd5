"""Rotations whose outcome nobody knows: found out by another operator, lost, recovered. On both databases.

While it does not know, the vault opens current, staged and previous; what works at AWS is attested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.desk import NUMBER, PASSWORD
from tests.support.events import types
from vault.domain.actor import Role
from vault.domain.credential import PartKind, PartState, VersionLabel
from vault.domain.rotation import Outcome, RotationState
from vault.errors import Forbidden, VaultError

if TYPE_CHECKING:
    from tests.support.desk import Desk


@pytest.mark.parametrize("ending", ["check_in", "expiry", "revoked"])
def test_a_lease_that_ends_while_displayed_leaves_the_outcome_unknown(desk: Desk, ending: str) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.show(desk.alice, rotation)
    match ending:
        case "check_in":
            desk.check_in(desk.alice, lease)
        case "expiry":
            desk.world.clock.advance(hours=2)
            assert desk.vault.sweep.once().checkouts == 1
        case _:
            ada = desk.world.human("ada", Role.APPROVER)
            desk.vault.checkouts.revoke(ada.actor, lease.id, "the laptop was stolen")
    assert (desk.part(), desk.state(rotation)) == (PartState.UNKNOWN, RotationState.UNKNOWN)
    assert "rotation.unknown" in types(desk.world, NUMBER)[-3:]


def test_who_displayed_it_may_say_afterwards_what_aws_did(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.console.reset_password(desk.show(desk.alice, rotation))
    # nobody wrote down that the lease is over: saying so settles it first
    desk.world.clock.advance(hours=2)
    with desk.refused("policy.denied", Forbidden):
        desk.attest(desk.bob, rotation, Outcome.ACCEPTED)
    settled = desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    assert (settled.state, settled.attested_in) == (RotationState.ACCEPTED, None)
    assert desk.part() is PartState.HELD
    assert desk.reveal(desk.bob, desk.lease(desk.bob)) == desk.console.password


def test_another_operator_finds_out_by_trying_all_three(desk: Desk) -> None:
    """The vault opens current, staged and previous while it does not know; what works is attested."""
    first = desk.held().lease(desk.alice)
    desk.rotate(desk.alice, first)
    current = desk.console.password
    lost = desk.plan(desk.alice, first)
    desk.console.reset_password(desk.show(desk.alice, lost))
    desk.world.clock.advance(hours=2)
    lease = desk.lease(desk.bob)
    assert (desk.part(), desk.part(PartKind.MFA)) == (PartState.RECONCILING, PartState.IN_USE)
    tried = {label: desk.reveal(desk.bob, lease, label) for label in list(VersionLabel)[:3]}
    assert tried[VersionLabel.PREVIOUS] == PASSWORD
    assert tried[VersionLabel.CURRENT] == current
    assert tried[VersionLabel.STAGED] == desk.console.password
    with desk.refused("rotation.conflict"):
        desk.plan(desk.bob, lease)
    desk.attest(desk.bob, lost, Outcome.ACCEPTED)
    assert desk.part() is PartState.IN_USE
    assert desk.labels() == [VersionLabel.PREVIOUS, VersionLabel.PREVIOUS, VersionLabel.CURRENT]
    assert desk.reveal(desk.bob, lease) == desk.console.password


def test_an_unknown_outcome_may_stay_so_over_several_leases(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.show(desk.alice, rotation)
    assert desk.attest(desk.alice, rotation, Outcome.UNKNOWN).state is RotationState.UNKNOWN
    assert desk.part() is PartState.RECONCILING
    with desk.refused("rotation.state"):
        desk.attest(desk.alice, rotation, Outcome.UNKNOWN)
    for holder in (desk.alice, desk.bob):
        desk.check_in(holder, lease)
        assert desk.part() is PartState.UNKNOWN
        lease = desk.lease(desk.bob)
    assert desk.attest(desk.bob, rotation, Outcome.REFUSED).state is RotationState.REFUSED
    assert (desk.part(), desk.labels()) == (PartState.IN_USE, [VersionLabel.CURRENT, VersionLabel.FAILED])


def test_an_unknown_part_opens_for_few_reasons(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.show(desk.alice, rotation)
    desk.check_in(desk.alice, lease)
    for reason in ("BILL_ROOT", "ONBOARD_TAKEOVER"):
        with pytest.raises(VaultError):
            desk.world.ask(desk.bob, NUMBER, reason)
    assert desk.world.ask(desk.bob, NUMBER, "CRED_ROTATE").approvals_needed == 0


def test_none_works_makes_it_lost_and_a_reset_by_mail_recovers_it(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    failed = desk.show(desk.alice, rotation)
    with desk.refused("rotation.state"):
        desk.attest(desk.alice, rotation, Outcome.NONE_WORKS)
    desk.check_in(desk.alice, lease)
    lease = desk.lease(desk.bob)
    desk.attest(desk.bob, rotation, Outcome.NONE_WORKS)
    assert (desk.part(), desk.labels()) == (PartState.LOST, [VersionLabel.CURRENT, VersionLabel.FAILED])
    # whatever might still help stays openable
    assert desk.reveal(desk.bob, lease, 2) == failed
    desk.check_in(desk.bob, lease)
    assert desk.part() is PartState.LOST
    lease = desk.lease(desk.bob)
    recovery = desk.plan(desk.bob, lease)
    assert recovery.recovering
    desk.console.reset_password(desk.show(desk.bob, recovery))
    desk.attest(desk.bob, recovery, Outcome.ACCEPTED)
    assert desk.part() is PartState.IN_USE
    assert desk.reveal(desk.bob, lease) == desk.console.password


def test_a_recovery_that_is_refused_leaves_it_lost(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.show(desk.alice, rotation)
    desk.attest(desk.alice, rotation, Outcome.UNKNOWN)
    desk.attest(desk.alice, rotation, Outcome.NONE_WORKS)
    for after_the_lease in (False, True):
        recovery = desk.plan(desk.alice, lease)
        desk.show(desk.alice, recovery)
        if after_the_lease:
            desk.check_in(desk.alice, lease)
        desk.attest(desk.alice, recovery, Outcome.REFUSED)
        assert desk.part() is PartState.LOST
