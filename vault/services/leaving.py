"""Shutting a person out: everything they hold ends in one transaction, and what they may know becomes due.

Decided here: what ends (sessions, tokens, leases, links, recoveries, budgets, accounts of campaigns, that they may
break the glass), and that what they know is written down in the same transaction, in entries of bounded size: whoever
reads of the one finds the other. Never decided here: who may do it (`people`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import reach_of
from vault.domain.event import Event, EventType
from vault.domain.person import Person, PersonState
from vault.domain.proposal import ProposalKind
from vault.domain.told import changes, every_session, every_token
from vault.services.campaigning import claim_campaigns, leave_campaigns
from vault.services.departures import claim_leases, end_claimed
from vault.services.proposals import close
from vault.services.recovery import open_about

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.leaver import LeaverKnows
    from vault.ports.store import Unit

TOLD_AT_ONCE: Final = 300
"""So many values are named in one entry: some 45 kB of the 64 that a leaf may have."""
MACHINES_NAMED: Final = 50
POWERS: Final = (ProposalKind.BREAK_GLASS, ProposalKind.BUDGET, ProposalKind.RECOVERY)
"""What was proposed or agreed to about a person and gives them power: none of it comes back by itself."""


def shut_out(unit: Unit, actor: Actor, person: Person, now: datetime) -> Person:
    """Disable a person with all that follows; the caller asked whether it may be, and commits."""
    claimed = claim_leases(unit, person.id, reach_of(()))
    about = tuple(each.id for kind in POWERS for each in open_about(unit, person.id, kind))
    agreed = tuple(unit.proposals.lock(each) for each in about)
    # the row is held from here on, before anything is told: whoever proves a factor at this moment, which holds it as
    # well and then writes to the log, was before, or is refused
    person = unit.people.lock(person.id) or person
    campaigns = claim_campaigns(unit, person.id)
    ended = end_claimed(unit, actor, claimed, now)
    for each in agreed:
        if each is not None and each.ended_at is None:
            close(unit, actor, each, "the person was shut out", now)
    leave_campaigns(unit, actor, person.id, campaigns, now)
    disabled = replace(
        person, state=PersonState.DISABLED, enrolment_hash=None, enrolment_until=None, next_seed=None
    )
    unit.people.update(disabled)
    known = unit.leavers.add(unit.leavers.known_to(person.id, now))
    machines = unit.tokens.machines_of(person.id, now)
    detail: dict[str, str | int | bool | None] = {
        "person": person.id,
        "sessions": unit.sessions.end_all(person.id, now),
        "tokens": unit.tokens.revoke_all(person.id, now),
        "checkouts": ended,
        "known": len(known),
        "accounts": len({each.account_id for each in known}),
        "machine_tokens": len(machines),
        "machines": " ".join(each.id for each in machines[:MACHINES_NAMED]),
    }
    told = (*changes(person, disabled), every_session(person.id), every_token(person.id))
    subject = f"person:{person.id}"
    unit.log.record(
        Event(EventType.PERSON_DISABLED, actor, changes=told, detail=detail, subject=subject), now
    )
    _tell(unit, actor, person, known, now)
    return disabled


def _tell(unit: Unit, actor: Actor, person: Person, known: tuple[LeaverKnows, ...], now: datetime) -> None:
    """Name all that a leaver knows, a bounded number in each entry."""
    for start in range(0, len(known), TOLD_AT_ONCE):
        part = known[start : start + TOLD_AT_ONCE]
        told = tuple(change for each in part for change in changes(None, each))
        detail: dict[str, str | int | bool | None] = {
            "person": person.id,
            "from": start + 1,
            "to": start + len(part),
            "of": len(known),
        }
        unit.log.record(Event(EventType.LEAVER_KNOWS, actor, changes=told, detail=detail), now)
