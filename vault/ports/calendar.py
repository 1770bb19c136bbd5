"""Port of the calendar: which days are days of business around a moment.

Decided here: a calendar is a value of the years around now; asking for it reads nothing but what is installed, so it
may be done within a transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.days_of_business import Calendar, Windows


class Calendars(Protocol):
    """Knows holidays, hours and what a day takes; and when accounts may move."""

    windows: Windows

    def around(self, now: datetime) -> Calendar:
        """Give the calendar of the year before `now` until five years after it."""
        ...
