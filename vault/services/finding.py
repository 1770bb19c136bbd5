"""Findings become incidents: each group of the same finding once, with the entry that tells of it.

Decided here: a finding joins the open incident of its group; where that one was closed already it is a new
incident, because it was not part of what was explained. Whatever a finding says can be written: characters that
would act are shown by their code points. Rows are taken in one order and the log's head last,
so that two workers never wait for each other in a circle.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType
from vault.domain.formats.visible import shown
from vault.domain.ids import new_id
from vault.domain.incident import Incident, IncidentKind
from vault.domain.told import changes
from vault.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.cloud import LoggedCall
    from vault.ports.store import Unit

SUMMARY_MAX: Final = 1_000
RECONCILIATION: Final = system_actor("reconciliation")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found: of a record of AWS (`event_id`), of a call in the log (`call`), or of neither."""

    kind: IncidentKind
    group: tuple[str, ...]
    account_id: str | None
    checkout_id: str | None
    summary: str
    evidence: str
    happened_at: datetime
    event_id: str | None = None
    call: LoggedCall | None = None

    @property
    def subject(self) -> str:
        """The name of its group, for ever."""
        told = hashlib.sha256("\n".join(self.group).encode("utf-8", "replace")).hexdigest()
        return f"{self.kind}:{told[:32]}"

    @property
    def own(self) -> str:
        """A name of its own, where its group's incident was closed."""
        if self.call is not None:
            return f"{self.subject}:{self.call.entry}:{self.call.place}"
        return f"{self.subject}:{self.event_id or self.happened_at.isoformat()}"


def open_all(
    unit: Unit, findings: Iterable[Finding], now: datetime, actor: Actor = RECONCILIATION
) -> tuple[int, int]:
    """Put each finding into an incident, new or open; give how many were opened, and how many findings counted.

    What another worker put away meanwhile does not count. The caller commits.
    """
    held = [finding for finding in findings if _is_held(unit, finding)]
    opened: list[Incident] = []
    for finding in sorted(held, key=lambda each: (each.subject, each.own)):
        incident, is_new = _incident(unit, finding, now)
        if is_new:
            opened.append(incident)
        if finding.event_id is not None:
            unit.cloud.judge(finding.event_id, f"incident:{incident.id}")
        if finding.call is not None:
            unit.cloud.miss(finding.call, incident.id)
    for incident in opened:
        unit.log.record(event_of(EventType.INCIDENT_OPENED, actor, None, incident), now)
    return len(opened), len(held)


def event_of(event: EventType, actor: Actor, was: Incident | None, incident: Incident) -> Event:
    """Make the event that something became of an incident."""
    return Event(
        event,
        actor,
        account_id=incident.account_id,
        checkout_id=incident.checkout_id,
        changes=changes(was, incident),
        detail={"incident": incident.id, "kind": incident.kind.value, "summary": incident.summary[:500]},
        subject=f"incident:{incident.id}",
    )


def _is_held(unit: Unit, finding: Finding) -> bool:
    """Hold the row of what was found; False where it was put away meanwhile."""
    if finding.event_id is not None:
        return unit.cloud.hold_event(finding.event_id)
    return finding.call is None or unit.cloud.hold_call(finding.call)


def _incident(unit: Unit, finding: Finding, now: datetime) -> tuple[Incident, bool]:
    """Find the open incident of a finding's group, or open one."""
    there = unit.incidents.about(finding.subject)
    if there is not None and there.is_open:
        return there, False
    made = Incident(
        id=new_id(),
        kind=finding.kind,
        subject=finding.subject if there is None else finding.own,
        account_id=finding.account_id,
        checkout_id=finding.checkout_id,
        summary=shown(finding.summary)[:SUMMARY_MAX],
        evidence="\n".join(map(shown, finding.evidence.split("\n"))),
        happened_at=finding.happened_at,
        opened_at=now,
    )
    if unit.incidents.add(made):
        return made, True
    there = unit.incidents.about(made.subject)
    if there is None:
        detail = "An incident was opened at the same moment; nothing was done. Try again."
        raise Conflict("concurrent.change", detail)
    return there, False
