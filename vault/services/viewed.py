"""That an auditor looked at something which shows the log's entries: one entry for each time.

Decided here: whose looking is recorded. Who reads the log by office, all of it or a part, leaves an entry; who reads
the entries of the accounts they work with leaves none. What was looked at stands in the entry's details alone, so
that looking at an account's story does not become a part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.event import Event, EventType
from vault.domain.policy import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.policy import Policy
    from vault.ports.store import Units


def is_auditor(policy: Policy, actor: Actor) -> bool:
    """Say whether the actor reads the log by office, all of it or a part."""
    return not policy.reach(actor, Permission.LOG_READ).empty


def record_view(units: Units, actor: Actor, detail: Mapping[str, str | int], now: datetime) -> None:
    """Record what is looked at, in a transaction of its own, before it is told."""
    with units.write() as unit:
        unit.log.record(Event(EventType.AUDIT_VIEWED, actor, detail=detail), now)
        unit.commit()
