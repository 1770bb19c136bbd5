"""The calendar as settings describe it: holidays with their names; what cannot be meant is refused by its setting."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from vault.bootstrap.calendar import open_calendar
from vault.domain.days_of_business import Calendar, Why, Windows
from vault.errors import Refused
from vault.settings import load_settings

NOW = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


def opened(**settings: str) -> tuple[Calendar, Windows]:
    """Open what these settings say, in a demonstration."""
    environment = {"ROOTVAULT_ENVIRONMENT": "demo", "ROOTVAULT_KEYS_SERVICE": "local"}
    given = {f"ROOTVAULT_{name.upper()}": value for name, value in settings.items()}
    calendars = open_calendar(load_settings(environment=environment | given))
    return calendars.around(NOW), calendars.windows


def test_the_shipped_calendar_is_that_of_an_office_in_the_united_states() -> None:
    calendar, windows = opened()
    assert str(calendar.hours) == "mon, tue, wed, thu, fri from 08:00 until 17:00 (America/Chicago)"
    assert calendar.years == range(2025, 2032)
    assert calendar.holidays[date(2026, 11, 26)] == "Thanksgiving Day"
    assert calendar.holidays[date(2027, 7, 5)] == "Independence Day (observed)"  # the 4th is a Sunday
    assert (calendar.capacity, windows) == (10, Windows(frozenset({3, 6, 9, 12}), 15, 25))


def test_another_place_has_other_years_holidays_and_days_of_its_own() -> None:
    calendar, windows = opened(
        handover_country="DE",
        handover_subdivision="BY",
        handover_zone="Europe/Berlin",
        handover_closes="24:00",
        handover_closed="2027-12-24 Year-end shutdown,2027-12-31 Stocktaking",
        moves_months="jan,jul",
    )
    assert calendar.years == range(2026, 2033)  # in Berlin the year is a new one
    assert calendar.holidays[date(2027, 1, 6)] == "Epiphany"  # Bavaria's, not Germany's
    closed = calendar.closed(date(2027, 12, 24))
    assert closed is not None
    assert (closed.why, "Year-end shutdown" in closed.words) == (Why.HOLIDAY, True)
    assert calendar.closed(date(2027, 12, 23)) is None
    assert windows.months == {1, 7}


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"handover_country": "XX"}, "handover.country"),
        ({"handover_country": "us"}, "handover.country"),
        ({"handover_country": "DE", "handover_subdivision": "TX"}, "handover.subdivision"),
        ({"handover_zone": "Mars/Olympus"}, "handover.zone"),
        ({"handover_zone": "../etc"}, "handover.zone"),
        ({"handover_opens": "8 o'clock"}, "handover.opens"),
        ({"handover_opens": "24:00"}, "handover.opens"),
        ({"handover_closes": "08:00"}, "handover.closes"),
        ({"handover_closes": "00:00"}, "handover.closes"),
        ({"handover_days": "monday"}, "handover.days"),
        ({"handover_days": ""}, "handover.days"),
        ({"handover_closed": "2026-02-30 No such day"}, "handover.closed"),
        ({"handover_closed": "Christmas"}, "handover.closed"),
        ({"moves_months": "march"}, "moves.months"),
        ({"moves_first_day": "20", "moves_last_day": "19"}, "moves.last_day"),
        ({"handover_accounts_a_day": "0"}, "handover.accounts_a_day"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, str], names: str) -> None:
    with pytest.raises(Refused) as refused:
        opened(**settings)
    assert refused.value.facts["setting"] == names
