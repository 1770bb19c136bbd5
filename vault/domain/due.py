"""When a part is due for rotation, why and since when; computed from facts, never stored (C4, C6, rule 7).

Decided here: each cause from the facts of a current version and from what is told of it elsewhere (`Marks`): that
somebody who was shut out knows it, that the same value was found elsewhere, that an incident about its account is open.
An incident makes due what was current when the incident was found: a version that came after it answers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from vault.domain.credential import Due, PartKind, Version, VersionOrigin
from vault.domain.incident import IncidentKind

Place: TypeAlias = "tuple[str, PartKind, int]"
"""Account, part and number of a version."""

INCIDENTS: Final = frozenset(
    {IncidentKind.ROOT_SIGN_IN, IncidentKind.ROOT_USE, IncidentKind.UNLOGGED_DECRYPT}
)
"""Kinds after which somebody may know a credential, or has used it, beside the log."""


class FoundBy(StrEnum):
    """Where it was seen that a value is held twice: both are places where values are open anyway."""

    IMPORT = "import"
    DRILL = "drill"


@dataclass(frozen=True, slots=True)
class Reused:
    """A version whose value another account's credential had as well, when it was found."""

    account_id: str
    kind: PartKind
    version: int
    found_at: datetime
    found_by: FoundBy


@dataclass(frozen=True, slots=True)
class Current:
    """What is known of a current version without its sealed value; `since` is when it became current."""

    kind: PartKind
    number: int
    origin: VersionOrigin
    weak: bool
    since: datetime
    disclosed_at: datetime | None = None
    restored_at: datetime | None = None

    @classmethod
    def of(cls, version: Version) -> Current:
        """Take the facts of a version."""
        return cls(
            version.kind,
            version.number,
            version.origin,
            version.weak,
            version.current_since or version.created_at,
            version.disclosed_at,
            version.restored_at,
        )


@dataclass(frozen=True, slots=True)
class Marks:
    """What is told of versions elsewhere than with them.

    `left` gives when the first person left who knows a version, `reused` when its value was found elsewhere,
    `incidents` when the open incidents about an account were found, oldest first.
    """

    left: Mapping[Place, datetime] = field(default_factory=dict)
    reused: Mapping[Place, datetime] = field(default_factory=dict)
    incidents: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)


def due_since(
    account_id: str, current: Current | None, marks: Marks, now: datetime, longest_age: timedelta
) -> Mapping[Due, datetime]:
    """Give each cause for which a part is due with since when, in the order of `Due`; nothing held is never due."""
    if current is None:
        return {}
    place = (account_id, current.kind, current.number)
    taken_in = current.since if current.origin is VersionOrigin.TAKEN_IN else None
    incidents = (at for at in marks.incidents.get(account_id, ()) if at >= current.since)
    found: dict[Due, datetime | None] = {
        # a seed is never shown; it has this time only where it was opened offline with shares
        Due.DISCLOSED: current.disclosed_at,
        Due.INTAKE: taken_in,
        Due.WEAK: current.since if current.weak else None,
        Due.AGE: current.since + longest_age if now - current.since >= longest_age else None,
        Due.UNCHECKED: current.restored_at,
        Due.LEAVER: marks.left.get(place),
        Due.INCIDENT: next(incidents, None),
        Due.REUSED: marks.reused.get(place),
    }
    return {cause: since for cause, since in found.items() if since is not None}


def due_causes(version: Version, marks: Marks, now: datetime, longest_age: timedelta) -> tuple[Due, ...]:
    """Say why a part is due, from its current version and what is told of it."""
    return tuple(due_since(version.account_id, Current.of(version), marks, now, longest_age))
