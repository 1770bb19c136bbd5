"""Where somebody is signed in: their sessions, and the end of one or of all others (S17).

Decided here: a session is listed while it counts, by the limits that bind its person now (U3). One's own are one's
own to end; an administrator who reaches the person with all their roles sees and ends theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from vault.domain.event import Event, EventType
from vault.domain.person import powers
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import VaultError, not_found
from vault.services.gate import Gate, refuse
from vault.services.sight import in_sight, standing
from vault.services.tokens import require_reach

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.person import Session
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.limits import SessionLimits


@dataclass(frozen=True, slots=True)
class Seat:
    """A session that counts, when it ends by itself at the latest, and whether the reader speaks by it."""

    session: Session
    idle_until: datetime
    until: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class Sessions:
    """Use cases on sessions that are open."""

    units: Units
    gate: Gate
    clock: Clock
    limits: SessionLimits

    def own(self, actor: Actor) -> tuple[Seat, ...]:
        """List one's own, newest first."""
        with self.units.read() as unit:
            return self._of(unit, actor, actor.id, self.clock.now())

    def of(self, actor: Actor, person_id: str) -> tuple[Seat, ...]:
        """List somebody's, for oneself or an administrator who reaches them."""
        now = self.clock.now()
        with self.units.write() as unit:
            self._may(unit, actor, person_id, now)
            return self._of(unit, actor, person_id, now)

    def end(self, actor: Actor, person_id: str, session_id: str) -> None:
        """End one session; whoever copied its cookie is out as well. One that has ended stays ended."""
        now = self.clock.now()
        with self.units.write() as unit:
            self._may(unit, actor, person_id, now)
            found = next((each for each in unit.sessions.of(person_id) if each.id == session_id), None)
            if found is None:
                raise not_found("session", session_id[:36])
            self._end(unit, actor, (found,), now)
            unit.commit()

    def end_others(self, actor: Actor, person_id: str) -> int:
        """End all of a person's but the one that the actor speaks by; gives how many."""
        now = self.clock.now()
        with self.units.write() as unit:
            self._may(unit, actor, person_id, now)
            others = tuple(each for each in unit.sessions.of(person_id) if each.id != actor.origin.session)
            if others:
                self._end(unit, actor, others, now)
                unit.commit()
        return len(others)

    def _end(self, unit: Unit, actor: Actor, sessions: tuple[Session, ...], now: datetime) -> None:
        for each in sessions:
            unit.sessions.end(each.id, now)
            event = Event(
                EventType.SIGNED_OUT,
                actor,
                changes=changes(each, replace(each, ended_at=now)),
                detail={"session": each.id, "person": each.person_id},
            )
            unit.log.record(event, now)

    def _of(self, unit: Unit, actor: Actor, person_id: str, now: datetime) -> tuple[Seat, ...]:
        limits = self.limits.of(unit, powers(unit.people.grants(person_id), now))
        return tuple(
            Seat(
                each,
                each.seen_at + limits.idle,
                each.created_at + limits.longest,
                each.id == actor.origin.session,
            )
            for each in unit.sessions.of(person_id)
            if each.alive(now, limits.idle, limits.longest)
        )

    def _may(self, unit: Unit, actor: Actor, person_id: str, now: datetime) -> None:
        """Return for oneself, or an administrator who reaches all of the person's roles."""
        if person_id == actor.id:
            return
        self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
        person = unit.people.get(person_id)
        grants = standing(unit, person_id)
        if person is None or in_sight(unit, self.gate.policy, actor, person, grants) is None:
            self._deny(unit, actor, not_found("person", person_id[:36]), now)
        for grant in grants:
            require_reach(self.gate, unit, actor, grant.scope, now)

    def _deny(self, unit: Unit, actor: Actor, error: VaultError, now: datetime) -> NoReturn:
        event = Event(EventType.ACCESS_DENIED, actor, detail={"permission": Permission.PEOPLE_MANAGE})
        refuse(unit, event, error, now)
