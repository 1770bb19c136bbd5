"""Everything the log can say: one catalogue of event types, and the value a use case records.

Decided here: the types, what each means, and the shape of an event before it has a place in the log.
Never in an event: a plaintext, a seed, a code, a token, or any function of a password (AUDIT-LOG 3.3);
version number and envelope hash identify a secret just as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from vault.domain.actor import Actor
from vault.domain.credential import PartKind, Version
from vault.domain.event_types import CATALOGUE, EventType

__all__ = ["CATALOGUE", "Change", "Event", "EventType", "Result", "SecretRef", "Stated", "stamp"]


def stamp(at: datetime) -> str:
    """Write a time that an entry's details name as the entry writes its own: UTC, six decimals, `Z`."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Result(StrEnum):
    """How it ended, for whoever filters the log."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One state change, so that the log replayed equals the database (S3)."""

    entity: str
    id: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Which secret an event is about: never the value."""

    account_id: str
    kind: PartKind
    version: int
    sha256: str

    @classmethod
    def of(cls, version: Version) -> SecretRef:
        """Name a version."""
        return cls(version.account_id, version.kind, version.number, version.sha256)


@dataclass(frozen=True, slots=True)
class Stated:
    """Reason, ticket and sentence as they were stated."""

    code: str
    text: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a use case records it in its own transaction.

    `subject` names what a repeated request would be answered with, as "noun:id" (S8);
    `kms` holds one mapping for each attempt: purpose, operation, key, request_id, outcome (S26).
    """

    type: EventType
    actor: Actor
    result: Result = Result.SUCCESS
    account_id: str | None = None
    checkout_id: str | None = None
    stated: Stated | None = None
    approval: Mapping[str, str] | None = None
    secret: SecretRef | None = None
    rule: str | None = None
    changes: tuple[Change, ...] = ()
    kms: tuple[Mapping[str, str], ...] = ()
    detail: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    subject: str | None = None
