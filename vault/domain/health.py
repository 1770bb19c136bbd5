"""Health: what state each credential is in, why, and what to do next; computed from facts, never stored.

Decided here: the states and their order (the worst of a credential's parts is its own), which fact amounts to
which state, since when, and the next step. Never decided here: whether anything may be opened; that is
`due.due_causes`, `reason.situation` and the policy. Facts that nobody has looked at make no state: a
credential is `unchecked` where a look is owed and was not had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.account import Custody
from vault.domain.credential import Due, Part, PartKind, PartState
from vault.domain.due import Current
from vault.domain.hygiene import Rule


class Health(StrEnum):
    """The state of a part or of a whole credential; `RANK` says which is worse."""

    HEALTHY = "healthy"
    DUE = "due"
    UNCHECKED = "unchecked"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"
    OUT_OF_SYNC = "out_of_sync"
    LOST = "lost"
    ABSENT = "absent"


RANK: Final[Mapping[Health, int]] = {
    Health.ABSENT: 0,
    Health.HEALTHY: 1,
    Health.DUE: 2,
    Health.UNCHECKED: 3,
    Health.OVERDUE: 4,
    Health.UNKNOWN: 5,
    Health.OUT_OF_SYNC: 6,
    Health.LOST: 7,
}
"""The order of the states; the highest wins. Where a value may be wrong weighs more than where it is old."""


class Why(StrEnum):
    """A fact that keeps a part from being healthy."""

    NOTHING_WORKS = "nothing_works"
    NO_VALUE = "no_value"
    CONTRADICTED = "contradicted"
    OUTCOME_UNKNOWN = "outcome_unknown"
    DUE_DISCLOSED = "due_disclosed"
    DUE_INTAKE = "due_intake"
    DUE_WEAK = "due_weak"
    DUE_AGE = "due_age"
    DUE_LEAVER = "due_leaver"
    DUE_INCIDENT = "due_incident"
    DUE_REUSED = "due_reused"
    RESTORED = "restored"
    NOT_OPENED = "not_opened"
    OPENS_NOT = "opens_not"
    WRAPS_DIFFER = "wraps_differ"


class Next(StrEnum):
    """What to do about it."""

    NOTHING = "nothing"
    TAKE_IN = "take_in"
    RECOVER = "recover"
    COMPARE = "compare"
    FIND_OUT = "find_out"
    ROTATE = "rotate"
    DRILL = "drill"
    REWRAP = "rewrap"


DUE_WHY: Final[Mapping[Due, Why]] = {
    Due.DISCLOSED: Why.DUE_DISCLOSED,
    Due.INTAKE: Why.DUE_INTAKE,
    Due.WEAK: Why.DUE_WEAK,
    Due.AGE: Why.DUE_AGE,
    Due.UNCHECKED: Why.RESTORED,
    Due.LEAVER: Why.DUE_LEAVER,
    Due.INCIDENT: Why.DUE_INCIDENT,
    Due.REUSED: Why.DUE_REUSED,
}
"""Each cause of being due as a fact about health."""

HELD: Final = frozenset({Custody.HELD, Custody.IN_TRANSFER, Custody.CLOSING})
"""Custody in which we answer for the credential; in every other one it is `absent`. A closed account's stays sealed,
and nobody can rotate it (L1): what is due of it is due once the account was reopened."""

CONTRADICTING: Final[Mapping[Rule, PartKind]] = {
    Rule.MFA_OFF: PartKind.MFA,
    Rule.PASSWORD_GONE: PartKind.PASSWORD,
    Rule.EMAIL_DIFFERS: PartKind.PASSWORD,
}
"""Findings beside which a part as it is held cannot be true; the root e-mail is where a password is reset."""

LESSER_FAULTS: Final = frozenset({"drill.wrap_missing", "keys.unknown"})
"""Faults of a drill with which a value still opens, though not under the very keys that the settings name."""
_STATES: Final[Mapping[PartState, tuple[Health, Why, Next]]] = {
    PartState.LOST: (Health.LOST, Why.NOTHING_WORKS, Next.RECOVER),
    PartState.ABSENT: (Health.LOST, Why.NO_VALUE, Next.RECOVER),
    PartState.DESTROYED: (Health.LOST, Why.NO_VALUE, Next.RECOVER),
    PartState.UNKNOWN: (Health.UNKNOWN, Why.OUTCOME_UNKNOWN, Next.FIND_OUT),
    PartState.RECONCILING: (Health.UNKNOWN, Why.OUTCOME_UNKNOWN, Next.FIND_OUT),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long something may wait: `grace` from due to overdue, `check` between two looks at a sealed value."""

    grace: timedelta
    check: timedelta


@dataclass(frozen=True, slots=True)
class Contradicted:
    """What AWS tells that the vault's value cannot be true beside: in words, and since when."""

    words: str
    since: datetime


