"""How much happened when: counts of disclosures, refusals and sign-ins by day and hour, for a picture.

Decided here: what is counted, and that a day which is over is counted once in the life of this process. Counts are
the database's, over the columns by which the log is searched; no leaf is read. Who looks is an entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

from vault.domain.event import Event, EventType
from vault.domain.policy import Permission
from vault.errors import Forbidden
from vault.ports.ranges import Stretch
from vault.services.gate import Gate, refuse
from vault.services.reviews import DayState, Reviews

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.reviews import Day

TOP: Final = 10
HOURS: Final = 24
_COUNTED: Final = (EventType.REVEAL_RELEASED, EventType.REVEAL_UNKNOWN, EventType.SIGNED_IN)


@dataclass(frozen=True, slots=True)
class DayCount:
    """What one day had; `hours` are its disclosures by hour (UTC). Those without an outcome count."""

    day: date
    entries: int
    disclosures: int
    refusals: int
    sign_ins: int
    hours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """The last days, oldest first, their disclosures by hour, and the accounts with the most."""

    days: tuple[DayCount, ...]
    hours: tuple[int, ...]
    accounts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Activities:
    """The use case of looking at activity."""

    units: Units
    gate: Gate
    clock: Clock
    reviews: Reviews
    _past: dict[tuple[date, Stretch], DayCount] = field(default_factory=dict, repr=False, compare=False)

    def look(self, actor: Actor, count: int) -> Activity:
        """Count the last days; for who reads the whole log."""
        now = self.clock.now()
        self._viewed(actor, count, now)
        days = self.reviews.last_days(count)[::-1]
        with self.units.read() as unit:
            counted = tuple(self._count(unit, day) for day in days)
            whole = Stretch(days[0].stretch.first, days[-1].stretch.until) if days else Stretch(0, 0)
            accounts = unit.ranges.accounts(whole, EventType.REVEAL_RELEASED, TOP)
        hours = tuple(sum(day.hours[hour] for day in counted) for hour in range(HOURS))
        return Activity(counted, hours, accounts)

    def _count(self, unit: Unit, day: Day) -> DayCount:
        """Count a day, or remember it: one that is over does not change while its range is the same."""
        place = (day.day, day.stretch)
        if place in self._past:
            return self._past[place]
        found = unit.ranges.hours(day.stretch, tuple(_COUNTED))
        hours = tuple(
            found.get((EventType.REVEAL_RELEASED, hour), 0) + found.get((EventType.REVEAL_UNKNOWN, hour), 0)
            for hour in range(HOURS)
        )
        counted = DayCount(
            day=day.day,
            entries=day.stretch.count,
            disclosures=sum(hours),
            refusals=unit.ranges.refusals(day.stretch),
            sign_ins=sum(found.get((EventType.SIGNED_IN, hour), 0) for hour in range(HOURS)),
            hours=hours,
        )
        if day.state is not DayState.RUNNING:
            self._past[place] = counted
        return counted

    def _viewed(self, actor: Actor, count: int, now: datetime) -> None:
        event = Event(EventType.AUDIT_VIEWED, actor, detail={"what": "activity", "days": count})
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.LOG_READ, now)
            if not self.gate.policy.reach(actor, Permission.LOG_READ).everything:
                words = (
                    "These are counts of the whole log, and your scope is a part of it. Look at the trail."
                )
                refuse(unit, event, Forbidden("policy.denied", words, rule=Permission.LOG_READ), now)
            unit.log.record(event, now)
            unit.commit()
