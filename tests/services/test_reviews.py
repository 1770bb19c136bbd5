"""The daily review: days without gaps, what stands out in them, and a signature that only the right one gives, once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.desk import NUMBER
from tests.support.events import entries
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.event import Event, EventType, Result
from vault.errors import Conflict, Forbidden, Invalid, NotFound, VaultError
from vault.services.anomalies import BURST, Rule
from vault.services.reviews import DayState, Review, Signing

if TYPE_CHECKING:
    from tests.support.desk import Desk
    from tests.support.world import Human, World

MONDAY = date(2026, 11, 23)
SENTENCE = "looked at each of them, nothing to follow up"


def uma(world: World) -> Human:
    return world.human("uma", Role.AUDITOR)


def look(world: World, day: date = MONDAY) -> Review:
    return world.vault.reviews.review(uma(world).actor, day)


def rules(review: Review) -> list[str]:
    return [each.rule.value for each in review.found]


def words_for(review: Review, **other: str) -> Signing:
    answers = {each.key: "seen, as it should be" for each in review.found}
    return Signing(review.digest, SENTENCE, {**answers, **other})


def next_day(world: World, days: int = 1) -> None:
    world.clock.at = world.clock.at.replace(hour=8) + timedelta(days=days)
    world.vault.days.once()


def note(world: World, event: Event) -> None:
    with world.vault.units.write() as unit:
        unit.log.record(event, world.clock.now())
        unit.commit()


def test_days_are_the_whole_log_without_gap_or_overlap(world: World) -> None:
    for _ in range(4):
        world.human(f"p{world.clock.at.day}", Role.CSM)
        note(world, Event(EventType.SIGNED_IN, uma(world).actor))
        next_day(world)
    days = world.vault.reviews.days(uma(world).actor)[::-1]
    assert days[0].stretch.first == 0
    assert [day.stretch.first for day in days[1:]] == [day.stretch.until for day in days[:-1]]
    with world.vault.units.read() as unit:
        assert days[-1].stretch.until == unit.ranges.size()
    assert [day.state for day in days] == ["red", "red", "red", "to_do", "running"]
    assert [day.day for day in world.vault.reviews.waiting()] == [
        MONDAY + timedelta(days=n) for n in range(3)
    ]
    world.clock.at = world.clock.at.replace(hour=0, minute=1)
    assert len(world.vault.reviews.waiting()) == 3


def test_a_day_is_signed_once_and_the_signature_names_what_was_looked_at(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    desk.reveal(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    next_day(desk.world)
    review = look(desk.world)
    assert rules(review) == ["not_rotated", "first_time"]
    signed, receipt = desk.vault.reviews.sign(uma(desk.world).actor, MONDAY, words_for(review))
    assert signed.state is DayState.SIGNED
    entry = entries(desk.world, type="review.signed")[0]
    assert entry["seq"] == receipt.index
    assert entry["detail"] == {
        "day": "2026-11-23",
        "first": 0,
        "size": review.day.stretch.until,
        "entries": review.day.stretch.count,
        "anomalies": 2,
        "digest": review.digest,
        "complete": True,
        "sentence": SENTENCE,
        **{each.key: "seen, as it should be" for each in review.found},
    }
    with pytest.raises(Conflict) as caught:
        desk.vault.reviews.sign(uma(desk.world).actor, MONDAY, words_for(review))
    assert caught.value.code == "review.state"
    assert "was signed by uma" in caught.value.detail
    days = desk.vault.reviews.days(uma(desk.world).actor)
    assert [(day.state, day.moved) for day in days] == [("running", False), ("signed", False)]
    assert look(desk.world).digest == review.digest


def test_what_is_not_ready_is_not_signed(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    auditor = uma(desk.world).actor
    review = look(desk.world)
    with pytest.raises(Conflict, match="not over"):
        desk.vault.reviews.sign(auditor, MONDAY, words_for(review))
    next_day(desk.world)
    review = look(desk.world)
    with pytest.raises(Conflict, match="has not written down"):
        desk.vault.reviews.sign(auditor, MONDAY, words_for(review))
    assert desk.vault.views.checkout(auditor, lease.id).checkout.state == "expired"
    desk.vault.sweep.once()
    review = look(desk.world)
    assert review.stands_in_the_way == ""
    with pytest.raises(Conflict, match="not the day you looked at"):
        desk.vault.reviews.sign(auditor, MONDAY, replace(words_for(review), digest="0" * 64))
    some = dict(words_for(review).answers)
    missing = some.popitem()[0]
    for wrong, place in (
        (Signing(review.digest, SENTENCE, some), f"/answers/{missing}"),
        (Signing(review.digest, "ok", words_for(review).answers), "/sentence"),
    ):
        with pytest.raises(Invalid) as caught:
            desk.vault.reviews.sign(auditor, MONDAY, wrong)
        assert [each.pointer for each in caught.value.errors] == [place]
    desk.vault.reviews.sign(auditor, MONDAY, words_for(review))
    for day in (MONDAY - timedelta(days=1), MONDAY + timedelta(days=2)):
        with pytest.raises(NotFound):
            look(desk.world, day)


def test_a_day_that_was_not_summed_up_waits(desk: Desk) -> None:
    desk.held()
    desk.world.clock.advance(days=1)
    review = look(desk.world)
    with pytest.raises(Conflict, match="has not written down"):
        desk.vault.reviews.sign(uma(desk.world).actor, MONDAY, words_for(review))
    desk.vault.days.once()
    desk.vault.reviews.sign(uma(desk.world).actor, MONDAY, words_for(look(desk.world)))


def test_who_did_other_work_that_day_does_not_review_it(desk: Desk) -> None:
    desk.held()
    both = desk.world.human("zoe", Role.AUDITOR)
    note(desk.world, Event(EventType.ACCESS_DENIED, both.actor, Result.DENIED))
    next_day(desk.world)
    zoe = desk.vault.reviews.review(both.actor, MONDAY)
    assert zoe.stands_in_the_way == ""
    next_day(desk.world)
    note(desk.world, Event(EventType.ROTATION_VERIFIED, both.actor, account_id=NUMBER))
    next_day(desk.world)
    day = MONDAY + timedelta(days=2)
    review = desk.vault.reviews.review(both.actor, day)
    with pytest.raises(Conflict, match="did other work"):
        desk.vault.reviews.sign(both.actor, day, words_for(review))
    assert entries(desk.world, type="review.signed")[-1]["outcome"] == "denied"
    desk.vault.reviews.sign(uma(desk.world).actor, day, words_for(review))


def test_a_part_of_the_log_cannot_be_reviewed(world: World) -> None:
    account = world.held()
    scoped = world.human("sue", Role.AUDITOR, Scope(ScopeKind.CUSTOMER, account.customer_id)).actor
    for who in (scoped, world.human("alice", Role.OPERATOR).actor):
        with pytest.raises(Forbidden):
            world.vault.reviews.days(who)
        with pytest.raises(Forbidden):
            world.vault.reviews.review(who, MONDAY)
    denied = entries(world, type="access.denied")
    assert {entry["detail"]["permission"] for entry in denied} == {"log.review"}


def test_two_who_sign_at_once_leave_one_signature(desk: Desk) -> None:
    desk.held()
    next_day(desk.world)
    reviewers = [uma(desk.world), desk.world.human("zoe", Role.AUDITOR)]
    review = look(desk.world)
    gate, outcomes = threading.Barrier(2), []

    def sign(who: Human) -> None:
        gate.wait()
        try:
            desk.vault.reviews.sign(who.actor, MONDAY, words_for(review))
            outcomes.append("signed")
        except VaultError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=sign, args=(who,)) for who in reviewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("signed") == 1
    done = [entry for entry in entries(desk.world, type="review.signed") if entry["outcome"] == "success"]
    assert len(done) == 1


def test_each_rule_finds_what_it_is_for(desk: Desk) -> None:
    desk.held()
    world, alice, bob = desk.world, desk.alice.actor, desk.bob.actor
    for _ in range(BURST):
        note(world, Event(EventType.SIGN_IN_REFUSED, alice, Result.DENIED))
    note(world, Event(EventType.STEP_UP_REFUSED, bob, Result.FAILED))
    for kind in (
        EventType.VAULT_RESTORED,
        EventType.INCIDENT_OPENED,
        EventType.OUTLET_LOST,
        EventType.ROLE_GRANTED,
        EventType.TOKEN_ISSUED,
        EventType.AUDIT_EXPORTED,
        EventType.POLICY_LOADED,
        EventType.CHECKOUT_REVOKED,
    ):
        note(world, Event(kind, alice))
    review = look(world)
    found = set(rules(review))
    assert found == {
        "restored", "incident", "outlet_lost", "role_granted", "token", "export", "revoked", "wrong_passwords",
        "failed_step_ups",
    }  # fmt: skip
    weights = [each.weight for each in review.found]
    assert weights == sorted(weights, reverse=True)
    assert len({each.key for each in review.found}) == len(review.found)
    units = world.vault.units
    other = replace(units, policy_hash=lambda: "f" * 64)  # type: ignore[type-var]  # the SQL units are a dataclass
    with other.write() as unit:
        unit.log.record(Event(EventType.POLICY_LOADED, alice), world.clock.now())
        unit.commit()
    assert set(rules(look(world))) == found | {"policy_changed"}


def test_an_hour_is_odd_only_for_who_has_a_habit(desk: Desk) -> None:
    desk.held()
    for _ in range(10):
        note(desk.world, Event(EventType.SIGNED_IN, desk.alice.actor))
        next_day(desk.world)
    desk.world.clock.at = desk.world.clock.at.replace(hour=3)
    for who in (desk.alice, desk.bob):
        lease = desk.lease(who)
        desk.check_in(who, lease)
    review = look(desk.world, desk.world.clock.at.date())
    odd = [each for each in review.found if each.rule is Rule.ODD_HOUR]
    assert [each.leaves[0].who.name for each in odd] == ["alice"]
    assert rules(review).count("first_time") == 2
    next_day(desk.world)
    desk.check_in(desk.alice, desk.lease(desk.alice))
    assert rules(look(desk.world, desk.world.clock.at.date())) == []


def test_trouble_stands_out(desk: Desk) -> None:
    world = desk.world
    system = uma(world).actor
    note(world, Event(EventType.BREAK_GLASS_BEGUN, system, account_id=NUMBER))
    note(world, Event(EventType.FREEZE_SET, system))
    note(world, Event(EventType.PROPOSAL_AGREED, system))
    for _ in range(2):
        note(world, Event(EventType.PASSKEY_SUSPECT, system, Result.DENIED))
    next_day(world)
    found = [(each.rule, each.weight, len(each.leaves)) for each in look(world).found]
    assert (Rule.BROKEN_GLASS, 3, 1) in found
    assert (Rule.FROZEN, 3, 1) in found
    assert (Rule.PASSKEY_SUSPECT, 3, 2) in found
    assert (Rule.TWO_AGREED, 2, 1) in found
