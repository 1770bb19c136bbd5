"""The daily review of days that somebody filled up: nothing heavy is hidden, and every day can be signed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.services.test_reviews import MONDAY, look, next_day, note, rules, uma, words_for
from tests.support.events import entries
from vault.domain.actor import Origin, Role
from vault.domain.event import Event, EventType, Result
from vault.errors import Conflict, Invalid
from vault.services import notable
from vault.services.anomalies import TOGETHER, Rule
from vault.services.reviews import ANSWER_MAX, ANSWERS_BYTES, UNREAD, Signing
from vault.services.signin import stranger

if TYPE_CHECKING:
    from tests.support.world import World

FEW = 40
STRANGER = stranger(Origin("r", "203.0.113.9"))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill up a day with less."""
    monkeypatch.setattr(notable, "MOST", FEW)


def flood(world: World, count: int, network: str = "203.0.113.0/24") -> None:
    """Do what signing in does for a network that fails: refused ones, and counts of more."""
    with world.vault.units.write() as unit:
        for number in range(count):
            detail: dict[str, str | int | bool | None] = {"network": network}
            event = Event(EventType.SIGN_IN_REFUSED, STRANGER, Result.FAILED, detail=detail)
            if number % 4 == 3:
                detail["count"] = 20 * number
                event = Event(EventType.ACCESS_FLOOD, STRANGER, Result.FAILED, detail=detail)
            unit.log.record(event, world.clock.now())
        unit.commit()


def test_a_flood_from_outside_hides_nothing_and_wants_one_word(world: World) -> None:
    flood(world, FEW * 4)
    for _ in range(FEW + 1):
        note(world, Event(EventType.ACCESS_DENIED, STRANGER, Result.DENIED))
    auditor, alice = uma(world), world.human("alice", Role.OPERATOR).actor
    heavy = (EventType.ROLE_GRANTED, EventType.REVEAL_UNKNOWN, EventType.INCIDENT_OPENED)
    for kind in heavy:
        note(world, Event(kind, alice))
    note(world, Event(EventType.ACCESS_DENIED, alice, Result.DENIED))
    review = look(world)
    assert rules(review) == ["unknown_outcome", "incident", "flood", "role_granted", "denied", "denied"]
    (one,) = (each for each in review.found if each.rule is Rule.FLOOD)
    assert one.words == "40 refused, and 40 counts of up to 3180 at once, from 203.0.113.0/24"
    assert [each.leaves[0].who.name for each in review.found if each.rule is Rule.DENIED] == [
        "not signed in",
        "alice",
    ]
    assert review.unread == ("access.denied", "session.refused")
    next_day(world)
    review = look(world)
    some = {each.key: "seen" for each in review.found}
    with pytest.raises(Invalid) as caught:
        world.vault.reviews.sign(auditor.actor, MONDAY, Signing(review.digest, "looked at it all", some))
    assert [each.pointer for each in caught.value.errors] == [f"/answers/{UNREAD}"]
    world.vault.reviews.sign(auditor.actor, MONDAY, words_for(review, **{UNREAD: "read by hand"}))
    told = entries(world, type="review.signed")[-1]["detail"]
    assert (told["complete"], told["unread"], told[UNREAD]) == (
        False,
        "access.denied session.refused",
        "read by hand",
    )


def test_own_work_is_found_behind_any_number_of_looks(world: World) -> None:
    both, other = world.human("zoe", Role.AUDITOR), uma(world)
    for _ in range(FEW + 10):
        note(world, Event(EventType.AUDIT_VIEWED, both.actor))
    note(world, Event(EventType.ROLE_GRANTED, both.actor))
    next_day(world)
    review = world.vault.reviews.review(both.actor, MONDAY)
    assert "You did other work that day" in review.stands_in_the_way
    with pytest.raises(Conflict, match="did other work"):
        world.vault.reviews.sign(both.actor, MONDAY, words_for(review))
    for _ in range(FEW * 10):
        note(
            world,
            Event(EventType.REVIEW_SIGNED, both.actor, Result.DENIED, detail={"day": MONDAY.isoformat()}),
        )
    world.vault.reviews.sign(other.actor, MONDAY, words_for(look(world)))
    for _ in range(FEW * 10):
        note(
            world,
            Event(EventType.REVIEW_SIGNED, both.actor, Result.DENIED, detail={"day": MONDAY.isoformat()}),
        )
    (day,) = (each for each in world.vault.reviews.days(other.actor, 2) if each.day == MONDAY)
    assert day.state == "signed"


def test_more_of_a_rule_than_anybody_answers_are_one_and_the_signature_fits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notable, "MOST", 5_000)
    alice = world.human("alice", Role.OPERATOR).actor
    kinds = (
        EventType.OUTLET_LOST,
        EventType.TOKEN_ISSUED,
        EventType.REVEAL_UNKNOWN,
        EventType.VAULT_RESTORED,
    )
    with world.vault.units.write() as unit:
        for _ in range(3_400):
            unit.log.record(Event(EventType.INCIDENT_OPENED, alice), world.clock.now())
        for kind in kinds:
            for _ in range(TOGETHER):
                unit.log.record(Event(kind, alice), world.clock.now())
        unit.commit()
    for number in range(TOGETHER + 1):
        flood(world, 7, f"198.51.{number}.0/24")
    next_day(world)
    review = look(world)
    of = [each for each in review.found if each.rule in (Rule.INCIDENT, Rule.FLOOD)]
    assert [(each.count, len(each.leaves)) for each in of] == [
        (3_400, 3_400),
        (TOGETHER + 1, 7 * (TOGETHER + 1)),
    ]
    assert len(review.found) == len(kinds) * TOGETHER + 2
    assert review.complete
    listed = [{"entries": [leaf.index for leaf in each.leaves], "rule": each.rule} for each in review.found]
    text = json.dumps({"anomalies": listed, "unread": []}, separators=(",", ":"), sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == review.digest
    hardest = '"' * ANSWER_MAX
    too_long = Signing(review.digest, "seen them all", {each.key: hardest for each in review.found})
    with pytest.raises(Invalid, match="errors"):
        world.vault.reviews.sign(uma(world).actor, MONDAY, too_long)
    size = ANSWERS_BYTES // len(review.found) // 2 - 20
    fitting = {each.key: '"' * min(size, ANSWER_MAX) for each in review.found}
    world.vault.reviews.sign(uma(world).actor, MONDAY, Signing(review.digest, '"' * 500, fitting))
    (day,) = (each for each in world.vault.reviews.days(uma(world).actor, 2) if each.day == MONDAY)
    assert day.state == "signed"
