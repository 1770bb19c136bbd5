"""Outlets: whose turn it is, what came of it, and when a place outside counts as lost or as back.

Decided here: the engine that every place outside shares, whatever it is sent. A turn is taken in one short
transaction, the network is asked with none open, and what came of it is written in another. A program that dies in
between has delivered something and does not know: when the turn runs out it is delivered again, so whatever is
sent has to be the same the second time. A row that cannot be true (`Outlet.doubt`) was written by somebody else:
the outlet begins anew, and is lost at once, so that the log tells of it. One entry tells that an outlet was lost
and one that it is back and has caught up, never one for each try.

Never done here: the network, or anything inside an append.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType, Result, stamp
from vault.domain.outlet import Outlet
from vault.services.highwater import checkpoint_of

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units


@dataclass(frozen=True, slots=True)
class Outlets:
    """Turns of delivery; `lost_after` is how long an outlet may fail until the log tells of it."""

    units: Units
    clock: Clock
    lost_after: timedelta

    def turn(self, name: str, lasts: timedelta, start: int = 0) -> Outlet | None:
        """Take the turn to deliver, for at most `lasts`; None where it is not time, or another has the turn.

        An outlet that was not known begins at position `start`.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            found = self.claimed(unit, name, now, start)
            if not found.is_due(now):
                return None
            taken = found.taken(now, lasts)
            unit.outlets.put(taken)
            unit.commit()
        return taken

    def confirmed(self, name: str, position: int, *, caught_up: bool = True) -> Outlet:
        """Write that the entries below `position` are out there; what was lost is back once it caught up."""
        now = self.clock.now()
        with self.units.write() as unit:
            outlet = self.confirm(unit, name, position, now, caught_up=caught_up)
            unit.commit()
        return outlet

    def confirm(
        self, unit: Unit, name: str, position: int, now: datetime, *, caught_up: bool = True
    ) -> Outlet:
        """As `confirmed`, in the caller's unit, for who writes more about it in the same transaction."""
        before = self.claimed(unit, name, now)
        outlet = before.confirmed(position, now)
        if outlet.lost and caught_up:
            outlet = replace(outlet, lost=False)
            unit.log.record(_changed(EventType.OUTLET_BACK, outlet, before, Result.SUCCESS), now)
        unit.outlets.put(outlet)
        return outlet

    def failed(self, name: str, error: str, wait: timedelta | None = None) -> Outlet:
        """Write that a try failed and when the next may be: after `wait`, else after ever longer waits."""
        now = self.clock.now()
        with self.units.write() as unit:
            before = self.claimed(unit, name, now)
            outlet = before.failed(error, now, wait)
            if not outlet.lost and outlet.is_overdue(now, self.lost_after):
                outlet = replace(outlet, lost=True)
                unit.log.record(_changed(EventType.OUTLET_LOST, outlet, outlet, Result.FAILED), now)
            unit.outlets.put(outlet)
            unit.commit()
        return outlet

    def idle(self, name: str) -> None:
        """Give a turn back in which there was nothing to deliver."""
        with self.units.write() as unit:
            unit.outlets.put(replace(unit.outlets.claim(name), next_at=None))
            unit.commit()

    def claimed(self, unit: Unit, name: str, now: datetime, start: int = 0) -> Outlet:
        """Claim an outlet in the caller's unit; one whose row cannot be true begins anew, is lost, and is told of."""
        found = unit.outlets.claim(name, start)
        outlet = found.believed(log_size(unit), now)
        if outlet is not found and not outlet.lost:
            outlet = replace(outlet, lost=True)
            unit.log.record(_changed(EventType.OUTLET_LOST, outlet, outlet, Result.FAILED), now)
        return outlet


def believed(unit: Unit, name: str, now: datetime) -> Outlet:
    """Give an outlet as far as its row can be true; one that is not known has got nothing."""
    return (unit.outlets.get(name) or Outlet(name)).believed(log_size(unit), now)


def log_size(unit: Unit) -> int:
    """Give the number of entries that the log has, by its signed head."""
    return checkpoint_of(unit.log.checkpoint()).size


def _changed(event: EventType, outlet: Outlet, before: Outlet, result: Result) -> Event:
    since = before.failing_since
    detail: dict[str, Fact] = {
        "outlet": outlet.name,
        "position": outlet.position,
        "failing_since": None if since is None else stamp(since),
        "error": before.error,
    }
    return Event(event, system_actor("worker"), result, detail=detail)
