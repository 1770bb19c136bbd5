"""The main path through the use cases, on both databases: custody, asking, approval, reveal, check-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries, types
from tests.support.world import with_keys
from vault.crypto import totp
from vault.domain.account import Custody, Kind, Model
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState, Decision
from vault.domain.credential import Due, PartKind, VersionLabel
from vault.domain.rotation import Outcome
from vault.domain.secret import Secret
from vault.errors import (
    Blocked,
    Conflict,
    Forbidden,
    Invalid,
    KeysUnavailable,
    Limited,
    NotFound,
    Tampered,
    Unauthenticated,
)
from vault.ports.keys import KeyService
from vault.ports.store import RevealPurpose
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.custody import Existing

if TYPE_CHECKING:
    from tests.support.world import World

PASSWORD = "Correct-Horse-7-Battery"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NUMBER = "111122223333"


def rotate(world: World, name: str, checkout_id: str) -> None:
    """Rotate the password to acceptance."""
    who = world.human(name, Role.OPERATOR)
    planned = world.vault.rotations.plan(who.actor, checkout_id, PartKind.PASSWORD)
    world.vault.rotations.display(who.actor, planned.id)
    world.vault.attestations.attest(who.actor, planned.id, Outcome.ACCEPTED)


def test_what_is_taken_in_comes_out(world: World) -> None:
    alice = world.human("alice", Role.OPERATOR)
    world.held(NUMBER, PASSWORD, SEED)
    lease = world.lease(alice)
    revealed = world.vault.reveals.password(alice.actor, lease.id)
    assert revealed.value.expose() == PASSWORD
    code = world.vault.reveals.code(alice.actor, lease.id)
    step = totp.step_of(world.clock.now())
    assert code.code.expose() == totp.code_at(totp.parse_seed(Secret(SEED)), step).expose()
    assert code.valid_until == totp.step_end(step)
    returned, receipt = world.vault.checkouts.check_in(alice.actor, lease.id)
    assert returned.state is CheckoutState.CHECKED_IN
    assert receipt.index > revealed.receipt.index
    assert types(world, NUMBER)[-7:] == [
        "checkout.granted",
        "stepup.passed",
        "secret.reveal.authorized",
        "secret.reveal.released",
        "secret.reveal.authorized",
        "secret.reveal.released",
        "checkout.returned",
    ]


def test_an_account_is_held_only_with_both_parts(world: World) -> None:
    account = world.account()
    assert account.custody is Custody.ONBOARDING
    assert world.held("222233334444").custody is Custody.HELD


def test_taking_in_needs_a_word_that_it_works(world: World) -> None:
    world.account()
    carla = world.human("carla", Role.CUSTODIAN)
    unseen = Existing("root@msp.example", Secret(PASSWORD), Secret(SEED), attested=False)
    with pytest.raises(Invalid) as caught:
        world.vault.custodies.take_in(carla.actor, NUMBER, unseen, carla.otp())
    assert caught.value.errors[0].pointer == "/attested"


def test_taking_in_twice_is_refused(world: World) -> None:
    world.held()
    carla = world.human("carla", Role.CUSTODIAN)
    again = Existing("again@msp.example", Secret(PASSWORD), Secret(SEED), attested=True)
    with pytest.raises(Conflict) as caught:
        world.vault.custodies.take_in(carla.actor, NUMBER, again, carla.otp())
    assert caught.value.code == "custody.state"


def test_an_ecam_members_root_stays_the_customers(world: World) -> None:
    world.account(NUMBER, Kind.MEMBER, Model.ECAM)
    carla, alice = world.human("carla", Role.CUSTODIAN), world.human("alice", Role.OPERATOR)
    values = Existing("root@customer.example", Secret(PASSWORD), Secret(SEED), attested=True)
    with pytest.raises(Conflict) as caught:
        world.vault.custodies.take_in(carla.actor, NUMBER, values, carla.otp())
    assert caught.value.code == "custody.customer_held"
    with pytest.raises(Conflict) as caught:
        world.ask(alice)
    assert caught.value.code == "custody.customer_held"


def test_taken_in_values_are_due_and_still_open(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    view = world.vault.accounts.get(alice.actor, NUMBER)
    assert [part.due for part in view.parts] == [(Due.INTAKE,), (Due.INTAKE,)]
    assert world.ask(alice).state is CheckoutState.APPROVED


def test_a_disclosed_password_is_due_and_blocks_all_but_rotation(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    world.vault.reveals.password(alice.actor, lease.id)
    world.vault.checkouts.check_in(alice.actor, lease.id)
    with pytest.raises(Blocked) as caught:
        world.ask(alice)
    assert caught.value.code == "rotation.due"
    lease = world.lease(alice, NUMBER, "CRED_ROTATE")
    rotate(world, "alice", lease.id)
    world.vault.checkouts.check_in(alice.actor, lease.id)
    assert world.ask(alice).state is CheckoutState.APPROVED


def test_a_code_does_not_make_anything_due(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    world.vault.reveals.code(alice.actor, lease.id)
    world.vault.checkouts.check_in(alice.actor, lease.id)
    assert world.ask(alice).state is CheckoutState.APPROVED


def test_no_time_steps_code_is_given_twice(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    world.vault.reveals.code(alice.actor, lease.id)
    with pytest.raises(Conflict) as caught:
        world.vault.reveals.code(alice.actor, lease.id)
    assert caught.value.code == "otp.used"
    wait = caught.value.retry_after or 0
    assert 1 <= wait <= 31
    assert world.vault.views.checkout(alice.actor, lease.id).checkout.codes == 1
    world.clock.advance(seconds=wait)
    world.vault.reveals.code(alice.actor, lease.id)


def test_the_quota_of_a_checkout_ends(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    for _ in range(world.vault.policy.limits.reveals_per_checkout):
        world.vault.reveals.password(alice.actor, lease.id)
    with pytest.raises(Limited) as caught:
        world.vault.reveals.password(alice.actor, lease.id)
    assert caught.value.code == "reveal.quota"


def test_one_account_is_claimed_once_and_the_holder_is_named(world: World) -> None:
    world.held()
    alice, bob = world.human("alice", Role.OPERATOR), world.human("bob", Role.OPERATOR)
    world.ask(alice)
    with pytest.raises(Conflict) as caught:
        world.ask(bob)
    assert caught.value.code == "checkout.conflict"
    assert caught.value.facts["holder"] == "alice"
    assert types(world, NUMBER, outcome="denied") == ["checkout.requested"]


def test_a_lapsed_claim_gives_way(world: World) -> None:
    world.held()
    alice, bob = world.human("alice", Role.OPERATOR), world.human("bob", Role.OPERATOR)
    first = world.ask(alice)
    world.clock.advance(seconds=world.vault.policy.limits.use_seconds)
    assert world.ask(bob).state is CheckoutState.APPROVED
    assert world.vault.views.checkout(alice.actor, first.id).checkout.state is CheckoutState.LAPSED


def test_a_lease_that_time_has_ended_opens_nothing(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    world.clock.advance(seconds=lease.granted_seconds)
    assert world.vault.views.checkout(alice.actor, lease.id).checkout.state is CheckoutState.EXPIRED
    with pytest.raises(Conflict) as caught:
        world.vault.reveals.password(alice.actor, lease.id)
    assert caught.value.code == "checkout.expired"
    assert types(world, NUMBER)[-1] == "checkout.expired"


def test_a_factor_counts_for_one_checkout_one_session_and_five_minutes(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    elsewhere = replace(alice.actor, origin=replace(alice.actor.origin, session="another"))
    with pytest.raises(Unauthenticated) as caught:
        world.vault.reveals.password(elsewhere, lease.id)
    assert caught.value.code == "auth.step_up_required"
    world.clock.advance(seconds=world.vault.policy.limits.step_up_seconds)
    with pytest.raises(Unauthenticated):
        world.vault.reveals.password(alice.actor, lease.id)
    assert types(world, NUMBER, outcome="denied") == ["secret.reveal.refused"] * 2
    world.vault.checkouts.step_up(alice.actor, lease.id, alice.otp())
    world.vault.reveals.password(alice.actor, lease.id)


def test_someone_elses_checkout_opens_nothing(world: World) -> None:
    world.held()
    alice, bob = world.human("alice", Role.OPERATOR), world.human("bob", Role.OPERATOR)
    lease = world.lease(alice)
    with pytest.raises(Forbidden):
        world.vault.reveals.password(bob.actor, lease.id)
    with pytest.raises(Forbidden):
        world.vault.checkouts.step_up(bob.actor, lease.id, bob.otp())
    with pytest.raises(Forbidden):
        world.vault.checkouts.check_in(bob.actor, lease.id)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
def test_only_operators_ask(world: World, role: Role) -> None:
    world.held()
    other = world.human("other", role)
    with pytest.raises(Forbidden):
        world.ask(other)
    assert types(world, NUMBER, outcome="denied") == ["access.denied"]


def test_what_is_out_of_scope_does_not_exist(world: World) -> None:
    world.held()
    stranger = world.human("stranger", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, "999988887777"))
    with pytest.raises(NotFound) as theirs:
        world.ask(stranger)
    with pytest.raises(NotFound) as nothing:
        world.ask(stranger, "555566667777")
    assert theirs.value.detail.replace(NUMBER, "N") == nothing.value.detail.replace("555566667777", "N")
    assert [entry["outcome"] for entry in entries(world, type="access.denied")] == ["denied", "denied"]


def test_a_second_person_agrees_where_the_reason_needs_it(world: World) -> None:
    world.held()
    alice, ada = world.human("alice", Role.OPERATOR), world.human("ada", Role.APPROVER)
    request = world.ask(alice, NUMBER, "IAM_RESTORE")
    assert request.state is CheckoutState.PENDING_APPROVAL
    with pytest.raises(Conflict):
        world.vault.checkouts.step_up(alice.actor, request.id, alice.otp())
    word = Word(Decision.APPROVE, "seen the ticket", 600, request.content_hash)
    approved = world.vault.approvals.decide(ada.actor, request.id, word, ada.otp())
    assert (approved.state, approved.granted_seconds) == (CheckoutState.APPROVED, 600)
    lease, _ = world.vault.checkouts.step_up(alice.actor, request.id, alice.otp())
    assert lease.expires_at == world.clock.now() + timedelta(seconds=600)


def test_nobody_eligible_means_locked(world: World) -> None:
    world.held()
    with pytest.raises(Blocked) as caught:
        world.ask(world.human("alice", Role.OPERATOR), NUMBER, "IAM_RESTORE")
    assert caught.value.code == "approval.locked"
    assert "1 approver would be missing" in caught.value.detail


def test_an_approval_never_widens_and_never_covers_other_words(world: World) -> None:
    world.held()
    alice, ada = world.human("alice", Role.OPERATOR), world.human("ada", Role.APPROVER)
    request = world.ask(alice, NUMBER, "IAM_RESTORE")
    with pytest.raises(Invalid):
        world.vault.approvals.decide(ada.actor, request.id, Word(Decision.APPROVE, seconds=999999), ada.otp())
    with pytest.raises(Conflict) as caught:
        world.vault.approvals.decide(
            ada.actor, request.id, Word(Decision.APPROVE, content_hash="x"), ada.otp()
        )
    assert caught.value.code == "approval.changed"


def test_a_denial_ends_the_request(world: World) -> None:
    world.held()
    alice, ada = world.human("alice", Role.OPERATOR), world.human("ada", Role.APPROVER)
    request = world.ask(alice, NUMBER, "IAM_RESTORE")
    denied = world.vault.approvals.decide(
        ada.actor, request.id, Word(Decision.DENY, "no such ticket"), ada.otp()
    )
    assert denied.state is CheckoutState.DENIED
    assert world.ask(alice).state is CheckoutState.APPROVED


def test_an_otp_works_once(world: World) -> None:
    world.held()
    world.held("222233334444")
    alice = world.human("alice", Role.OPERATOR)
    one, two = world.ask(alice), world.ask(alice, "222233334444")
    otp = alice.otp()
    world.vault.checkouts.step_up(alice.actor, one.id, otp)
    with pytest.raises(Conflict) as caught:
        world.vault.checkouts.step_up(alice.actor, two.id, otp)
    assert caught.value.code == "otp.used"


def test_guessing_gets_slow(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    request = world.ask(alice)
    right = alice.otp()
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            world.vault.checkouts.step_up(alice.actor, request.id, wrong)
    with pytest.raises(Limited) as caught:
        world.vault.checkouts.step_up(alice.actor, request.id, right)
    assert caught.value.retry_after
    world.clock.advance(seconds=caught.value.retry_after)
    assert world.vault.checkouts.step_up(alice.actor, request.id, right)[0].state is CheckoutState.ACTIVE


def test_revoking_needs_a_reason_and_ends_the_lease(world: World) -> None:
    world.held()
    alice, ada = world.human("alice", Role.OPERATOR), world.human("ada", Role.APPROVER)
    lease = world.lease(alice)
    with pytest.raises(Invalid):
        world.vault.checkouts.revoke(ada.actor, lease.id, " ")
    world.vault.checkouts.revoke(ada.actor, lease.id, "the laptop was stolen")
    with pytest.raises(Conflict):
        world.vault.reveals.password(alice.actor, lease.id)


def test_stating_nothing_is_refused(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    with pytest.raises(Invalid) as caught:
        world.vault.asking.ask(alice.actor, Ask(NUMBER, "BILL_ROOT", "", "short"))
    assert [error.pointer for error in caught.value.errors] == ["/ticket", "/justification"]


def test_an_older_version_put_back_is_refused(world: World) -> None:
    """S10: what the log calls current is what opens, whatever the tables say."""
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice, NUMBER, "CRED_ROTATE")
    rotate(world, "alice", lease.id)
    with world.vault.units.write() as unit:
        old, new = (unit.versions.get(NUMBER, PartKind.PASSWORD, number) for number in (1, 2))
        assert old is not None
        assert new is not None
        unit.versions.relabel(new, VersionLabel.FAILED)
        unit.versions.relabel(old, VersionLabel.CURRENT, current_since=world.clock.now())
        unit.commit()
    with pytest.raises(Tampered, match="not the one the log calls current"):
        world.vault.reveals.password(alice.actor, lease.id)


def test_keys_that_are_down_disclose_nothing_and_leave_a_trace(world: World, broken_keys: KeyService) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    dark = with_keys(world, broken_keys)
    with pytest.raises(KeysUnavailable):
        dark.vault.reveals.password(alice.actor, lease.id)
    assert types(world, NUMBER)[-2:] == ["secret.reveal.authorized", "secret.reveal.failed"]
    dark.vault.checkouts.check_in(alice.actor, lease.id)


def test_a_disclosure_without_outcome_is_closed_as_unknown_and_due(world: World) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    now = world.clock.now()
    with world.vault.units.write() as unit:
        version = unit.versions.current(NUMBER, PartKind.PASSWORD)
        assert version is not None
        world.vault.reveals.authorize(unit, alice.actor, lease, version, RevealPurpose.USE, now)
        unit.commit()
    world.clock.advance(minutes=6)
    assert world.vault.sweep.once().reveals == 1
    assert types(world, NUMBER)[-1] == "secret.reveal.unknown"
    view = world.vault.accounts.get(alice.actor, NUMBER)
    assert Due.DISCLOSED in view.parts[0].due
