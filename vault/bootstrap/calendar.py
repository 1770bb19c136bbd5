"""The calendar, made of settings; what cannot be meant is refused before anything is served."""

from __future__ import annotations

import re
from datetime import date, time
from typing import TYPE_CHECKING, Final, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vault.adapters.calendar import PublicHolidays, UnknownPlace
from vault.domain.days_of_business import Windows
from vault.domain.hours import DAYS, Hours
from vault.errors import Refused

if TYPE_CHECKING:
    from vault.settings import Settings

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_CLOSED: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) (\S.{0,79})", re.ASCII)


def open_calendar(settings: Settings) -> PublicHolidays:
    """Give the calendar that the settings describe; raise `Refused` settings.invalid for what cannot be meant."""
    chosen, moves = settings.handover, settings.moves
    opens, closes = _clock("opens", chosen.opens), _clock("closes", chosen.closes)
    if closes != time(0, 0) and closes <= opens:
        _wrong("handover.closes", "is not later than handover.opens, on the same day")
    if not chosen.days or not set(chosen.days) <= set(DAYS):
        _wrong("handover.days", f"must name some of {', '.join(DAYS)}")
    if not moves.months or not set(moves.months) <= set(MONTHS):
        _wrong("moves.months", f"must name some of {', '.join(MONTHS)}")
    if moves.last_day < moves.first_day:
        _wrong("moves.last_day", "is before moves.first_day")
    days = frozenset(DAYS.index(day) for day in chosen.days)
    hours = Hours("business", _zone(chosen.zone), days, opens, closes)
    months = frozenset(MONTHS.index(month) + 1 for month in moves.months)
    windows = Windows(months, moves.first_day, moves.last_day)
    closed = dict(map(_closed, chosen.closed))
    place = (chosen.country, chosen.subdivision)
    try:
        return PublicHolidays(place, hours, chosen.accounts_a_day, closed, windows)
    except UnknownPlace as unknown:
        _wrong("handover.subdivision" if " part of " in str(unknown) else "handover.country", str(unknown))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _wrong("handover.zone", f"{name!r} is not a zone of the IANA's database, as Europe/London is")


def _clock(name: str, value: str) -> time:
    if name == "closes" and value == "24:00":
        return time(0, 0)
    found = _CLOCK.fullmatch(value)
    if found is None or (name == "closes" and value == "00:00"):
        _wrong(f"handover.{name}", "must be a time of day as 08:00")
    return time(int(found[1]), int(found[2]))


def _closed(line: str) -> tuple[date, str]:
    found = _CLOSED.fullmatch(line)
    day = _day(found[1]) if found else None
    if found is None or day is None:
        words = f"holds {line[:90]!r}; write a day and what it is called: 2026-12-24 Year-end shutdown"
        _wrong("handover.closed", words)
    return day, found[2]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:  # 2026-02-30 looks like a day
        return None


def _wrong(setting: str, words: str) -> NoReturn:
    raise Refused("settings.invalid", f"{setting}: {words}.", setting=setting)
