"""Public holidays, from the `holidays` library: rules of each country and its parts, computed, nothing fetched.

Decided here: holidays' English names where the library has them; days that are kept instead of a holiday on a weekend
count as holidays; half days and unofficial ones do not. A country or part that the library does not know is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import holidays

from vault.domain.days_of_business import Calendar, Windows
from vault.domain.hours import Hours

_LANGUAGE: Final = "en_US"
_BEFORE: Final = 1
_AFTER: Final = 5


class UnknownPlace(ValueError):
    """The library knows no such country, or no such part of it; the message names what it knows."""


class PublicHolidays:
    """The calendar of one place; `closed` are further days without business, with what they are called."""

    def __init__(
        self,
        place: tuple[str, str],
        hours: Hours,
        capacity: int,
        closed: Mapping[date, str],
        windows: Windows,
    ) -> None:
        """Take a country and a part of it (empty: the whole); raise `UnknownPlace` where there is none."""
        check_place(*place)
        self.windows = windows
        self._place = place
        self._hours = hours
        self._capacity = capacity
        self._closed = closed

    def around(self, now: datetime) -> Calendar:
        """Give the calendar of the year before `now` until five years after it."""
        year = now.astimezone(self._hours.zone).year
        years = range(year - _BEFORE, year + _AFTER + 1)
        named = {**_holidays(*self._place, years), **self._closed}
        return Calendar(self._hours, MappingProxyType(named), years, self._capacity)


def check_place(country: str, subdivision: str) -> None:
    """Raise `UnknownPlace` for a country, or a part of it, that the library does not know."""
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        message = (
            f"{country!r} is no country whose holidays are known; write its two letters of ISO 3166, as US"
        )
        raise UnknownPlace(message)
    if subdivision and subdivision not in known[country]:
        parts = ", ".join(known[country]) or "none"
        message = f"{subdivision!r} is no part of {country} whose holidays are known; known are: {parts}"
        raise UnknownPlace(message)


@lru_cache(maxsize=8)
def _holidays(country: str, subdivision: str, years: range) -> Mapping[date, str]:
    found = holidays.country_holidays(
        country, subdiv=subdivision or None, years=years, expand=False, language=_LANGUAGE
    )
    return MappingProxyType(dict(found.items()))
