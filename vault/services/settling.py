"""Verdicts become findings: opened, opened again, or seen to be mended, each with the entry that tells of it.

Decided here: what is wrong and is not yet open is opened; an accepted one stays as long as its time lasts; what is
right is closed by itself; what is unknown changes nothing; what is not judged any more is closed, and says so. Rows are
taken in one order and the log's head last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType
from vault.domain.formats.visible import shown
from vault.domain.hygiene import Finding, FindingState, Rule, Verdict
from vault.domain.ids import new_id
from vault.domain.told import changes

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.store import Unit

HYGIENE: Final = system_actor("hygiene")
MENDED: Final = "It was looked at again, and it is as it should be."
NOT_JUDGED: Final = (
    "It is not looked at any more: nothing asks for it, or the account is not ours to look at."
)
SUMMARY_MAX: Final = 500
SUBJECT_MAX: Final = 200


def settle(
    unit: Unit,
    account_ids: Collection[str],
    verdicts: Iterable[Verdict],
    now: datetime,
    *,
    whole: Collection[str] = (),
    rules: frozenset[Rule] = frozenset(),
) -> tuple[int, int]:
    """Bring the findings of these accounts to what was judged; give how many were opened and closed.

    Of the accounts that were judged by these `rules` as a `whole`, what was not judged is closed as such; of others it
    is left as it is. The caller commits.
    """
    judged = {(each.account_id, each.rule, each.subject[:SUBJECT_MAX]): each for each in verdicts}
    held = {
        (each.account_id, each.rule, each.subject): each for each in unit.findings.hold(tuple(account_ids))
    }
    told: list[Event] = []
    seen: list[str] = []
    for key in sorted(judged):
        verdict, was = judged[key], held.get(key)
        if verdict.ok is False:
            told += _wrong(unit, verdict, was, now)
            if was is not None:
                seen.append(was.id)
        elif verdict.ok and was is not None and was.state is not FindingState.CLOSED:
            told.append(_closed(unit, was, MENDED, now))
    for key in sorted(held.keys() - judged.keys()):
        was = held[key]
        if was.account_id in whole and was.rule in rules and was.state is not FindingState.CLOSED:
            told.append(_closed(unit, was, NOT_JUDGED, now))
    unit.findings.touch(tuple(seen), now)
    for event in told:
        unit.log.record(event, now)
    opened = sum(event.type is EventType.FINDING_OPENED for event in told)
    return opened, len(told) - opened


def _wrong(unit: Unit, verdict: Verdict, was: Finding | None, now: datetime) -> list[Event]:
    """Open what is wrong, unless it is open or accepted now."""
    summary = shown(verdict.words)[:SUMMARY_MAX]
    if was is None:
        finding = Finding(
            new_id(),
            verdict.rule,
            verdict.account_id,
            verdict.subject[:SUBJECT_MAX],
            summary,
            FindingState.OPEN,
            now,
            now,
            now,
        )
        added = unit.findings.add(finding)
        return [event_of(EventType.FINDING_OPENED, HYGIENE, None, finding)] if added else []
    if was.state is FindingState.OPEN or _is_accepted(was, now):
        return []
    again = replace(
        was,
        state=FindingState.OPEN,
        summary=summary,
        opened_at=now,
        owner_id=None,
        owned_at=None,
        ended_at=None,
        ended_by=None,
        ending=None,
        accepted_until=None,
    )
    unit.findings.update(again)
    return [event_of(EventType.FINDING_OPENED, HYGIENE, was, again)]


def _is_accepted(finding: Finding, now: datetime) -> bool:
    return finding.accepted_until is not None and finding.accepted_until > now


def _closed(unit: Unit, was: Finding, why: str, now: datetime) -> Event:
    closed = ended(was, FindingState.CLOSED, HYGIENE, why, now)
    unit.findings.update(closed)
    return event_of(EventType.FINDING_CLOSED, HYGIENE, was, closed)


def ended(
    was: Finding,
    state: FindingState,
    actor: Actor,
    why: str,
    now: datetime,
    until: datetime | None = None,
) -> Finding:
    """Give a finding as it is closed, or accepted until a time."""
    return replace(was, state=state, ended_at=now, ended_by=actor.id, ending=why, accepted_until=until)


def event_of(event: EventType, actor: Actor, was: Finding | None, finding: Finding) -> Event:
    """Make the event that something became of a finding; `kind` is its rule, for receivers of copies."""
    detail: dict[str, str | int | bool | None] = {
        "finding": finding.id,
        "kind": finding.rule.value,
        "rule": finding.rule.value,
        "subject": finding.subject,
        "weight": finding.weight,
        "summary": finding.summary,
        "again": was is not None and was.state is not FindingState.OPEN,
    }
    if event is EventType.FINDING_ASSIGNED:
        detail["owner"] = finding.owner_id
    return Event(
        event,
        actor,
        account_id=finding.account_id,
        changes=changes(was, finding),
        detail=detail,
        subject=f"finding:{finding.id}",
    )
