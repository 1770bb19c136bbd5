"""Break-glass: who may, what it waives and what not, whom it interrupts, and the review that frees the account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from vault.domain.account import Custody
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState, Verdict
from vault.domain.credential import PartKind, PartState
from vault.domain.event import EventType
from vault.domain.ids import new_id
from vault.domain.person import Grant
from vault.domain.reason import Situation
from vault.domain.rotation import Outcome, RotationState
from vault.errors import Blocked, Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from vault.services.asking import Ask

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.domain.checkout import Checkout
    from vault.domain.proposal import Proposal

NUMBER, OTHER = "111122223333", "444455556666"
WHY = "production is down and nobody else answers the phone"
PEOPLE = {
    "olga": Role.OPERATOR,
    "gus": Role.OPERATOR,
    "ada": Role.APPROVER,
    "amy": Role.ADMIN,
    "ann": Role.ADMIN,
    "uma": Role.AUDITOR,
}


@pytest.fixture
def world(quick_world: World) -> World:
    """Take one account into custody; gus is enabled to break the glass."""
    quick_world.held(NUMBER)
    for name, role in PEOPLE.items():
        quick_world.human(name, role)
    enable(quick_world, "gus")
    quick_world.clock.advance(hours=25)
    return quick_world


def enable(world: World, name: str, scope: Scope | None = None) -> Proposal:
    """Let two administrators enable somebody."""
    amy, ann = world.people["amy"], world.people["ann"]
    person = world.people[name].actor.id
    made = world.vault.glass.enable(amy.actor, person, scope or Scope(), "on duty at night", amy.otp())
    return world.vault.proposals.confirm(ann.actor, made.id, ann.otp())


def glass(
    world: World,
    who: str = "gus",
    reason: str = "BILL_ROOT",
    number: str = NUMBER,
    seconds: int | None = None,
) -> Checkout:
    """Break the glass."""
    ask = Ask(number, reason, "INC-7", WHY, seconds, break_glass=True)
    return world.vault.asking.ask(world.people[who].actor, ask)


def begun(world: World, who: str = "gus", reason: str = "BILL_ROOT") -> Checkout:
    """Break it and begin the lease."""
    human = world.people[who]
    return world.vault.checkouts.step_up(human.actor, glass(world, who, reason).id, human.otp())[0]


def review(world: World, checkout: Checkout, who: str = "ada") -> Checkout:
    """Review it."""
    human, sentence = world.people[who], "looked at the ticket and at every entry"
    return world.vault.glass.review(human.actor, checkout.id, Verdict.JUSTIFIED, sentence, human.otp())


def situation(world: World) -> Situation:
    """Say where the account stands."""
    return world.vault.accounts.get(world.people["ada"].actor, NUMBER).situation


def test_over_a_held_lease_with_a_displayed_rotation_to_its_review(world: World) -> None:
    vault, olga, gus = world.vault, world.people["olga"], world.people["gus"]
    held = world.lease(olga, reason="CRED_ROTATE")
    plan = vault.rotations.plan(olga.actor, held.id, PartKind.PASSWORD)
    vault.rotations.display(olga.actor, plan.id)
    before = len(entries(world))
    broken = glass(world)
    assert (broken.state, broken.approvals_needed, broken.revoked_id) == (CheckoutState.APPROVED, 0, held.id)
    told = entries(world)[before:]
    assert [each["type"] for each in told] == [
        EventType.ROTATION_UNKNOWN,
        EventType.CHECKOUT_REVOKED,
        EventType.CHECKOUT_REQUESTED,
        EventType.BREAK_GLASS_BEGUN,
    ]
    assert {each["time"] for each in told} == {told[0]["time"]}
    assert told[3]["detail"]["revoked_person"] == olga.actor.id
    ended = vault.views.checkout(olga.actor, held.id).checkout
    assert (ended.state, ended.ended_by) == (CheckoutState.REVOKED, gus.actor.id)
    assert vault.views.rotation(olga.actor, plan.id).rotation.state is RotationState.UNKNOWN
    with pytest.raises(Conflict):
        vault.reveals.password(olga.actor, held.id)

    vault.checkouts.step_up(gus.actor, broken.id, gus.otp())
    vault.reveals.password(gus.actor, broken.id)
    vault.reveals.code(gus.actor, broken.id)
    with pytest.raises(Conflict):
        review(world, broken)  # not while it goes on
    vault.checkouts.check_in(gus.actor, broken.id)
    view = vault.accounts.get(olga.actor, NUMBER)
    assert (view.situation, view.missing) == (Situation.REVIEW, ("rotation", "review"))
    for reason in ("BILL_ROOT", "INCIDENT"):
        with pytest.raises(Blocked) as closed:
            world.ask(olga, reason=reason)
        assert closed.value.code == "review.due"
    with pytest.raises(Blocked):
        glass(world)

    # the interrupted rotation is settled, and the account is still not free
    turn = world.lease(olga, reason="CRED_ROTATE")
    vault.attestations.attest(olga.actor, plan.id, Outcome.REFUSED)
    again = vault.rotations.plan(olga.actor, turn.id, PartKind.PASSWORD)
    vault.rotations.display(olga.actor, again.id)
    vault.attestations.attest(olga.actor, again.id, Outcome.ACCEPTED)
    vault.checkouts.check_in(olga.actor, turn.id)
    assert vault.accounts.get(olga.actor, NUMBER).missing == ("review",)
    assert [each.id for each in vault.glass.waiting(world.people["ada"].actor)] == [broken.id]
    done = review(world, broken)
    assert (done.verdict, done.reviewed_by) == (Verdict.JUSTIFIED, world.people["ada"].actor.id)
    assert (situation(world), vault.glass.waiting(world.people["ada"].actor)) == (Situation.HELD, ())
    world.lease(olga)


def test_the_review_alone_does_not_free_what_was_disclosed(world: World) -> None:
    broken = begun(world)
    world.vault.reveals.password(world.people["gus"].actor, broken.id)
    world.vault.checkouts.check_in(world.people["gus"].actor, broken.id)
    review(world, broken)
    assert situation(world) is Situation.DUE


def test_what_nobody_used_is_reviewed_as_well(world: World) -> None:
    broken = glass(world)
    world.vault.checkouts.cancel(world.people["gus"].actor, broken.id)
    assert situation(world) is Situation.REVIEW
    review(world, broken)
    assert situation(world) is Situation.HELD


def test_due_and_approvals_are_waived_and_nothing_else(world: World) -> None:
    vault, olga, gus = world.vault, world.people["olga"], world.people["gus"]
    first = world.lease(olga)
    vault.reveals.password(olga.actor, first.id)
    vault.checkouts.check_in(olga.actor, first.id)
    with pytest.raises(Blocked):
        world.ask(gus)
    # one reason needs an approval, the account is due; neither matters here
    broken = begun(world, reason="IAM_RESTORE")
    assert broken.granted_seconds == 3600
    vault.checkouts.check_in(gus.actor, broken.id)
    review(world, broken)
    # the sentence, the ticket, the duration, the kind of account, the factor stay
    with pytest.raises(Invalid):
        vault.asking.ask(
            gus.actor, Ask(NUMBER, "BILL_ROOT", "INC-7", "too short a sentence", break_glass=True)
        )
    with pytest.raises(Invalid):
        vault.asking.ask(gus.actor, Ask(NUMBER, "BILL_ROOT", "!", WHY, break_glass=True))
    with pytest.raises(Forbidden):
        glass(world, reason="INCIDENT", seconds=3601)
    with pytest.raises(Conflict) as custody:
        glass(world, reason="HANDOVER")
    assert custody.value.code == "custody.state"
    open_again = glass(world)
    with pytest.raises(Conflict):
        vault.reveals.password(gus.actor, open_again.id)
    with pytest.raises(Unauthenticated):
        vault.checkouts.step_up(gus.actor, open_again.id, "000000")


def test_a_freeze_is_not_waived_and_nobody_is_interrupted_for_it(world: World) -> None:
    held = world.lease(world.people["olga"])
    world.vault.freezes.freeze(world.people["amy"].actor, f"account:{NUMBER}")
    with pytest.raises(Blocked) as refused:
        glass(world)
    assert refused.value.code == "frozen"
    assert (
        world.vault.views.checkout(world.people["olga"].actor, held.id).checkout.state is CheckoutState.ACTIVE
    )


@pytest.mark.parametrize("custody", [Custody.CLOSED, Custody.DEAD])
def test_closed_and_dead_accounts_open_by_it_alone(world: World, custody: Custody) -> None:
    with world.vault.units.write() as unit:
        account = unit.accounts.lock(NUMBER)
        assert account is not None
        unit.accounts.update(replace(account, custody=custody))
        unit.commit()
    with pytest.raises(Conflict):
        world.ask(world.people["olga"])
    broken = begun(world)
    world.vault.reveals.password(world.people["gus"].actor, broken.id)
    world.vault.checkouts.check_in(world.people["gus"].actor, broken.id)
    assert situation(world) is Situation.REVIEW
    review(world, broken)
    with world.vault.units.write() as unit:  # the back door is shut again, so that the log leads to the state
        unit.accounts.update(account)
        unit.commit()


@pytest.mark.parametrize("custody", [Custody.RELEASED, Custody.KEYLESS])
def test_what_is_not_ours_stays_shut(world: World, custody: Custody) -> None:
    with world.vault.units.write() as unit:
        account = unit.accounts.lock(NUMBER)
        assert account is not None
        unit.accounts.update(replace(account, custody=custody))
        unit.commit()
    with pytest.raises(Conflict):
        glass(world)
    with world.vault.units.write() as unit:
        unit.accounts.update(account)
        unit.commit()


def test_only_who_was_enabled(world: World) -> None:
    vault, olga, gus = world.vault, world.people["olga"], world.people["gus"]
    with pytest.raises(Forbidden) as closed:
        glass(world, "olga")
    assert closed.value.facts["rule"] == "break-glass"
    assert entries(world)[-1]["detail"]["code"] == "policy.denied"
    world.held(OTHER)
    narrow = enable(world, "olga", Scope(ScopeKind.ACCOUNT, OTHER))
    with pytest.raises(Forbidden):
        glass(world, "olga", number=OTHER)  # the hold is not over
    world.clock.advance(hours=25)
    glass(world, "olga", number=OTHER)
    with pytest.raises(Forbidden):
        glass(world, "olga")
    # taken away by one, at once
    vault.proposals.end(world.people["amy"].actor, narrow.id, "not on duty any more")
    assert vault.views.mine(olga.actor) == ()
    with pytest.raises(Forbidden):
        glass(world, "olga", number=OTHER)
    # who administers never may, whatever was agreed to before
    admin = replace(gus.actor, powers=(*gus.actor.powers, *world.people["amy"].actor.powers))
    with pytest.raises(Forbidden):
        vault.asking.ask(admin, Ask(NUMBER, "BILL_ROOT", "INC-7", WHY, break_glass=True))


def test_nobody_enables_themselves_or_an_administrator(world: World) -> None:
    vault, amy, ann = world.vault, world.people["amy"], world.people["ann"]
    for person in (amy, ann):
        with pytest.raises(Forbidden):
            vault.glass.enable(amy.actor, person.actor.id, Scope(), "on duty at night", amy.otp())
    with pytest.raises(Forbidden):
        vault.glass.enable(
            world.people["gus"].actor, world.people["gus"].actor.id, Scope(), "on duty at night", "000000"
        )
    made = vault.glass.enable(
        amy.actor, world.people["olga"].actor.id, Scope(), "on duty at night", amy.otp()
    )
    with pytest.raises(Forbidden):
        vault.proposals.confirm(amy.actor, made.id, amy.otp())  # the same person twice
    with pytest.raises(NotFound):
        vault.proposals.confirm(world.people["olga"].actor, "nothing", "000000")
    with pytest.raises(Forbidden):
        glass(world, "olga")


@pytest.mark.parametrize("is_begun", [False, True])
def test_what_rests_on_it_ends_when_it_is_taken_away(world: World, is_begun: bool) -> None:
    gus, amy = world.people["gus"], world.people["amy"]
    world.held(OTHER)
    usual = world.lease(gus, OTHER)
    checkout = begun(world) if is_begun else glass(world)
    enabling = world.vault.glass.enabled(gus.actor.id)[0]
    world.vault.proposals.end(amy.actor, enabling.id, "the laptop was stolen")
    assert [each.id for each in world.vault.views.mine(gus.actor)] == [usual.id]
    with pytest.raises(Conflict):
        world.vault.checkouts.step_up(gus.actor, checkout.id, gus.otp())


def test_it_is_looked_at_again_when_the_lease_begins(world: World) -> None:
    gus, checkout, now = world.people["gus"], glass(world), world.clock.now()
    with world.vault.units.write() as unit:
        unit.people.add_grant(Grant(new_id(), gus.actor.id, Role.ADMIN, Scope(), "test", now, "test", now))
        unit.commit()
    with pytest.raises(Forbidden) as refused:
        world.vault.checkouts.step_up(gus.actor, checkout.id, gus.otp())
    assert refused.value.facts["rule"] == "break-glass"


def test_who_was_shut_out_comes_back_without_it(world: World) -> None:
    vault, amy, gus = world.vault, world.people["amy"], world.people["gus"]
    vault.people.disable(amy.actor, gus.actor.id)
    assert vault.glass.enabled(gus.actor.id) == ()
    ended = entries(world, type=EventType.PROPOSAL_ENDED)[-1]["detail"]
    assert (ended["kind"], ended["about"]) == ("break_glass", gus.actor.id)
    with pytest.raises(NotFound):
        vault.glass.enable(amy.actor, gus.actor.id, Scope(), "on duty at night", amy.otp())


def test_a_role_that_the_provider_withholds_is_a_role_all_the_same(world: World) -> None:
    gus, now = world.people["gus"], world.clock.now()
    with world.vault.units.write() as unit:
        unit.people.add_grant(Grant(new_id(), gus.actor.id, Role.ADMIN, Scope(), "test", now, "test", now))
        unit.commit()
    # the session's groups took the role out of its powers, which must not add any
    with pytest.raises(Forbidden):
        glass(world)


def test_who_had_a_part_in_it_does_not_review_it(world: World) -> None:
    vault, gus = world.vault, world.people["gus"]
    # an operator who approves as well is interrupted; another one breaks the glass
    for name in ("olga", "gus"):
        human = world.people[name]
        human.actor = replace(human.actor, powers=(*human.actor.powers, *world.people["ada"].actor.powers))
    world.lease(world.people["olga"])
    broken = begun(world)
    vault.checkouts.check_in(gus.actor, broken.id)
    for name in ("gus", "olga"):
        with pytest.raises(Forbidden) as refused:
            review(world, broken, name)
        assert refused.value.code == "policy.second_person"
    for name in ("amy", "uma"):
        with pytest.raises(Forbidden):
            review(world, broken, name)
    with pytest.raises(Unauthenticated):
        vault.glass.review(
            world.people["ada"].actor, broken.id, Verdict.JUSTIFIED, "looked at all of it", "000000"
        )
    review(world, broken)
    with pytest.raises(Conflict):
        review(world, broken)


def test_nothing_is_revoked_where_the_request_is_refused(world: World) -> None:
    olga = world.people["olga"]
    held = world.lease(olga)
    for reason in ("HANDOVER", "NOTHING", "SUPPORT_PLAN"):
        with pytest.raises((Conflict, Invalid, Forbidden)):
            glass(world, reason=reason)
    assert world.vault.views.checkout(olga.actor, held.id).checkout.state is CheckoutState.ACTIVE
    # nor is one's own, or another broken glass
    enable(world, "olga")
    world.clock.advance(hours=25)
    broken = begun(world)
    with pytest.raises(Conflict) as claimed:
        glass(world, "olga")
    assert claimed.value.facts["holder"] == "gus"
    with pytest.raises(Conflict):
        glass(world)
    assert world.vault.views.checkout(olga.actor, broken.id).checkout.state is CheckoutState.ACTIVE


def test_an_unknown_part_opens_behind_glass(world: World) -> None:
    vault, olga = world.vault, world.people["olga"]
    held = world.lease(olga, reason="CRED_ROTATE")
    plan = vault.rotations.plan(olga.actor, held.id, PartKind.PASSWORD)
    vault.rotations.display(olga.actor, plan.id)
    vault.checkouts.check_in(olga.actor, held.id)
    assert situation(world) is Situation.UNKNOWN
    begun(world)
    with vault.units.read() as unit:
        assert unit.accounts.parts(NUMBER)[0].state is PartState.RECONCILING
