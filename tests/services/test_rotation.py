"""Rotations that are accepted, refused, abandoned, proven; and who may do what of them. On both databases.

A simulated AWS console says what is really set; when a scenario ends its log has to replay to the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.desk import NUMBER, PASSWORD, SEED
from tests.support.events import types
from tests.support.world import with_keys
from vault.crypto import totp
from vault.domain.account import Custody
from vault.domain.credential import Due, PartKind, PartState, VersionLabel
from vault.domain.rotation import Evidence, Outcome, RotationState
from vault.domain.secret import Secret
from vault.errors import Conflict, Forbidden, Invalid, KeysUnavailable, NotFound, Unauthenticated, VaultError

if TYPE_CHECKING:
    from tests.support.desk import Desk
    from vault.ports.keys import KeyService


# --- accepted


def test_an_accepted_value_is_current_and_the_old_one_stays_until_proven(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.rotate(desk.alice, lease)
    assert rotation.state is RotationState.ACCEPTED
    assert (rotation.attested_by, rotation.attested_in) == (desk.alice.actor.id, lease.id)
    assert desk.part() is PartState.IN_USE
    assert desk.labels() == [VersionLabel.PREVIOUS, VersionLabel.CURRENT]
    assert desk.reveal(desk.alice, lease) == desk.console.password
    assert desk.reveal(desk.alice, lease, VersionLabel.PREVIOUS) == PASSWORD
    desk.check_in(desk.alice, lease)
    assert desk.part() is PartState.HELD


def test_displaying_again_shows_the_same_candidate_and_makes_nothing_due(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    assert desk.part() is PartState.IN_USE
    first = desk.show(desk.alice, rotation)
    assert desk.part() is PartState.ROTATING
    assert desk.show(desk.alice, rotation) == first
    assert (len(first), desk.labels()[-1]) == (40, VersionLabel.STAGED)
    desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    view = desk.vault.accounts.get(desk.alice.actor, NUMBER)
    assert (view.parts[0].due, view.parts[1].due) == ((), (Due.INTAKE,))
    assert view.parts[0].unverified


def test_a_seed_is_sealed_before_its_first_code_and_gives_two_in_a_row(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease, PartKind.MFA)
    assert desk.labels(PartKind.MFA) == [VersionLabel.CURRENT, VersionLabel.STAGED]
    shown = desk.vault.rotations.display(desk.alice.actor, rotation.id)
    first, second = shown.codes
    assert (shown.password, first.valid_until) == (None, second.valid_from)
    assert desk.console.enrol(first.code.expose(), second.code.expose(), first.valid_from.timestamp())
    desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    # both steps are used up: neither this one nor the next gives a code again
    for _ in range(2):
        with desk.refused("otp.used"):
            desk.vault.reveals.code(desk.alice.actor, lease.id)
        desk.world.clock.advance(seconds=30)
    code = desk.vault.reveals.code(desk.alice.actor, lease.id)
    seed = totp.parse_seed(Secret(desk.console.seed or ""))
    assert code.code.expose() == totp.code_at(seed, totp.step_of(desk.world.clock.now())).expose()


def test_more_codes_of_a_staged_seed_are_other_steps(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease, PartKind.MFA)
    first = desk.vault.rotations.display(desk.alice.actor, rotation.id)
    with desk.refused("otp.used") as caught:
        desk.vault.rotations.display(desk.alice.actor, rotation.id)
    desk.world.clock.advance(seconds=caught.value.retry_after or 0)
    again = desk.vault.rotations.display(desk.alice.actor, rotation.id)
    assert again.codes[0].valid_from >= first.codes[1].valid_until
    desk.attest(desk.alice, rotation, Outcome.REFUSED)
    assert desk.part(PartKind.MFA) is PartState.IN_USE


def test_a_takeover_holds_the_account_when_both_parts_are_accepted(desk: Desk) -> None:
    desk.world.account(NUMBER)
    lease = desk.lease(desk.alice, "ONBOARD_TAKEOVER")
    assert desk.part() is PartState.ABSENT
    desk.rotate(desk.alice, lease)
    assert desk.vault.accounts.get(desk.alice.actor, NUMBER).account.custody is Custody.ONBOARDING
    rotation = desk.plan(desk.alice, lease, PartKind.MFA)
    desk.vault.rotations.display(desk.alice.actor, rotation.id)
    desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    assert desk.vault.accounts.get(desk.alice.actor, NUMBER).account.custody is Custody.HELD
    assert types(desk.world, NUMBER)[-1] == "custody.held"
    desk.check_in(desk.alice, lease)
    assert {desk.part(kind) for kind in PartKind} == {PartState.HELD}


# --- refused, abandoned


def test_a_refused_value_leaves_the_old_one_in_use(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.show(desk.alice, rotation)
    assert desk.attest(desk.alice, rotation, Outcome.REFUSED).state is RotationState.REFUSED
    assert (desk.part(), desk.labels()) == (PartState.IN_USE, [VersionLabel.CURRENT, VersionLabel.FAILED])
    assert desk.reveal(desk.alice, lease) == PASSWORD
    with desk.refused("version.absent"):
        desk.reveal(desk.alice, lease, 2)
    assert desk.plan(desk.alice, lease).version == 3


def test_a_first_value_that_is_refused_leaves_nothing(desk: Desk) -> None:
    desk.world.account(NUMBER)
    lease = desk.lease(desk.alice, "ONBOARD_TAKEOVER")
    rotation = desk.plan(desk.alice, lease)
    desk.show(desk.alice, rotation)
    desk.attest(desk.alice, rotation, Outcome.REFUSED)
    assert (desk.part(), desk.labels()) == (PartState.ABSENT, [VersionLabel.FAILED])
    with desk.refused("version.absent", NotFound):
        desk.reveal(desk.alice, lease)
    desk.rotate(desk.alice, lease)
    assert desk.labels() == [VersionLabel.FAILED, VersionLabel.CURRENT]


def test_a_plan_is_abandoned_only_before_anyone_saw_it(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    assert desk.vault.rotations.abandon(desk.alice.actor, rotation.id).state is RotationState.ABANDONED
    assert desk.labels() == [VersionLabel.CURRENT, VersionLabel.FAILED]
    for again in (desk.vault.rotations.abandon, desk.vault.rotations.display):
        with desk.refused("rotation.state"):
            again(desk.alice.actor, rotation.id)
    other = desk.plan(desk.alice, lease)
    desk.show(desk.alice, other)
    with desk.refused("rotation.state"):
        desk.vault.rotations.abandon(desk.alice.actor, other.id)
    desk.attest(desk.alice, other, Outcome.REFUSED)


def test_a_plan_outlives_its_lease_and_the_next_holder_goes_on(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    with desk.refused("policy.denied", Forbidden):
        desk.show(desk.alice, rotation)
    desk.lease(desk.bob)
    desk.console.reset_password(desk.show(desk.bob, rotation))
    assert desk.attest(desk.bob, rotation, Outcome.ACCEPTED).displayed_by == desk.bob.actor.id


# --- verified


def test_a_second_person_proves_it_and_the_old_one_is_retired(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.rotate(desk.alice, lease)
    with desk.refused("policy.second_person", Forbidden):
        desk.vault.attestations.verify(desk.alice.actor, rotation.id, "I saw it myself")
    verified = desk.vault.attestations.verify(desk.bob.actor, rotation.id, "signed in beside her")
    assert (verified.state, verified.evidence) == (RotationState.VERIFIED, Evidence.SECOND_PERSON)
    assert desk.labels() == [VersionLabel.RETIRED, VersionLabel.CURRENT]
    for wanted in (VersionLabel.PREVIOUS, 1):
        with pytest.raises((NotFound, Conflict), check=lambda error: error.code == "version.absent"):
            desk.reveal(desk.alice, lease, wanted)
    with desk.refused("rotation.state"):
        desk.vault.attestations.verify(desk.bob.actor, rotation.id, "once more")


def test_a_later_use_proves_it_to_whoever_set_it(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.rotate(desk.alice, lease)
    desk.reveal(desk.alice, lease)
    with desk.refused("policy.second_person", Forbidden):
        desk.vault.attestations.verify(desk.alice.actor, rotation.id, "used in the same checkout")
    desk.check_in(desk.alice, lease)
    lease = desk.lease(desk.alice)
    with desk.refused("policy.second_person", Forbidden):
        desk.vault.attestations.verify(desk.alice.actor, rotation.id, "not used yet")
    desk.reveal(desk.alice, lease)
    verified = desk.vault.attestations.verify(desk.alice.actor, rotation.id, "signed in with it")
    assert verified.evidence is Evidence.LATER_USE


def test_a_use_that_failed_proves_nothing(desk: Desk, broken_keys: KeyService) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.rotate(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    lease = desk.lease(desk.alice)
    with pytest.raises(KeysUnavailable):
        with_keys(desk.world, broken_keys).vault.reveals.password(desk.alice.actor, lease.id)
    with desk.refused("policy.second_person", Forbidden):
        desk.vault.attestations.verify(desk.alice.actor, rotation.id, "it was about to be shown")


def test_several_previous_ones_stay_until_the_newest_is_proven(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    passwords, rotations = [PASSWORD], []
    for _ in range(3):
        rotations.append(desk.rotate(desk.alice, lease))
        passwords.append(desk.console.password or "")
    assert desk.labels() == [VersionLabel.PREVIOUS] * 3 + [VersionLabel.CURRENT]
    assert [desk.reveal(desk.alice, lease, number) for number in (1, 2, 3, 4)] == passwords
    desk.vault.attestations.verify(desk.bob.actor, rotations[-1].id, "signed in beside her")
    assert desk.labels() == [VersionLabel.RETIRED] * 3 + [VersionLabel.CURRENT]
    with desk.vault.units.read() as unit:
        states = {rotation.state for rotation in unit.rotations.of_account(NUMBER, 9)}
    assert states == {RotationState.VERIFIED}


def test_proving_an_older_one_retires_only_what_came_before_it(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    first = desk.rotate(desk.alice, lease)
    desk.rotate(desk.alice, lease)
    desk.vault.attestations.verify(desk.bob.actor, first.id, "signed in before the second rotation")
    assert desk.labels() == [VersionLabel.RETIRED, VersionLabel.PREVIOUS, VersionLabel.CURRENT]


def test_proof_needs_words(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.rotate(desk.alice, lease)
    for note in ("", "  ", "x" * 501):
        with desk.refused("input.invalid", Invalid):
            desk.vault.attestations.verify(desk.bob.actor, rotation.id, note)


# --- who, when, how often


def test_only_the_leases_holder_plans_shows_and_says(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    bob = desk.bob.actor
    for attempt in (
        lambda: desk.vault.rotations.plan(bob, lease.id, PartKind.MFA, Secret(SEED)),
        lambda: desk.vault.rotations.display(bob, rotation.id),
        lambda: desk.vault.rotations.abandon(bob, rotation.id),
        lambda: desk.vault.attestations.attest(bob, rotation.id, Outcome.ACCEPTED),
    ):
        with desk.refused("policy.denied", Forbidden):
            attempt()
    assert types(desk.world, NUMBER, outcome="denied") == ["access.denied"] * 4


def test_showing_needs_a_fresh_factor(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    desk.world.clock.advance(minutes=6)
    with desk.refused("auth.step_up_required", Unauthenticated):
        desk.show(desk.alice, rotation)
    assert desk.state(rotation) is RotationState.PLANNED
    desk.vault.checkouts.step_up(desk.alice.actor, lease.id, desk.alice.otp())
    desk.show(desk.alice, rotation)


def test_nothing_is_said_of_what_was_not_shown(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    for outcome in Outcome:
        with desk.refused("rotation.state"):
            desk.attest(desk.alice, rotation, outcome)
    assert desk.labels() == [VersionLabel.CURRENT, VersionLabel.STAGED]


def test_a_part_has_one_open_rotation_and_two_parts_may_have_two(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    with desk.refused("rotation.conflict") as caught:
        desk.plan(desk.alice, lease)
    assert caught.value.facts["rotation"] == rotation.id
    other = desk.plan(desk.alice, lease, PartKind.MFA)
    desk.show(desk.alice, rotation)
    desk.vault.rotations.display(desk.alice.actor, other.id)
    desk.check_in(desk.alice, lease)
    assert {desk.part(kind) for kind in PartKind} == {PartState.UNKNOWN}


def test_a_disclosed_password_is_due_until_it_is_replaced(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    desk.reveal(desk.alice, lease)
    assert Due.DISCLOSED in desk.vault.accounts.get(desk.alice.actor, NUMBER).parts[0].due
    desk.rotate(desk.alice, lease)
    assert desk.vault.accounts.get(desk.alice.actor, NUMBER).parts[0].due == ()


def test_displays_count_toward_no_quota_and_reveals_do(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    for _ in range(desk.vault.policy.limits.reveals_per_checkout + 1):
        desk.show(desk.alice, rotation)
    for _ in range(desk.vault.policy.limits.reveals_per_checkout):
        desk.reveal(desk.alice, lease)
    with pytest.raises(VaultError, check=lambda error: error.code == "reveal.quota"):
        desk.reveal(desk.alice, lease)
    desk.attest(desk.alice, rotation, Outcome.REFUSED)


@pytest.mark.parametrize("pasted", ["", "too short", "01890189", "otpauth://hotp/x?secret=" + SEED])
def test_a_seed_that_aws_never_shows_is_refused_and_nothing_is_kept(desk: Desk, pasted: str) -> None:
    lease = desk.held().lease(desk.alice)
    with desk.refused("seed.invalid", Invalid) as caught:
        desk.vault.rotations.plan(desk.alice.actor, lease.id, PartKind.MFA, Secret(pasted))
    assert not pasted or pasted not in str(caught.value)
    assert desk.labels(PartKind.MFA) == [VersionLabel.CURRENT]
