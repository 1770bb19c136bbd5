"""Marking values that two accounts had at once: in the same unit as what found it, one entry for each version.

Decided here: that an entry names one account and never the other, and that a version is marked once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.due import Reused
from vault.domain.event import Event, EventType, SecretRef
from vault.domain.told import changes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.due import FoundBy, Place
    from vault.ports.store import Unit


def mark_reused(
    unit: Unit, actor: Actor, places: Iterable[Place], found_by: FoundBy, now: datetime
) -> tuple[Event, ...]:
    """Mark versions as having a value that another account had; give the entries, for the caller to record last."""
    told = []
    for account_id, kind, number in sorted(places):
        version = unit.versions.get(account_id, kind, number)
        found = Reused(account_id, kind, number, now, found_by)
        if version is not None and unit.health.add_reused(found):
            told.append(
                Event(
                    EventType.CREDENTIAL_REUSED,
                    actor,
                    account_id=account_id,
                    secret=SecretRef.of(version),
                    changes=changes(None, found),
                    detail={"found_by": found_by},
                    subject=f"account:{account_id}",
                )
            )
    return tuple(told)
