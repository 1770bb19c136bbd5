"""Leavers: what a person who was shut out may know, and what is left to do about each value.

Decided here: by what somebody knows a value that still opens an account (the ways that `knowledge_told` reads from the
log), and which step comes next for it, by its label. Written down at the moment of leaving and never changed:
so the list is exact, and what was replaced since is seen in the version itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vault.domain.credential import PartKind, VersionLabel


class Way(StrEnum):
    """By what a leaver came to know a value."""

    SHOWN = "shown"
    IN_DOUBT = "in_doubt"
    SHOWN_TO_SET = "shown_to_set"
    ENTERED = "entered"
    VERIFIED = "verified"


KNOWABLE: frozenset[VersionLabel] = frozenset(
    {VersionLabel.CURRENT, VersionLabel.STAGED, VersionLabel.PREVIOUS}
)
"""Labels of versions that may open an account: nobody has proven yet that they do not."""


@dataclass(frozen=True, slots=True)
class LeaverKnows:
    """One value that a person knew when they were shut out, since when, and by what they came to know it first."""

    person_id: str
    account_id: str
    kind: PartKind
    version: int
    way: Way
    known_since: datetime
    left_at: datetime


class LeaverStep(StrEnum):
    """What is to be done next about a value that a leaver knows."""

    ROTATE = "rotate"
    SETTLE = "settle"
    VERIFY = "verify"
    DONE = "done"


_STEPS = {
    VersionLabel.CURRENT: LeaverStep.ROTATE,
    VersionLabel.STAGED: LeaverStep.SETTLE,
    VersionLabel.PREVIOUS: LeaverStep.VERIFY,
}


def next_step(label: VersionLabel) -> LeaverStep:
    """Say what is left to do: nothing for a value that was proven dead, refused by AWS, or destroyed."""
    return _STEPS.get(label, LeaverStep.DONE)
