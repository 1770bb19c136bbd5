"""Days of business: when an account may be handed over (H2, H5), and when it may be moved (D1).

Decided here: what of a wished moment speaks against it, each with its rule's id and whether two people may waive it;
the free day nearest to the end of a contract; the 14 business days and the quarter's window of a move. A day is a day
of the configured zone, for H5 too: its 16th begins at midnight there, because the day was agreed with a customer and
is worked on by people who live by that calendar. Every payer that a customer may hand over is a dedicated
master payer (H5): an account has one customer, so a payer that several share is nobody's to hand over.
Never done here: reading a clock, asking what the public holidays are (`ports.calendar` brings them), or counting
what is booked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final

from vault.domain.account import Kind
from vault.domain.hours import Hours

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

PAYER_FROM: Final = 16
"""The first day of a month on which a dedicated master payer may be handed over (H5: after the 15th)."""
NOTICE: Final = 14
"""Business days between the request of a move and the move (D1)."""
_DAY: Final = timedelta(days=1)
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Booked = Mapping[date, int]
"""How many accounts are booked on each day of the calendar's zone; a day without any may be left out."""


class Why(StrEnum):
    """What speaks against a moment."""

    PAST = "past"
    UNKNOWN = "unknown"
    PAYER = "payer"
    NOTICE = "notice"
    WEEKDAY = "weekday"
    HOLIDAY = "holiday"
    HOURS = "hours"
    CONTRACT = "contract"
    FULL = "full"
    WINDOW = "window"


_RULES: Final = {Why.PAYER: "H5", Why.NOTICE: "D1", Why.WINDOW: "D1"}
_NEVER: Final = frozenset({Why.PAST, Why.UNKNOWN, Why.PAYER, Why.NOTICE})


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that speaks against a moment, in a sentence that a person can act on.

    `rule` is the id of the rule that forbids it: `H2`, `H5` or `D1`.
    """

    why: Why
    words: str
    rule: str

    @property
    def waivable(self) -> bool:
        """Whether two people may put it aside on record: never H5, the past, or the notice of a move."""
        return self.why not in _NEVER

    def __str__(self) -> str:
        return f"{self.rule}: {self.words}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days on which engineers work: their hours, the holidays of some years, and how much a day takes.

    `hours` end on the day on which they begin, at midnight (00:00) at the latest. `holidays` are all that are known of
    `years`; of any other year nothing is known, so nothing is allowed there. `capacity` is in accounts a day.
    """

    hours: Hours
    holidays: Mapping[date, str]
    years: range
    capacity: int

    def day(self, moment: datetime) -> date:
        """Give the day of an aware moment in the calendar's zone."""
        return moment.astimezone(self.hours.zone).date()

    def closed(self, day: date) -> Objection | None:
        """Say why a day is no business day; None where it is one."""
        if day.year not in self.years:
            return _because(Why.UNKNOWN, f"the holidays of {day.year} are not known here yet.")
        if day.weekday() not in self.hours.days:
            name = _WEEKDAYS[day.weekday()]
            return _because(Why.WEEKDAY, f"{day} is a {name}; accounts are handed over on {self.hours}.")
        if day in self.holidays:
            return _because(Why.HOLIDAY, f"{day} is a holiday: {self.holidays[day]}.")
        return None if self.hours.on(day) else _because(Why.HOURS, f"{day} has no business hours at all.")

    def opening(self, day: date) -> datetime | None:
        """Give the moment in UTC at which a day's business begins, None where there is none."""
        window = None if self.closed(day) else self.hours.on(day)
        return window[0] if window else None


def objections(
    moment: datetime, kind: Kind, contract_end: date | None, now: datetime, calendar: Calendar, booked: Booked
) -> tuple[Objection, ...]:
    """Say everything that speaks against handing an account over at `moment`; what nobody may waive comes first.

    `contract_end` is the contract's last day; a later one is refused while a day up to it is free. `booked` leaves out
    what this very account has booked already. Both moments are aware.
    """
    day = calendar.day(moment)
    found = [_payer(day, kind), calendar.closed(day), _late(moment, now)]
    if found[1] is None and not calendar.hours.is_open(moment):
        found.append(_because(Why.HOURS, f"{_local(moment, calendar)} is not within {calendar.hours}."))
    if contract_end is not None and day > contract_end:
        earlier = _latest(kind, contract_end, now, calendar, booked)
        if earlier is not None:
            words = f"{day} is beyond {contract_end}, when the contract ends; {earlier} is free."
            found.append(_because(Why.CONTRACT, words))
    if booked.get(day, 0) >= calendar.capacity:
        words = f"{day} is full: {booked.get(day, 0)} of {calendar.capacity} accounts a day are booked."
        found.append(_because(Why.FULL, words))
    told = [each for each in found if each is not None]
    return tuple(sorted(told, key=lambda each: (each.waivable, list(Why).index(each.why))))


def why_not(
    moment: datetime, kind: Kind, contract_end: date | None, now: datetime, calendar: Calendar, booked: Booked
) -> Objection | None:
    """Say what weighs most against handing an account over at `moment`; None where nothing does (`objections`)."""
    found = objections(moment, kind, contract_end, now, calendar, booked)
    return found[0] if found else None


def next_free(
    kind: Kind,
    contract_end: date | None,
    now: datetime,
    calendar: Calendar,
    booked: Booked,
    earliest: date | None = None,
) -> datetime | None:
    """Give the opening of the free day nearest to the contract's end: the last up to it, else the first beyond (H2).

    Without a contract's end it is the first of all. Who came first has their day in `booked`, so whoever comes next
    gets another. `earliest` is a day that it may not be before (a payer goes after its members). None where the
    calendar knows no such day.
    """
    if contract_end is not None:
        day = _latest(kind, contract_end, now, calendar, booked, earliest)
        if day is not None:
            return calendar.opening(day)
    first = max(calendar.day(now), earliest or date.min, contract_end or date.min)
    found = (day for day in _onward(first, calendar) if _is_free(day, kind, now, calendar, booked))
    day = next(found, None)
    return None if day is None else calendar.opening(day)


