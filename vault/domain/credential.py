"""The credential: two parts with immutable numbered versions, their tables, and why a part can be due.

Decided here: the lifecycles *part* and *version*, which versions may be opened, and which causes of being due
block (ARCHITECTURE rule 7). Never decided here: when a part is due (`vault.domain.due`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from vault.domain.lifecycle import Lifecycle


class PartKind(StrEnum):
    """What a secret is; root e-mail, the third way in, is no secret."""

    PASSWORD = "password"  # noqa: S105 - the name of a part, not a value
    MFA = "mfa"


class PartState(StrEnum):
    """What is known of one part at AWS."""

    ABSENT = "absent"
    HELD = "held"
    IN_USE = "in_use"
    ROTATING = "rotating"
    UNKNOWN = "unknown"
    RECONCILING = "reconciling"
    LOST = "lost"
    DESTROYED = "destroyed"


class PartEvent(StrEnum):
    """What moves a part."""

    INTAKE = "intake"
    LEASE = "lease"
    LEASE_ENDED = "lease_ended"
    DISPLAYED = "displayed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    REFUSED_FIRST = "refused_first"
    REFUSED_LOST = "refused_lost"
    OUTCOME_UNKNOWN = "outcome_unknown"
    NONE_WORKS = "none_works"
    REMOVED = "removed"
    SHRED = "shred"


PART = Lifecycle(
    "part",
    PartState.ABSENT,
    {
        (PartState.ABSENT, PartEvent.INTAKE): PartState.HELD,
        (PartState.HELD, PartEvent.LEASE): PartState.IN_USE,
        (PartState.IN_USE, PartEvent.LEASE_ENDED): PartState.HELD,
        (PartState.ABSENT, PartEvent.DISPLAYED): PartState.ROTATING,
        (PartState.IN_USE, PartEvent.DISPLAYED): PartState.ROTATING,
        (PartState.LOST, PartEvent.DISPLAYED): PartState.ROTATING,
        (PartState.ROTATING, PartEvent.ACCEPTED): PartState.IN_USE,
        (PartState.ROTATING, PartEvent.REFUSED): PartState.IN_USE,
        # a first value that AWS refused leaves nothing to use
        (PartState.ROTATING, PartEvent.REFUSED_FIRST): PartState.ABSENT,
        (PartState.ROTATING, PartEvent.REFUSED_LOST): PartState.LOST,
        (PartState.ROTATING, PartEvent.OUTCOME_UNKNOWN): PartState.UNKNOWN,
        (PartState.ROTATING, PartEvent.LEASE_ENDED): PartState.UNKNOWN,
        (PartState.UNKNOWN, PartEvent.LEASE): PartState.RECONCILING,
        # who displayed may attest after the lease ended: no lease, so straight back to rest
        (PartState.UNKNOWN, PartEvent.ACCEPTED): PartState.HELD,
        (PartState.UNKNOWN, PartEvent.REFUSED): PartState.HELD,
        (PartState.UNKNOWN, PartEvent.REFUSED_FIRST): PartState.ABSENT,
        (PartState.UNKNOWN, PartEvent.REFUSED_LOST): PartState.LOST,
        (PartState.RECONCILING, PartEvent.ACCEPTED): PartState.IN_USE,
        (PartState.RECONCILING, PartEvent.REFUSED): PartState.IN_USE,
        (PartState.RECONCILING, PartEvent.REFUSED_FIRST): PartState.ABSENT,
        (PartState.RECONCILING, PartEvent.REFUSED_LOST): PartState.LOST,
        (PartState.RECONCILING, PartEvent.LEASE_ENDED): PartState.UNKNOWN,
        (PartState.RECONCILING, PartEvent.NONE_WORKS): PartState.LOST,
        # somebody set another value behind our back: what we hold was tried, and AWS takes none of it
        (PartState.IN_USE, PartEvent.NONE_WORKS): PartState.LOST,
        # removed at AWS, as AWS itself says: there is nothing left to hold or to lose
        (PartState.HELD, PartEvent.REMOVED): PartState.ABSENT,
        (PartState.UNKNOWN, PartEvent.REMOVED): PartState.ABSENT,
        (PartState.LOST, PartEvent.REMOVED): PartState.ABSENT,
    }
    | {(state, PartEvent.SHRED): PartState.DESTROYED for state in PartState if state != PartState.DESTROYED},
)


class VersionLabel(StrEnum):
    """What a version is to its part; mirrors AWSPENDING, AWSCURRENT, AWSPREVIOUS of Secrets Manager."""

    STAGED = "staged"
    CURRENT = "current"
    PREVIOUS = "previous"
    RETIRED = "retired"
    FAILED = "failed"
    DESTROYED = "destroyed"


class VersionEvent(StrEnum):
    """What moves a version's label."""

    PROMOTED = "promoted"
    SUPERSEDED = "superseded"
    PROVEN_DEAD = "proven_dead"
    FAILED = "failed"
    SHRED = "shred"


