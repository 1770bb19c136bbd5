"""The board of upkeep: which credentials want work, at which stage the work is, and in which order.

Decided here: the stages, what each fact weighs, and that the weights of one credential add up. Lost, out of sync and
unknown each outweigh whatever else can come together, so that no heap of lesser facts passes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from vault.domain.account import Kind
from vault.domain.health import CredentialHealth, Health, Why


class Stage(StrEnum):
    """What is to be done about a credential, or is being done; a credential can be at several."""

    DUE = "due"
    OVERDUE = "overdue"
    IN_PROGRESS = "in_progress"
    UNVERIFIED = "unverified"


WEIGHTS: Final[Mapping[Why, int]] = {
    Why.NOTHING_WORKS: 32_000,
    Why.NO_VALUE: 32_000,
    Why.CONTRADICTED: 16_000,
    Why.OUTCOME_UNKNOWN: 4_000,
    Why.OPENS_NOT: 4_000,
    Why.DUE_INCIDENT: 1_000,
    Why.DUE_LEAVER: 800,
    Why.DUE_DISCLOSED: 600,
    Why.DUE_REUSED: 300,
    Why.DUE_WEAK: 200,
    Why.RESTORED: 150,
    Why.DUE_INTAKE: 100,
    Why.DUE_AGE: 80,
    Why.WRAPS_DIFFER: 60,
    Why.NOT_OPENED: 40,
}
"""What each fact weighs, once for a credential however many parts it is about."""

UNVERIFIED: Final = 60
"""What a rotation weighs that AWS took and nobody proved."""
OVERDUE: Final = 300
"""What it weighs that something has been due for longer than the grace."""
KINDS: Final[Mapping[Kind, int]] = {Kind.PAYER: 100, Kind.STANDALONE: 50, Kind.MEMBER: 0}
"""What the account's place weighs: a payer's root reaches its whole Organization; a member's is held by its payer."""
AGE_MOST: Final = 90
"""Each whole day since the oldest fact weighs 1, up to this."""


def risk(health: CredentialHealth, kind: Kind, now: datetime, *, unverified: bool) -> int:
    """Say how urgent a credential is; 0 where nothing is to be done about it."""
    facts = [fact for part in health.parts for fact in part.facts]
    if not facts and not unverified:
        return 0
    weight = sum(WEIGHTS[why] for why in {fact.why for fact in facts}) + KINDS[kind]
    if any(fact.health is Health.OVERDUE for fact in facts):
        weight += OVERDUE
    if unverified:
        weight += UNVERIFIED
    days = max(((now - fact.since).days for fact in facts), default=0)
    return weight + min(max(days, 0), AGE_MOST)


def stages(health: CredentialHealth, *, in_progress: bool, unverified: bool) -> frozenset[Stage]:
    """Say at which stages a credential is; none where nothing is to be done about it."""
    found = {fact.health for part in health.parts for fact in part.facts}
    said = {
        Stage.DUE: bool(found - {Health.OVERDUE}),
        Stage.OVERDUE: Health.OVERDUE in found,
        Stage.IN_PROGRESS: in_progress,
        Stage.UNVERIFIED: unverified,
    }
    return frozenset(stage for stage, holds in said.items() if holds)
