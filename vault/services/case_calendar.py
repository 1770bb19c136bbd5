"""The calendar of cases: what is booked on which day, which days are free for whom, and why others are not.

Decided here: a day is the calendar's own, and stands by its opening; how many accounts are booked counts everybody's,
and which ones is told of those in sight alone (S21). Never decided here: what forbids a day (`days_of_business`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.account import Kind
from vault.domain.actor import EVERYTHING
from vault.domain.days_of_business import why_not
from vault.errors import FieldError, Invalid

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.domain.days_of_business import Calendar, Objection
    from vault.ports.calendar import Calendars
    from vault.ports.cases import Booked
    from vault.services.case_ground import CaseGround

LONGEST: Final = 100
"""So many days are read at once."""
_DAY: Final = timedelta(days=1)
_FIRST: Final = date(2000, 1, 1)
_LAST: Final = date(9000, 1, 1)


@dataclass(frozen=True, slots=True)
class CaseDay:
    """One day: how many accounts are booked and how many it takes, which of them are in sight, and for whom it is free.

    `closed` says why it is no business day; `member` and `payer` what weighs most against an account of that kind
    there (None: it is free), `holiday` its name.
    """

    day: date
    booked: int
    capacity: int
    seen: tuple[Booked, ...]
    closed: Objection | None
    holiday: str
    member: Objection | None
    payer: Objection | None

    @property
    def free(self) -> int:
        """How many more accounts it takes."""
        return (
            0 if self.member is not None and self.payer is not None else max(0, self.capacity - self.booked)
        )


@dataclass(frozen=True, slots=True)
class CaseDays:
    """Some days, with the zone and the hours in which they are counted."""

    days: tuple[CaseDay, ...]
    zone: str
    hours: str
    today: date


@dataclass(frozen=True, slots=True)
class CaseCalendar:
    """The use case of the calendar."""

    ground: CaseGround
    calendars: Calendars

    def days(self, actor: Actor, first: date | None, last: date | None) -> CaseDays:
        """Read the days from `first` to `last`, both included; without them the month that it is.

        Raises `Invalid` input.invalid for a stretch that is too long, or backwards.
        """
        now = self.ground.clock.now()
        calendar = self.calendars.around(now)
        today = calendar.day(now)
        first = first or today.replace(day=1)
        if not _FIRST <= first < _LAST:
            raise _refused("/from", f"Give a day from {_FIRST} on, before {_LAST}.")
        last = last or _end_of_month(first)
        if not first <= last < first + LONGEST * _DAY:
            raise _refused("/until", f"Give at most {LONGEST} days, the last not before the first.")
        since, until = _begin(first, calendar), _begin(last + _DAY, calendar)
        with self.ground.units.read() as unit:
            everyone = unit.cases.booked(since, until, EVERYTHING)
            seen = unit.cases.booked(since, until, self.ground.reach(actor))
        counted = Counter(calendar.day(each.day) for each in everyone)
        mine: dict[date, list[Booked]] = {}
        for each in seen:
            mine.setdefault(calendar.day(each.day), []).append(each)
        days = []
        for number in range((last - first).days + 1):
            day = first + number * _DAY
            opening = calendar.opening(day) or datetime.combine(day, time(12), calendar.hours.zone)
            moment = max(opening, now + timedelta(seconds=1)) if day == today else opening
            against = [
                why_not(moment, kind, None, now, calendar, counted) for kind in (Kind.MEMBER, Kind.PAYER)
            ]
            days.append(
                CaseDay(
                    day,
                    counted[day],
                    calendar.capacity,
                    tuple(mine.get(day, ())),
                    calendar.closed(day),
                    calendar.holidays.get(day, ""),
                    *against,
                )
            )
        return CaseDays(tuple(days), str(calendar.hours.zone), str(calendar.hours), today)


def _refused(pointer: str, words: str) -> Invalid:
    return Invalid("input.invalid", words, errors=(FieldError(pointer, words),))


def _begin(day: date, calendar: Calendar) -> datetime:
    return datetime.combine(day, time(), calendar.hours.zone)


def _end_of_month(day: date) -> date:
    return (day.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