@dataclass(frozen=True, slots=True)
class Windows:
    """When accounts move to another customer (D1): in these months, from a day until another, both included."""

    months: frozenset[int]
    first: int
    last: int

    def __contains__(self, day: date) -> bool:
        return day.month in self.months and self.first <= day.day <= self.last


def d1_window(day: date, windows: Windows, calendar: Calendar) -> tuple[date, date] | None:
    """Give the first and the last business day of the window that is open on `day` or comes next.

    None where the calendar knows no such day. A day in the window that is no business day moves nothing: "on or about".
    """
    within = [each for each in _onward(day.replace(day=1), calendar) if each in windows]
    months = dict.fromkeys((each.year, each.month) for each in within)
    for month in months:
        days = [each for each in within if (each.year, each.month) == month and not calendar.closed(each)]
        if days and days[-1] >= day:
            return days[0], days[-1]
    return None


def earliest_move(requested: datetime, calendar: Calendar) -> date | None:
    """Give the first day that is 14 business days after a request (D1); None where the calendar ends before.

    The day of the request does not count, the day of the move does. What is asked for on no business day, or after its
    hours, counts as asked for on the next one.
    """
    days = (each for each in _onward(calendar.day(requested), calendar) if not calendar.closed(each))
    counted = (each for each in days if _ends(each, calendar) > requested)
    return next(islice(counted, NOTICE, None), None)


def why_no_move(
    day: date, requested: datetime, now: datetime, windows: Windows, calendar: Calendar
) -> tuple[Objection, ...]:
    """Say everything that speaks against moving an account on `day` (D1); what nobody may waive comes first.

    A recorded approval of the fee puts the window aside, nothing puts the notice aside.
    """
    found: list[Objection | None] = [calendar.closed(day)]
    if day < calendar.day(now):
        found.append(_because(Why.PAST, f"{day} is over."))
    earliest = earliest_move(requested, calendar)
    if earliest is None or day < earliest:
        words = f"a move is asked for at least {NOTICE} business days ahead: {earliest or 'no known day'} is the first."
        found.append(_because(Why.NOTICE, words))
    if day not in windows:
        window = d1_window(max(day, calendar.day(now)), windows, calendar)
        comes = f"; the next is from {window[0]} to {window[1]}" if window else ""
        words = f"{day} is in no window of a quarter{comes}. Outside it a fee has to be approved."
        found.append(_because(Why.WINDOW, words))
    told = [each for each in found if each is not None]
    return tuple(sorted(told, key=lambda each: (each.waivable, list(Why).index(each.why))))


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a moment as RFC 3339 has it, or as the clocks of `zone` show it; give it in UTC.

    Raises `ValueError` with a sentence for what is no time, and for one that the clocks leave out or show twice.
    """
    if _MOMENT.fullmatch(text) is None:
        raise ValueError(
            "write a time such as 2027-03-16T15:00:00Z, or 2027-03-16T09:00 by the clocks of the calendar"
        )
    try:
        wall = datetime.fromisoformat(text)
        if wall.tzinfo is not None:
            return wall.astimezone(UTC)
        first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError):
        raise ValueError(f"there is no time {text}") from None
    if first > second:
        raise ValueError(
            f"the clocks of {zone.key} leave {text} out, because they are put forward that night"
        )
    if first < second:
        words = f"the clocks of {zone.key} show {text} twice, because they are put back that night"
        raise ValueError(f"{words}; add its offset, or Z")
    return first


def _because(why: Why, words: str) -> Objection:
    return Objection(why, words, _RULES.get(why, "H2"))


def _payer(day: date, kind: Kind) -> Objection | None:
    if kind is not Kind.PAYER or day.day >= PAYER_FROM:
        return None
    words = f"{day} is not after the 15th: a dedicated master payer goes from the 16th on, without exception."
    return _because(Why.PAYER, words)


def _late(moment: datetime, now: datetime) -> Objection | None:
    return None if moment > now else _because(Why.PAST, "this moment is over.")


def _is_free(day: date, kind: Kind, now: datetime, calendar: Calendar, booked: Booked) -> bool:
    """Say whether a day's opening is still to come, and open to an account of this kind."""
    opening = calendar.opening(day)
    if opening is None or opening <= now or _payer(day, kind):
        return False
    return booked.get(day, 0) < calendar.capacity


def _latest(
    kind: Kind,
    contract_end: date,
    now: datetime,
    calendar: Calendar,
    booked: Booked,
    earliest: date | None = None,
) -> date | None:
    """Give the last free day up to the contract's end."""
    first = max(calendar.day(now), earliest or date.min)
    day = min(contract_end, date(calendar.years[-1], 12, 31))
    while day >= first:
        if _is_free(day, kind, now, calendar, booked):
            return day
        day -= _DAY
    return None


def _onward(day: date, calendar: Calendar) -> Iterator[date]:
    """Give every day from `day` on that the calendar knows."""
    while day.year <= calendar.years[-1]:
        yield day
        day += _DAY


def _ends(day: date, calendar: Calendar) -> datetime:
    """Give the moment at which a business day ends."""
    window = calendar.hours.on(day)
    return window[1] if window else datetime.min.replace(tzinfo=UTC)


def _local(moment: datetime, calendar: Calendar) -> str:
    return f"{moment.astimezone(calendar.hours.zone):%Y-%m-%d %H:%M}"
