"""Hours: the times of a week in which a reason opens anything, in a zone of the IANA's tz database.

Decided here: what nights and the two nights of a year mean in which the clocks are changed. A window that ends
before it begins goes on past midnight and belongs to the day on which it began. A time that the clocks leave out
begins when they have jumped over it; one that they show twice begins the first time and ends the second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """One named window: on `days` (0 is Monday) from `opens` until `closes`, which is 00:00 for midnight."""

    name: str
    zone: ZoneInfo
    days: frozenset[int]
    opens: time
    closes: time

    def is_open(self, at: datetime) -> bool:
        """Say whether an aware moment lies within."""
        day = at.astimezone(self.zone).date()
        return any(begin <= at < end for begin, end in map(self._window, (day - _DAY, day)) if begin != end)

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """Give begin and end, in UTC, of the window that begins on a day; None where none does."""
        begin, end = self._window(day)
        return None if begin == end else (begin, end)

    def next_opening(self, at: datetime) -> datetime:
        """Give the first moment from `at` on in which it is open, in UTC."""
        if self.is_open(at):
            return at
        day = at.astimezone(self.zone).date() - _DAY
        found = (self._window(day + n * _DAY) for n in range(10))
        return next(begin for begin, end in found if begin > at and begin != end)

    def within(self, other: Hours) -> bool:
        """Say for certain that it is never open while `other` is not; windows of two zones are never compared."""
        if self.zone.key != other.zone.key or not self.days <= other.days:
            return False
        return other.opens <= self.opens and self._length() + self._from() <= other._length() + other._from()

    def __str__(self) -> str:
        days = ", ".join(DAYS[day] for day in sorted(self.days))
        return f"{days} from {self.opens:%H:%M} until {self.closes:%H:%M} ({self.zone.key})"

    def _from(self) -> timedelta:
        return timedelta(hours=self.opens.hour, minutes=self.opens.minute)

    def _length(self) -> timedelta:
        until = timedelta(hours=self.closes.hour, minutes=self.closes.minute)
        return until - self._from() if self.closes > self.opens else until + _DAY - self._from()

    def _window(self, day: date) -> tuple[datetime, datetime]:
        """Give begin and end of the window that begins on `day`, in UTC; both the same where none does."""
        opens = self._moment(day, self.opens, 0)
        if day.weekday() not in self.days:
            return opens, opens
        last = day if self.closes > self.opens else day + _DAY
        return opens, self._moment(last, self.closes, 1)

    def _moment(self, day: date, clock: time, fold: int) -> datetime:
        """Give a wall clock's time as a moment: the first or the second of two, or the end of the gap it lies in."""
        wall = datetime.combine(day, clock)
        first, second = (wall.replace(tzinfo=self.zone, fold=each).astimezone(UTC) for each in (0, 1))
        if first <= second:
            return second if fold else first
        at = second  # in a gap: `second` is before the jump, `first` behind it
        while at.astimezone(self.zone).replace(tzinfo=None) < wall:
            at += _MINUTE
        return at
