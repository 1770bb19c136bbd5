"""Incidents: who sees them, takes them, hands them on, and closes them with a sentence.

Decided here: an incident about an account is seen by who may handle incidents on that account; one that is
about none, or about an account that is not registered, by who may handle them everywhere. Its owner alone closes
it, and who held the account last by the time it is about never does: nobody explains themselves away. What says
that the log was passed by or is damaged is closed by an owner who may review the log. One that somebody has is
handed on by them, or by who may review the log. Never decided here: what becomes an incident (`reconciliation`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from vault.domain.actor import Reach, reach_of
from vault.domain.event import Event, EventType
from vault.domain.incident import CLOSING_MAX, CLOSING_MIN, OF_THE_LOG, Incident
from vault.domain.policy import Permission
from vault.errors import Conflict, FieldError, Forbidden, Invalid, VaultError, not_found
from vault.ports.store import EntryFilter, Page, Slice
from vault.services.finding import event_of
from vault.services.gate import refuse
from vault.services.viewed import is_auditor, record_view

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout
    from vault.domain.person import Person
    from vault.ports.clock import Clock
    from vault.ports.cloud import IncidentFilter, OpenCount, SeenEvent
    from vault.ports.store import Entry, Unit, Units
    from vault.services.gate import Gate

CLOSED: Final = "It is closed. What was found since then is an incident of its own."
SHOWN: Final = 50
BEFORE: Final = timedelta(hours=12)
AFTER: Final = timedelta(hours=2)
"""What an account's timeline around an incident shows."""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident with the name of its owner; `age` ends where it was closed."""

    incident: Incident
    owner: str | None
    age: timedelta


@dataclass(frozen=True, slots=True)
class IncidentEvidence:
    """All that belongs to an incident: AWS's records of it, and what happened in the account around it.

    `not_closed_by_me` says why the reader may not close it, empty where they may.
    """

    view: IncidentView
    checkout: Checkout | None
    records: tuple[SeenEvent, ...]
    count: int
    entries: tuple[Entry, ...]
    around: tuple[SeenEvent, ...]
    candidates: tuple[Person, ...]
    not_closed_by_me: str

    @property
    def may_close(self) -> bool:
        """Whether the reader may close it now."""
        return not self.not_closed_by_me


