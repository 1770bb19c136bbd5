"""Settings of cases: how accounts are welcomed, and on which days they are handed over and moved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Onboarding:
    """How accounts are welcomed: the pattern of root addresses, and what customers are told (A3, C4)."""

    root_address: str = ""
    instructions_file: str = ""


@dataclass(frozen=True, slots=True)
class Handover:
    """The days on which accounts are handed over (H2); the customer's link, and the wait for its word (H9)."""

    country: str = "US"
    subdivision: str = ""
    zone: str = "America/Chicago"
    opens: str = "08:00"
    closes: str = "17:00"
    days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    closed: tuple[str, ...] = ()
    accounts_a_day: int = 10
    link_days: int = 7
    grace_days: int = 30


@dataclass(frozen=True, slots=True)
class Moves:
    """The windows in which accounts move to another customer (D1)."""

    months: tuple[str, ...] = ("mar", "jun", "sep", "dec")
    first_day: int = 15
    last_day: int = 25
