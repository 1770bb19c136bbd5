"""Days of business: what forbids a day names its rule, and the nearest free one is really free and really nearest."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from vault.adapters.calendar import check_place
from vault.domain.account import Kind
from vault.domain.days_of_business import (
    Calendar,
    Why,
    Windows,
    d1_window,
    earliest_move,
    next_free,
    objections,
    why_no_move,
    why_not,
)
from vault.domain.hours import Hours

BERLIN, CHICAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Chicago")
NEW_YEAR = {date(2026, 12, 25): "Christmas Day", date(2027, 1, 1): "New Year's Day"}
QUARTERS = Windows(frozenset({3, 6, 9, 12}), 15, 25)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday."""


def calendar(
    zone: ZoneInfo = BERLIN, *, days: range = range(5), whole: bool = False, room: int = 2
) -> Calendar:
    """Give a calendar of a small place: two holidays, two accounts a day."""
    opens, closes = (time(0), time(0)) if whole else (time(8), time(17))
    return Calendar(
        Hours("business", zone, frozenset(days), opens, closes), NEW_YEAR, range(2025, 2029), room
    )


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """Give a wall clock's time as a moment."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "kind", "why", "words"),
    [
        ("2026-11-24T10:00", Kind.MEMBER, None, ""),
        ("2026-11-23T10:00", Kind.MEMBER, Why.PAST, "H2: this moment is over."),
        ("2026-11-28T10:00", Kind.MEMBER, Why.WEEKDAY, "H2: 2026-11-28 is a Saturday"),
        ("2026-12-25T10:00", Kind.MEMBER, Why.HOLIDAY, "H2: 2026-12-25 is a holiday: Christmas Day."),
        ("2026-11-24T07:59", Kind.MEMBER, Why.HOURS, "H2: 2026-11-24 07:59 is not within mon"),
        ("2026-11-24T17:00", Kind.MEMBER, Why.HOURS, "H2: 2026-11-24 17:00"),
        ("2026-12-15T10:00", Kind.PAYER, Why.PAYER, "H5: 2026-12-15 is not after the 15th"),
        ("2026-12-16T10:00", Kind.PAYER, None, ""),
        ("2026-12-31T10:00", Kind.PAYER, None, ""),
        ("2027-01-04T10:00", Kind.PAYER, Why.PAYER, "H5: 2027-01-04"),
        ("2026-12-15T10:00", Kind.STANDALONE, None, ""),
        ("2026-11-25T10:00", Kind.MEMBER, Why.FULL, "H2: 2026-11-25 is full: 2 of 2"),
        ("2029-01-03T10:00", Kind.MEMBER, Why.UNKNOWN, "H2: the holidays of 2029 are not known"),
    ],
)
def test_what_forbids_a_moment_is_said_with_its_rule(
    moment: str, kind: Kind, why: Why | None, words: str
) -> None:
    told = why_not(at(moment), kind, None, at("2026-11-23T10:00"), calendar(), {date(2026, 11, 25): 2})
    assert (told.why if told else None) is why
    assert str(told or "").startswith(words)


def test_what_nobody_may_waive_comes_first_and_the_rest_is_told_too() -> None:
    told = objections(at("2026-11-08T10:00"), Kind.PAYER, None, NOW, calendar(), {date(2026, 11, 8): 9})
    assert [each.why for each in told] == [Why.PAST, Why.PAYER, Why.WEEKDAY, Why.FULL]
    assert [each.waivable for each in told] == [False, False, True, True]


def test_beyond_the_contract_is_refused_while_an_earlier_day_is_free_and_only_then() -> None:
    end, booked = date(2026, 11, 25), {date(2026, 11, 24): 2}
    told = why_not(at("2026-11-26T10:00"), Kind.MEMBER, end, NOW, calendar(), booked)
    assert told is not None
    assert (told.why, told.waivable) == (Why.CONTRACT, True)
    assert "2026-11-25 is free" in told.words
    booked[end] = 2
    assert why_not(at("2026-11-26T10:00"), Kind.MEMBER, end, NOW, calendar(), booked) is None
    assert next_free(Kind.MEMBER, end, NOW, calendar(), booked) == at("2026-11-26T08:00")


@pytest.mark.parametrize("month", range(1, 13))
def test_the_15th_is_refused_to_a_payer_on_every_weekday_and_the_16th_is_not_h5s_to_refuse(
    month: int,
) -> None:
    every = calendar(days=range(7))  # 2027 has a 15th on every weekday
    now = datetime(2026, 12, 1, tzinfo=UTC)
    for day, refused in ((15, True), (16, False)):
        moment = datetime(2027, month, day, 12, tzinfo=BERLIN)
        told = why_not(moment, Kind.PAYER, None, now, every, {})
        assert (told is not None and told.rule == "H5" and not told.waivable) is refused
        assert why_not(moment, Kind.MEMBER, None, now, every, {}) is None


@pytest.mark.parametrize(("zone", "refused"), [(BERLIN, False), (CHICAGO, True)])
def test_the_16th_begins_at_midnight_in_the_calendars_zone(zone: ZoneInfo, refused: bool) -> None:
    moment = datetime(2026, 12, 15, 23, 30, tzinfo=UTC)  # in Berlin the 16th at 00:30
    every = calendar(zone, days=range(7), whole=True)
    told = why_not(moment, Kind.PAYER, None, NOW, every, {})
    assert (told is not None and told.why is Why.PAYER) is refused


@pytest.mark.parametrize(
    ("zone", "night", "hours"),
    [
        (BERLIN, date(2027, 3, 28), 23),
        (BERLIN, date(2027, 10, 31), 25),
        (CHICAGO, date(2027, 3, 14), 23),
        (CHICAGO, date(2027, 11, 7), 25),
    ],
)
def test_the_nights_in_which_clocks_change_belong_to_one_day_each(
    zone: ZoneInfo, night: date, hours: int
) -> None:
    every = calendar(zone, days=range(7), whole=True)
    opening, following = every.opening(night), every.opening(night + DAY)
    assert opening is not None
    assert following is not None
    assert following - opening == timedelta(hours=hours)
    minutes = range(0, hours * 60, 30)
    assert {every.day(opening + timedelta(minutes=each)) for each in minutes} == {night}
    found = (why_not(opening + timedelta(minutes=each), Kind.PAYER, None, NOW, every, {}) for each in minutes)
    assert {each.why if each else None for each in found} == {None if night.day > 15 else Why.PAYER}
    office = calendar(zone, days=range(7))
    assert office.opening(night) == datetime.combine(night, time(8), zone)


@settings(max_examples=60)
@given(
    kind=some.sampled_from(Kind),
    end=some.none() | some.dates(date(2026, 11, 1), date(2027, 3, 31)),
    now=some.datetimes(datetime(2026, 11, 20), datetime(2027, 1, 31), timezones=some.just(UTC)),  # noqa: DTZ001 - the zone is drawn beside them
    full=some.sets(some.dates(date(2026, 11, 20), date(2027, 4, 20)), max_size=40),
    zone=some.sampled_from((BERLIN, CHICAGO)),
)
def test_the_nearest_free_day_is_free_and_none_is_nearer(
    kind: Kind, end: date | None, now: datetime, full: set[date], zone: ZoneInfo
) -> None:
    place, booked = calendar(zone), dict.fromkeys(full, 2)
    found = next_free(kind, end, now, place, booked)
    assert found is not None
    assert why_not(found, kind, end, now, place, booked) is None
    day = place.day(found)
    up_to_the_end = end is not None and day <= end
    skipped = (
        (day + DAY, end) if up_to_the_end and end else (max(place.day(now), end or date.min) + DAY, day - DAY)
    )
    each = skipped[0]
    while each <= skipped[1]:
        opening = place.opening(each)
        assert opening is None or why_not(opening, kind, None, now, place, booked) is not None
        each += DAY


def test_who_comes_first_has_the_day_and_a_payer_waits_for_its_members() -> None:
    end, booked, days = date(2026, 11, 30), dict[date, int](), []
    for _ in range(5):
        moment = next_free(Kind.MEMBER, end, NOW, calendar(), booked)
        assert moment is not None
        days.append(moment.date())
        booked[days[-1]] = booked.get(days[-1], 0) + 1
    assert [day.day for day in days] == [30, 30, 27, 27, 26]
    # both rooms of the 30th are taken; before the last member's day it may not go; after it the 15th is in the way
    payer = next_free(Kind.PAYER, end, NOW, calendar(), booked, earliest=max(days))
    assert payer == at("2026-12-16T08:00")
    later = next_free(Kind.MEMBER, None, NOW, calendar(), booked, earliest=date(2027, 1, 1))
    assert later == at("2027-01-04T08:00")


def test_where_no_day_is_known_none_is_proposed() -> None:
    assert next_free(Kind.MEMBER, None, datetime(2029, 1, 2, tzinfo=UTC), calendar(), {}) is None
    assert next_free(Kind.MEMBER, date(9999, 12, 31), NOW, calendar(), {}) == at("2028-12-29T08:00")
    assert next_free(Kind.MEMBER, None, NOW, calendar(days=range(0)), {}) is None
    assert earliest_move(datetime(2028, 12, 20, tzinfo=UTC), calendar()) is None


@pytest.mark.parametrize(
    ("requested", "first"),
    [
        ("2026-11-23T10:00", "2026-12-11"),  # a Monday; 14 business days later a Friday
        ("2026-11-23T17:00", "2026-12-14"),  # after the hours: as if on Tuesday
        ("2026-11-21T10:00", "2026-12-11"),  # a Saturday: as if on Monday
        ("2026-11-23T00:30", "2026-12-11"),
        ("2026-12-14T10:00", "2027-01-05"),  # Christmas and New Year do not count
    ],
)
def test_a_move_waits_fourteen_business_days(requested: str, first: str) -> None:
    assert earliest_move(at(requested), calendar()) == date.fromisoformat(first)


def test_a_move_is_in_a_quarters_window_or_asks_for_a_fee() -> None:
    requested, place = at("2026-11-23T10:00"), calendar()

    def whys(day: str) -> list[tuple[Why, bool]]:
        told = why_no_move(date.fromisoformat(day), requested, requested, QUARTERS, place)
        return [(each.why, each.waivable) for each in told]

    assert whys("2026-12-15") == whys("2026-12-24") == []
    assert whys("2026-12-14") == whys("2027-01-18") == [(Why.WINDOW, True)]
    assert whys("2026-12-25") == [(Why.HOLIDAY, True)]
    assert whys("2026-12-10") == [(Why.NOTICE, False), (Why.WINDOW, True)]
    assert (Why.PAST, False) in whys("2026-11-20")
    told = why_no_move(date(2026, 12, 28), requested, requested, QUARTERS, place)
    assert "the next is from 2027-03-15 to 2027-03-25" in told[0].words
    assert told[0].rule == "D1"


def test_windows_begin_and_end_on_business_days() -> None:
    assert d1_window(date(2026, 11, 1), QUARTERS, calendar()) == (date(2026, 12, 15), date(2026, 12, 24))
    assert d1_window(date(2026, 12, 24), QUARTERS, calendar()) == (date(2026, 12, 15), date(2026, 12, 24))
    assert d1_window(date(2026, 12, 25), QUARTERS, calendar()) == (date(2027, 3, 15), date(2027, 3, 25))
    assert d1_window(date(2028, 12, 26), QUARTERS, calendar()) is None


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    check_place("DE", "BY")
    check_place("IN", "")