VERSION = Lifecycle(
    "version",
    VersionLabel.STAGED,
    {
        (VersionLabel.STAGED, VersionEvent.PROMOTED): VersionLabel.CURRENT,
        (VersionLabel.CURRENT, VersionEvent.SUPERSEDED): VersionLabel.PREVIOUS,
        (VersionLabel.PREVIOUS, VersionEvent.PROVEN_DEAD): VersionLabel.RETIRED,
        # the part itself was removed at AWS, so that nothing took this one's place
        (VersionLabel.CURRENT, VersionEvent.PROVEN_DEAD): VersionLabel.RETIRED,
        (VersionLabel.STAGED, VersionEvent.FAILED): VersionLabel.FAILED,
    }
    | {
        (label, VersionEvent.SHRED): VersionLabel.DESTROYED
        for label in VersionLabel
        if label != VersionLabel.DESTROYED
    },
)


class VersionOrigin(StrEnum):
    """How a value came into the vault."""

    GENERATED = "generated"
    ENTERED = "entered"
    TAKEN_IN = "taken_in"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of one account's credential."""

    account_id: str
    kind: PartKind
    state: PartState
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable sealed value; only its label and the facts of its use ever change.

    `body` is the envelope without its wraps, `wraps` their canonical encoding, `sha256` the hex hash
    of `body` that the log names. `disclosed_at` is the first authorised disclosure of a password;
    `last_step` the last TOTP time step given out for a seed; `weak` says that a value taken in
    did not meet the rules (C6); `restored_at` that it came out of a backup then, and is unchecked since;
    `device_removed_at` that the device of a seed was taken off at AWS, and `device_removed_by` whose word that is.
    `drilled_at` is when a drill last opened it under each of its keys; `drill_fault` is the code of what was wrong in
    the last drill, empty where nothing was.
    """

    account_id: str
    kind: PartKind
    number: int
    label: VersionLabel
    origin: VersionOrigin
    body: bytes
    wraps: bytes
    sha256: str
    created_at: datetime
    created_by: str
    weak: bool = False
    current_since: datetime | None = None
    disclosed_at: datetime | None = None
    last_step: int = -1
    restored_at: datetime | None = None
    device_removed_at: datetime | None = None
    device_removed_by: str | None = None
    drilled_at: datetime | None = None
    drill_fault: str = ""


class Due(StrEnum):
    """Why a part is due for rotation."""

    DISCLOSED = "disclosed"
    INTAKE = "intake"
    WEAK = "weak"
    AGE = "age"
    UNCHECKED = "unchecked"
    LEAVER = "leaver"
    INCIDENT = "incident"
    REUSED = "reused"


BLOCKING: frozenset[Due] = frozenset({Due.DISCLOSED, Due.LEAVER, Due.INCIDENT})
"""Causes under which only rotation, incident, handover or break-glass may open (ARCHITECTURE rule 7)."""


def openable(part: Part, version: Version, *, unverified: bool) -> bool:
    """Say whether a checkout may open `version`: current always; others while AWS's side is not proven.

    `unverified` says that the part's latest accepted rotation is not verified yet.
    """
    if version.label is VersionLabel.CURRENT:
        return True
    if part.state is PartState.LOST:
        # also what was proven dead: the proof may have been false, and it is tried before a reset
        return version.label is not VersionLabel.DESTROYED
    if part.state is PartState.RECONCILING:
        return version.label in {VersionLabel.PREVIOUS, VersionLabel.STAGED}
    return unverified and version.label is VersionLabel.PREVIOUS


def offers(part: Part, versions: Iterable[Version], *, unverified: bool) -> tuple[Version, ...]:
    """Give what a lease may open of this part, in the order in which it is worth trying at AWS.

    While nobody knows which value is set, candidates newer than the current one come before it: a value that was
    shown to be set is more likely set than not. The value at AWS is the first or the second (rule 4), unless somebody
    attested what was not so. `unverified` as for `openable`.
    """
    leased = PART.after(part.state, PartEvent.LEASE)
    part = part if leased is None else replace(part, state=leased)
    opening = [
        each for each in versions if each.kind is part.kind and openable(part, each, unverified=unverified)
    ]
    in_doubt = part.state in {PartState.RECONCILING, PartState.LOST}
    current = max((each.number for each in opening if each.label is VersionLabel.CURRENT), default=0)

    def order(version: Version) -> tuple[int, int]:
        newer = in_doubt and version.number > current
        return (0 if newer else _TRIED.index(version.label), -version.number)

    return tuple(sorted(opening, key=order))


_TRIED: Final = (
    VersionLabel.CURRENT,
    VersionLabel.PREVIOUS,
    VersionLabel.STAGED,
    VersionLabel.FAILED,
    VersionLabel.RETIRED,
)
