"""Rotation of one part: sealed before it is shown, promoted when AWS accepted it, proven afterwards.

Decided here: the lifecycle *rotation* and which outcomes may be attested. No API of AWS sets a root
password or enrols root MFA (AWS General Reference, "Root user"), so a person does it and attests;
the previous version stays openable until the new one is verified (rule 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vault.domain.credential import PartKind
from vault.domain.lifecycle import Lifecycle


class RotationState(StrEnum):
    """Where a rotation stands."""

    PLANNED = "planned"
    DISPLAYED = "displayed"
    ACCEPTED = "accepted"
    VERIFIED = "verified"
    ABANDONED = "abandoned"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class RotationEvent(StrEnum):
    """What moves a rotation."""

    DISPLAYED = "displayed"
    ABANDONED = "abandoned"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    OUTCOME_UNKNOWN = "outcome_unknown"
    VERIFIED = "verified"
    REMOVED = "removed"


ROTATION = Lifecycle(
    "rotation",
    RotationState.PLANNED,
    {
        (RotationState.PLANNED, RotationEvent.DISPLAYED): RotationState.DISPLAYED,
        (RotationState.PLANNED, RotationEvent.ABANDONED): RotationState.ABANDONED,
        # a second look at a staged value, or the next pair of codes
        (RotationState.DISPLAYED, RotationEvent.DISPLAYED): RotationState.DISPLAYED,
        (RotationState.DISPLAYED, RotationEvent.ACCEPTED): RotationState.ACCEPTED,
        (RotationState.DISPLAYED, RotationEvent.REFUSED): RotationState.REFUSED,
        (RotationState.DISPLAYED, RotationEvent.OUTCOME_UNKNOWN): RotationState.UNKNOWN,
        (RotationState.UNKNOWN, RotationEvent.ACCEPTED): RotationState.ACCEPTED,
        (RotationState.UNKNOWN, RotationEvent.REFUSED): RotationState.REFUSED,
        (RotationState.ACCEPTED, RotationEvent.VERIFIED): RotationState.VERIFIED,
        # never proven, and its value removed at AWS with all the others
        (RotationState.ACCEPTED, RotationEvent.REMOVED): RotationState.ABANDONED,
        (RotationState.UNKNOWN, RotationEvent.REMOVED): RotationState.ABANDONED,
    },
)

UNSETTLED: frozenset[RotationState] = frozenset(
    {RotationState.PLANNED, RotationState.DISPLAYED, RotationState.UNKNOWN}
)
"""States in which a rotation claims its part: at most one each."""


class Outcome(StrEnum):
    """What is attested of a displayed value; `NONE_WORKS` only while reconciling an unknown one."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NONE_WORKS = "none_works"


class Evidence(StrEnum):
    """How a rotation was verified: another person's word, a later use that worked, or a record of AWS's own."""

    AWS_RECORD = "aws_record"
    SECOND_PERSON = "second_person"
    LATER_USE = "later_use"


@dataclass(frozen=True, slots=True)
class Rotation:
    """One attempt to change one part; it belongs to the account, whoever holds the lease."""

    id: str
    account_id: str
    kind: PartKind
    version: int
    state: RotationState
    checkout_id: str
    planned_by: str
    planned_at: datetime
    recovering: bool = False
    """Planned while the part was lost: a refusal leads back there."""
    displayed_by: str | None = None
    displayed_at: datetime | None = None
    attested_by: str | None = None
    attested_at: datetime | None = None
    attested_in: str | None = None
    """The checkout under which the outcome was attested, None where the lease had ended."""
    verified_by: str | None = None
    verified_at: datetime | None = None
    evidence: Evidence | None = None
    evidence_note: str | None = None
    overdue_at: datetime | None = None
    """When it was told that it waits for its proof for too long; told once."""
