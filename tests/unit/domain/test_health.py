"""Health, the board's order and the recovery score: each rule from facts alone, and what each must not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from tests.support.builders import account
from vault.domain.account import Custodian, Custody, Kind
from vault.domain.board import AGE_MOST, KINDS, OVERDUE, UNVERIFIED, WEIGHTS, Stage, risk, stages
from vault.domain.credential import BLOCKING, Due, Part, PartKind, PartState, VersionOrigin
from vault.domain.due import Current, Marks, due_since
from vault.domain.health import (
    DUE_WHY,
    HELD,
    RANK,
    STEPS,
    WORDS,
    Contradicted,
    CredentialHealth,
    Health,
    Limits,
    Next,
    PartFacts,
    Why,
    health_of,
)
from vault.domain.recoverable import Fate, Loss, Means, Recoverable, fate, fates, score

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = timedelta(days=365)
LIMITS = Limits(grace=14 * DAY, check=100 * DAY)
NUMBER = "111122223333"
PASSWORD, MFA = PartKind.PASSWORD, PartKind.MFA


def current(kind: PartKind = PASSWORD, since: datetime = NOW - DAY, **facts: Any) -> Current:
    made = Current(kind, 2, VersionOrigin.GENERATED, weak=False, since=since)
    return replace(made, **facts)


def part(
    kind: PartKind = PASSWORD,
    state: PartState = PartState.HELD,
    due: dict[Due, datetime] | None = None,
    **facts: Any,
) -> PartFacts:
    made = PartFacts(Part(NUMBER, kind, state, NOW - 3 * DAY), current(kind), due or {})
    return replace(made, **facts)


def judged(*parts: PartFacts, custody: Custody = Custody.HELD) -> CredentialHealth:
    return health_of(custody, parts, LIMITS, NOW)


def test_what_is_due_is_told_with_since_when() -> None:
    since = NOW - 400 * DAY
    place = (NUMBER, PASSWORD, 2)
    found = due_since(
        NUMBER,
        current(
            since=since, origin=VersionOrigin.TAKEN_IN, weak=True, disclosed_at=NOW, restored_at=NOW - DAY
        ),
        Marks({place: NOW - 2 * DAY}, {place: since}, {NUMBER: (since - DAY, NOW - 5 * DAY, NOW)}),
        NOW,
        YEAR,
    )
    assert found == {
        Due.DISCLOSED: NOW,
        Due.INTAKE: since,
        Due.WEAK: since,
        Due.AGE: since + YEAR,
        Due.UNCHECKED: NOW - DAY,
        Due.LEAVER: NOW - 2 * DAY,
        # an incident that was found before the version came says nothing of it
        Due.INCIDENT: NOW - 5 * DAY,
        Due.REUSED: since,
    }
    assert list(found) == list(Due)


def test_what_is_marked_of_another_version_makes_nothing_due() -> None:
    other = (NUMBER, PASSWORD, 1)
    marks = Marks({other: NOW}, {other: NOW}, {NUMBER: (NOW - 2 * DAY,), "444455556666": (NOW,)})
    assert due_since(NUMBER, current(), marks, NOW, YEAR) == {}
    assert due_since(NUMBER, None, marks, NOW, YEAR) == {}


def test_only_what_somebody_may_know_or_used_blocks() -> None:
    assert {Due.DISCLOSED, Due.LEAVER, Due.INCIDENT} == BLOCKING


def test_a_credential_that_nothing_is_said_of_is_healthy() -> None:
    found = judged(part(), part(MFA))
    assert (found.health, found.since, found.next) == (Health.HEALTHY, None, Next.NOTHING)


@pytest.mark.parametrize("custody", sorted(set(Custody) - HELD))
def test_nothing_is_said_of_what_is_not_held(custody: Custody) -> None:
    found = judged(part(state=PartState.LOST), part(MFA, due={Due.WEAK: NOW}), custody=custody)
    assert found.health is Health.ABSENT
    assert found.next is (Next.TAKE_IN if custody is Custody.ONBOARDING else Next.NOTHING)
    assert not any(each.facts for each in found.parts)


@pytest.mark.parametrize(
    ("facts", "health", "step"),
    [
        (part(state=PartState.LOST), Health.LOST, Next.RECOVER),
        (part(state=PartState.ABSENT, current=None), Health.LOST, Next.RECOVER),
        (part(state=PartState.DESTROYED, current=None), Health.LOST, Next.RECOVER),
        (part(contradicted=(Contradicted("AWS says so", NOW),)), Health.OUT_OF_SYNC, Next.COMPARE),
        (part(state=PartState.UNKNOWN), Health.UNKNOWN, Next.FIND_OUT),
        (part(state=PartState.RECONCILING), Health.UNKNOWN, Next.FIND_OUT),
        (part(fault="envelope.tampered"), Health.UNKNOWN, Next.DRILL),
        (part(fault="drill.wrap_missing"), Health.UNCHECKED, Next.REWRAP),
        (part(due={Due.INTAKE: NOW - 14 * DAY}), Health.OVERDUE, Next.ROTATE),
        (part(due={Due.INTAKE: NOW - 14 * DAY + timedelta(seconds=1)}), Health.DUE, Next.ROTATE),
        (part(due={Due.UNCHECKED: NOW}), Health.UNCHECKED, Next.ROTATE),
        (part(current=current(since=NOW - 100 * DAY)), Health.UNCHECKED, Next.DRILL),
        (
            part(current=current(since=NOW - 400 * DAY), opened_at=NOW - 99 * DAY),
            Health.HEALTHY,
            Next.NOTHING,
        ),
        (
            part(current=current(since=NOW - 99 * DAY), opened_at=NOW - 400 * DAY),
            Health.HEALTHY,
            Next.NOTHING,
        ),
        (part(state=PartState.IN_USE), Health.HEALTHY, Next.NOTHING),
        (part(state=PartState.ROTATING), Health.HEALTHY, Next.NOTHING),
    ],
)
def test_each_fact_makes_its_state(facts: PartFacts, health: Health, step: Next) -> None:
    for parts in ((facts, part(MFA)), (part(MFA), facts)):
        found = judged(*parts)
        assert (found.health, found.next) == (health, step)


def test_the_worst_fact_names_state_age_and_step_and_the_others_stay() -> None:
    found = judged(
        part(due={Due.INTAKE: NOW - 20 * DAY, Due.WEAK: NOW}),
        part(MFA, PartState.UNKNOWN, {Due.INTAKE: NOW - 30 * DAY}),
    )
    assert (found.health, found.since, found.next) == (Health.UNKNOWN, NOW - 3 * DAY, Next.FIND_OUT)
    assert [fact.why for fact in found.parts[0].facts] == [Why.DUE_INTAKE, Why.DUE_WEAK]
    assert [fact.why for fact in found.parts[1].facts] == [Why.OUTCOME_UNKNOWN, Why.DUE_INTAKE]


def test_everything_that_can_be_said_has_words_a_rank_and_a_weight() -> None:
    assert set(WORDS) == set(WEIGHTS) == set(Why)
    assert set(STEPS) == set(Next)
    assert set(RANK) == set(Health)
    assert set(DUE_WHY) == set(Due)
    assert set(KINDS) == set(Kind)


def test_no_heap_of_lesser_facts_passes_lost_out_of_sync_or_unknown() -> None:
    levels = [
        {Why.NOTHING_WORKS, Why.NO_VALUE},
        {Why.CONTRADICTED},
        {Why.OUTCOME_UNKNOWN, Why.OPENS_NOT},
    ]
    for at, level in enumerate(levels):
        above = set().union(*levels[: at + 1])
        heap = (
            sum(WEIGHTS[why] for why in set(Why) - above)
            + max(KINDS.values())
            + OVERDUE
            + UNVERIFIED
            + AGE_MOST
        )
        assert min(WEIGHTS[why] for why in level) > heap


def test_risk_adds_up_and_counts_each_fact_once() -> None:
    both = judged(part(due={Due.INTAKE: NOW - 20 * DAY}), part(MFA, due={Due.INTAKE: NOW - 20 * DAY}))
    expected = WEIGHTS[Why.DUE_INTAKE] + OVERDUE + 20
    assert risk(both, Kind.MEMBER, NOW, unverified=False) == expected
    assert risk(both, Kind.PAYER, NOW, unverified=True) == expected + KINDS[Kind.PAYER] + UNVERIFIED
    old = judged(part(due={Due.INTAKE: NOW - 900 * DAY}))
    assert risk(old, Kind.MEMBER, NOW, unverified=False) == WEIGHTS[Why.DUE_INTAKE] + OVERDUE + AGE_MOST
    sound = judged(part(), part(MFA))
    assert risk(sound, Kind.PAYER, NOW, unverified=False) == 0
    assert risk(sound, Kind.PAYER, NOW, unverified=True) == KINDS[Kind.PAYER] + UNVERIFIED


def test_a_credential_can_be_at_several_stages() -> None:
    found = judged(part(due={Due.INTAKE: NOW - 20 * DAY}), part(MFA, due={Due.INTAKE: NOW}))
    assert stages(found, in_progress=True, unverified=True) == set(Stage)
    assert stages(judged(part()), in_progress=False, unverified=False) == set()
    assert stages(judged(part(state=PartState.LOST)), in_progress=False, unverified=False) == {Stage.DUE}


BOTH = frozenset(PartKind)
NONE: frozenset[PartKind] = frozenset()
OURS, THEIRS, NOBODYS = Custodian.OURS, Custodian.CUSTOMER, Custodian.UNKNOWN


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        (Means(OURS, OURS, BOTH, BOTH), "kkk"),
        (Means(OURS, OURS, BOTH), "kkk"),
        (Means(OURS, OURS), "kll"),
        (Means(NOBODYS, NOBODYS, BOTH, BOTH), "kkk"),
        (Means(NOBODYS, NOBODYS, BOTH), "lkk"),
        (Means(THEIRS, THEIRS, BOTH), "ckk"),
        (Means(OURS, NOBODYS, BOTH), "lkk"),
        (Means(OURS, THEIRS, BOTH), "ckk"),
        (Means(OURS, OURS, frozenset({MFA})), "klk"),
        (Means(OURS, OURS, frozenset({PASSWORD})), "kll"),
        (Means(OURS, NOBODYS, frozenset({MFA}), frozenset({MFA})), "klk"),
        (Means(THEIRS, OURS, frozenset({MFA})), "clc"),
        (Means(NOBODYS, NOBODYS, NONE, NONE), "lll"),
    ],
)
def test_what_a_loss_takes(means: Means, expected: str) -> None:
    letters = {Fate.KEPT: "k", Fate.WITH_CUSTOMER: "c", Fate.LOST: "l"}
    assert "".join(letters[fate(means, loss)] for loss in Loss) == expected


def test_more_means_never_make_a_fate_worse() -> None:
    sets = [
        frozenset(kind for kind, taken in zip(PartKind, each, strict=True) if taken)
        for each in product((0, 1), repeat=2)
    ]
    order = list(Fate)
    for mailbox, phone, sound, loss in product(Custodian, Custodian, sets, Loss):
        least = order.index(fate(Means(mailbox, phone, sound), loss))
        assert order.index(fate(Means(OURS, phone, sound), loss)) <= least
        assert order.index(fate(Means(mailbox, OURS, sound), loss)) <= least
        assert order.index(fate(Means(mailbox, phone, BOTH), loss)) <= least
        assert order.index(fate(Means(mailbox, phone, sound, BOTH), loss)) <= least


def test_the_score_counts_who_is_kept_whatever_is_lost() -> None:
    some = [Means(OURS, OURS, BOTH), Means(THEIRS, OURS, BOTH), Means(NOBODYS, NOBODYS, BOTH)]
    found = score(Recoverable(account(), means, fates(means)) for means in some)
    assert (found.held, found.safe, found.percent) == (3, 1, 33)
    assert found.fates[Loss.VAULT] == {Fate.KEPT: 1, Fate.WITH_CUSTOMER: 1, Fate.LOST: 1}
    assert score(()).percent == 100