@dataclass(frozen=True, slots=True)
class PartFacts:
    """All that is known of a part now.

    `due` gives each cause with since when it holds. `opened_at` is when a drill last opened the current version under
    each of its keys, `fault` the code of what the last drill found wrong in it.
    """

    part: Part
    current: Current | None
    due: Mapping[Due, datetime]
    contradicted: tuple[Contradicted, ...] = ()
    opened_at: datetime | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One reason for a state: since when, what it makes of the part, what to do, and words where it has its own."""

    health: Health
    why: Why
    since: datetime
    next: Next
    words: str = ""


@dataclass(frozen=True, slots=True)
class PartHealth:
    """The health of one part with every fact behind it, the worst and then the oldest first."""

    kind: PartKind
    health: Health
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class CredentialHealth:
    """The health of a credential: the worst of its parts, since when, and the step to take first."""

    health: Health
    since: datetime | None
    next: Next
    parts: tuple[PartHealth, ...]


def health_of(
    custody: Custody, parts: tuple[PartFacts, ...], limits: Limits, now: datetime
) -> CredentialHealth:
    """Say in what state a credential is; the worst fact of any part names state, age and next step."""
    if custody not in HELD:
        step = Next.TAKE_IN if custody is Custody.ONBOARDING else Next.NOTHING
        absent = tuple(PartHealth(each.part.kind, Health.ABSENT, ()) for each in parts)
        return CredentialHealth(Health.ABSENT, None, step, absent)
    judged = tuple(part_health(each, limits, now) for each in parts)
    facts = sort_facts(fact for each in judged for fact in each.facts)
    if not facts:
        return CredentialHealth(Health.HEALTHY, None, Next.NOTHING, judged)
    return CredentialHealth(facts[0].health, facts[0].since, facts[0].next, judged)


def part_health(facts: PartFacts, limits: Limits, now: datetime) -> PartHealth:
    """Say in what state one part of a held credential is."""
    found: list[Fact] = []
    part, current = facts.part, facts.current
    if part.state in _STATES:
        health, why, step = _STATES[part.state]
        found.append(Fact(health, why, part.changed_at, step))
    found += (
        Fact(Health.OUT_OF_SYNC, Why.CONTRADICTED, each.since, Next.COMPARE, each.words)
        for each in facts.contradicted
    )
    found += (_due(cause, since, limits, now) for cause, since in facts.due.items())
    if current is not None:
        found += _looked_at(current, facts, limits, now)
    ordered = sort_facts(found)
    return PartHealth(part.kind, ordered[0].health if ordered else Health.HEALTHY, ordered)


def _looked_at(current: Current, facts: PartFacts, limits: Limits, now: datetime) -> Iterable[Fact]:
    """Say what the last drill found wrong, or that a drill is owed since the value came or was last opened."""
    looked = max(current.since, facts.opened_at or current.since)
    if facts.fault in LESSER_FAULTS:
        yield Fact(Health.UNCHECKED, Why.WRAPS_DIFFER, looked, Next.REWRAP, facts.fault)
    elif facts.fault:
        yield Fact(Health.UNKNOWN, Why.OPENS_NOT, looked, Next.DRILL, facts.fault)
    elif now - looked >= limits.check:
        yield Fact(Health.UNCHECKED, Why.NOT_OPENED, looked + limits.check, Next.DRILL)


def _due(cause: Due, since: datetime, limits: Limits, now: datetime) -> Fact:
    if now - since >= limits.grace:
        health = Health.OVERDUE
    else:
        health = Health.UNCHECKED if cause is Due.UNCHECKED else Health.DUE
    return Fact(health, DUE_WHY[cause], since, Next.ROTATE)


def sort_facts(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Put the worst first, and the oldest of what is alike."""
    return tuple(sorted(facts, key=lambda each: (-RANK[each.health], each.since)))


WORDS: Final[Mapping[Why, str]] = {
    Why.NOTHING_WORKS: "No value that is kept works at AWS.",
    Why.NO_VALUE: "The account is held, and there is no value to open it with.",
    Why.CONTRADICTED: "AWS tells of something that cannot be beside what is held.",
    Why.OUTCOME_UNKNOWN: "Nobody knows which of the kept values is set at AWS.",
    Why.DUE_DISCLOSED: "Somebody has seen this password.",
    Why.DUE_INTAKE: "It existed before us, so others may know it.",
    Why.DUE_WEAK: "It does not meet the rules for passwords.",
    Why.DUE_AGE: "It is older than the policy allows.",
    Why.DUE_LEAVER: "Somebody who was shut out may know it.",
    Why.DUE_INCIDENT: "An incident about this account is open, and the value is from before it was found.",
    Why.DUE_REUSED: "Another account had the same value when it was taken in.",
    Why.RESTORED: "It came out of a backup, and nobody has seen since then that AWS still takes it.",
    Why.NOT_OPENED: "No drill has opened it for too long.",
    Why.OPENS_NOT: "The last drill could not open it under each of its keys.",
    Why.WRAPS_DIFFER: "It is wrapped under other keys than those that the settings name.",
}
"""Each fact in a sentence."""

STEPS: Final[Mapping[Next, str]] = {
    Next.NOTHING: "Nothing to do.",
    Next.TAKE_IN: "Take its values in, or have a takeover checkout rotate both parts.",
    Next.RECOVER: "Check it out for rotation and reset it at AWS through its mailbox and phone.",
    Next.COMPARE: "Look at AWS's record, then check it out for rotation and find out which value works.",
    Next.FIND_OUT: "Check it out for rotation, try the values in their order, and say which one works.",
    Next.ROTATE: "Check it out for rotation and set a new value.",
    Next.REWRAP: "Have the host re-wrap it to the keys of the settings, then drill.",
    Next.DRILL: "Have the host run a drill; one that fails is restored from a backup or rotated.",
}
"""Each step in a sentence: what to do, and where."""