@dataclass(frozen=True, slots=True)
class Incidents:
    """Use cases on incidents."""

    units: Units
    gate: Gate
    clock: Clock

    def page(self, actor: Actor, wanted: IncidentFilter, part: Slice) -> Page[IncidentView]:
        """List those in sight: open ones first, the weightiest and oldest first."""
        now = self.clock.now()
        with self.units.read() as unit:
            found = unit.incidents.page(self._reach(actor), wanted, part)
            return Page(tuple(_view(unit, each, now) for each in found.items), found.next)

    def get(self, actor: Actor, incident_id: str) -> IncidentView:
        """Read one; another's is as absent as one that does not exist (S21)."""
        now = self.clock.now()
        with self.units.read() as unit:
            return _view(unit, self._seen(unit, actor, unit.incidents.get(incident_id), incident_id), now)

    def evidence(self, actor: Actor, incident_id: str) -> IncidentEvidence:
        """Read one with all that belongs to it; that an auditor did is an entry."""
        now = self.clock.now()
        with self.units.read() as unit:
            self._seen(unit, actor, unit.incidents.get(incident_id), incident_id)
        if is_auditor(self.gate.policy, actor):
            record_view(self.units, actor, {"what": "incident", "incident": incident_id}, now)
        with self.units.read() as unit:
            incident = self._seen(unit, actor, unit.incidents.get(incident_id), incident_id)
            matched = f"incident:{incident.id}"
            since, until = incident.happened_at - BEFORE, incident.happened_at + AFTER
            entries: tuple[Entry, ...] = ()
            around: tuple[SeenEvent, ...] = ()
            if incident.account_id is not None:
                wanted = EntryFilter(account_id=incident.account_id, since=since, until=until)
                entries = unit.log.page(wanted, Reach(everything=True), Slice(SHOWN)).items
                around = unit.cloud.of_account(incident.account_id, since, until, SHOWN)
            checkout = None if incident.checkout_id is None else unit.checkouts.get(incident.checkout_id)
            refusal = self._not_closed_by(unit, actor, incident, checkout)
            return IncidentEvidence(
                view=_view(unit, incident, now),
                checkout=checkout,
                records=unit.cloud.matching((matched,), SHOWN),
                count=unit.cloud.count_matching(matched),
                entries=entries,
                around=around,
                candidates=self._candidates(unit, incident, now),
                not_closed_by_me="" if refusal is None else refusal.detail,
            )

    def take(self, actor: Actor, incident_id: str) -> IncidentView:
        """Become the owner of an open incident that has none."""
        now = self.clock.now()
        with self.units.write() as unit:
            incident = self._open(unit, actor, incident_id, now)
            if incident.owner_id == actor.id:
                return _view(unit, incident, now)
            if incident.owner_id is not None:
                detail = f"{_owner_of(unit, incident)} has it. Ask them to hand it on to you."
                self._deny(unit, actor, incident, Conflict("incident.state", detail), now)
            view = self._assign(unit, actor, incident, actor.id, now)
            unit.commit()
        return view

    def hand_on(self, actor: Actor, incident_id: str, person_id: str) -> IncidentView:
        """Give an open incident to a named person who may handle it.

        One that somebody else has is left to them, and to who may review the log: so nobody takes it from an auditor.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            incident = self._open(unit, actor, incident_id, now)
            if person_id not in {each.id for each in self._candidates(unit, incident, now)}:
                place = FieldError("/to", "Name an active person who may handle incidents on this account.")
                raise Invalid("input.invalid", place.detail, errors=(place,))
            mine = incident.owner_id in {None, actor.id}
            if not mine and not self._covers(unit, actor, incident, Permission.LOG_REVIEW):
                detail = f"{_owner_of(unit, incident)} has it. Ask them, or an auditor, to hand it on."
                self._deny(unit, actor, incident, Conflict("incident.state", detail), now)
            if incident.owner_id == person_id:
                return _view(unit, incident, now)
            view = self._assign(unit, actor, incident, person_id, now)
            unit.commit()
        return view

    def close(self, actor: Actor, incident_id: str, sentence: str) -> IncidentView:
        """End an incident that the actor owns, with what was found out."""
        words = " ".join(sentence.split())
        if not CLOSING_MIN <= len(words) <= CLOSING_MAX or not words.isprintable():
            detail = f"Say in {CLOSING_MIN} to {CLOSING_MAX} characters what explains it."
            raise Invalid("input.invalid", detail, errors=(FieldError("/sentence", detail),))
        now = self.clock.now()
        with self.units.write() as unit:
            incident = self._open(unit, actor, incident_id, now)
            checkout = None if incident.checkout_id is None else unit.checkouts.get(incident.checkout_id)
            refusal = self._not_closed_by(unit, actor, incident, checkout)
            if refusal is not None:
                self._deny(unit, actor, incident, refusal, now)
            closed = replace(incident, closed_at=now, closed_by=actor.id, closing=words)
            unit.incidents.update(closed)
            unit.log.record(event_of(EventType.INCIDENT_CLOSED, actor, incident, closed), now)
            view = _view(unit, closed, now)
            unit.commit()
        return view

    def open_counts(self) -> tuple[OpenCount, ...]:
        """Count all open ones by kind, for the operator's numbers."""
        with self.units.read() as unit:
            return unit.incidents.open_counts()

    def _reach(self, actor: Actor) -> Reach:
        return self.gate.policy.reach(actor, Permission.INCIDENT_HANDLE)

    def _seen(self, unit: Unit, actor: Actor, found: Incident | None, name: str) -> Incident:
        if found is not None and self._covers(unit, actor, found):
            return found
        raise not_found("incident", name[:36])

    def _covers(
        self,
        unit: Unit,
        actor: Actor,
        incident: Incident,
        permission: Permission = Permission.INCIDENT_HANDLE,
    ) -> bool:
        reach = self.gate.policy.reach(actor, permission)
        if reach.everything:
            return True
        account = None if incident.account_id is None else unit.accounts.get(incident.account_id)
        return account is not None and reach.covers(account.customer_id, account.id)

    def _not_closed_by(
        self, unit: Unit, actor: Actor, incident: Incident, checkout: Checkout | None
    ) -> VaultError | None:
        """Say why `actor` does not close an incident in sight, None where they may."""
        if not incident.is_open:
            return Conflict("incident.state", CLOSED)
        if checkout is not None and checkout.requester_id == actor.id:
            detail = "It concerns your own checkout, so someone else closes it. Hand it on."
            return Forbidden("policy.second_person", detail)
        if incident.kind in OF_THE_LOG and not self._covers(unit, actor, incident, Permission.LOG_REVIEW):
            detail = "It is about the log itself, so an auditor closes it. Hand it on to one."
            return Forbidden("policy.second_person", detail)
        if incident.owner_id is None:
            detail = "Nobody has taken it. Take it first, look into it, then close it."
            return Conflict("incident.state", detail)
        if incident.owner_id != actor.id:
            detail = f"{_owner_of(unit, incident)} has it and closes it. Ask them to hand it on to you first."
            return Conflict("incident.state", detail)
        return None

    def _open(self, unit: Unit, actor: Actor, incident_id: str, now: datetime) -> Incident:
        """Hold an incident in sight that is open; attempts on closed, absent and others' ones are recorded."""
        found = unit.incidents.lock(incident_id)
        if found is None or not self._covers(unit, actor, found):
            detail = {"permission": Permission.INCIDENT_HANDLE, "asked_for": f"incident {incident_id[:36]}"}
            denied = Event(EventType.ACCESS_DENIED, actor, detail=detail)
            refuse(unit, denied, not_found("incident", incident_id[:36]), now)
        if not found.is_open:
            self._deny(unit, actor, found, Conflict("incident.state", CLOSED), now)
        return found

    def _assign(
        self, unit: Unit, actor: Actor, incident: Incident, person_id: str, now: datetime
    ) -> IncidentView:
        taken = replace(incident, owner_id=person_id, owned_at=now)
        unit.incidents.update(taken)
        unit.log.record(event_of(EventType.INCIDENT_ASSIGNED, actor, incident, taken), now)
        return _view(unit, taken, now)

    def _candidates(self, unit: Unit, incident: Incident, now: datetime) -> tuple[Person, ...]:
        """List the people who may handle an incident, by name."""
        account = None if incident.account_id is None else unit.accounts.get(incident.account_id)
        roles = self.gate.policy.permissions.get(Permission.INCIDENT_HANDLE, frozenset())
        found = {
            person.id: person
            for person, grant in unit.people.holders(roles, now)
            if (reach := reach_of((grant.scope,))).everything
            or (account is not None and reach.covers(account.customer_id, account.id))
        }
        return tuple(sorted(found.values(), key=lambda person: (person.name, person.id)))

    def _deny(
        self, unit: Unit, actor: Actor, incident: Incident, error: VaultError, now: datetime
    ) -> NoReturn:
        denied = Event(
            EventType.ACCESS_DENIED,
            actor,
            account_id=incident.account_id,
            detail={"permission": Permission.INCIDENT_HANDLE, "asked_for": f"incident {incident.id}"},
        )
        refuse(unit, denied, error, now)


def _owner_of(unit: Unit, incident: Incident) -> str:
    owner = None if incident.owner_id is None else unit.people.get(incident.owner_id)
    return "Someone" if owner is None else owner.name


def _view(unit: Unit, incident: Incident, now: datetime) -> IncidentView:
    owner = None if incident.owner_id is None else unit.people.get(incident.owner_id)
    until = incident.closed_at or now
    return IncidentView(incident, None if owner is None else owner.name, until - incident.opened_at)
