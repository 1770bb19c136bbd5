"""Signs that a request for root is worth a second look, told to those who decide on it.

Decided here: which signs there are, from which facts, and in which words. A sign is never a decision: nothing is
refused because of one, and none names a secret. Hours are UTC and compared with the person's own, because people
work in many zones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.checkout import Checkout, CheckoutState

WINDOW: Final = timedelta(days=60)
"""How far back a person's habits are looked at."""

HABIT: Final = 10
"""So many requests in the window before an hour can be called odd for a person."""

KNOWN: Final = 10
"""How many of the last checkouts of an account, and of a person, are looked at."""

MANY_TODAY: Final = 5
MANY_THIS_HOUR: Final = 3
LATELY: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


class Risk(StrEnum):
    """What can be worth a second look."""

    FIRST_TIME = "first_time"
    ODD_HOUR = "odd_hour"
    MANY_TODAY = "many_today"
    MANY_THIS_HOUR = "many_this_hour"
    NEW_TICKET = "new_ticket"
    TICKET_ELSEWHERE = "ticket_elsewhere"
    LONG = "long"
    DENIED_LATELY = "denied_lately"
    REVOKED_LATELY = "revoked_lately"
    BROKEN_LATELY = "broken_lately"


MEANING: Final[Mapping[Risk, str]] = {
    Risk.FIRST_TIME: "This person never had root of this account before.",
    Risk.ODD_HOUR: f"This person asked at this hour (UTC, one either side) never in {WINDOW.days} days.",
    Risk.MANY_TODAY: f"This person asked for root {MANY_TODAY} times or more in 24 hours.",
    Risk.MANY_THIS_HOUR: f"This person asked for root {MANY_THIS_HOUR} times or more within an hour.",
    Risk.NEW_TICKET: f"No request named this ticket in {WINDOW.days} days.",
    Risk.TICKET_ELSEWHERE: "The same ticket was named for another account.",
    Risk.LONG: "Longer than the lease that is given where none is asked for.",
    Risk.DENIED_LATELY: f"A request for this account was denied in the last {LATELY.days} days.",
    Risk.REVOKED_LATELY: f"A checkout of this account was ended by force in the last {LATELY.days} days.",
    Risk.BROKEN_LATELY: f"The glass of this account was broken in the last {LATELY.days} days.",
}
"""Each sign with what it says, for the document of the policy."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign on one request, in words with its numbers."""

    risk: Risk
    words: str


@dataclass(frozen=True, slots=True)
class Past:
    """What was before a request, as far as its risk goes.

    `of_account` and `of_person` are the last checkouts of the account and of who asks, newest first, without this
    one. `had` says how often the person had this account. `hours` counts the person's requests in `WINDOW`, but for the
    last day, by hour of the day (UTC): a burst at night makes no habit. `tickets` counts the requests in `WINDOW` that
    named this ticket, by account, with this one.
    """

    of_account: tuple[Checkout, ...] = ()
    of_person: tuple[Checkout, ...] = ()
    had: int = 0
    hours: Mapping[int, int] = field(default_factory=dict)
    tickets: Mapping[str, int] = field(default_factory=dict)


def signs(checkout: Checkout, past: Past, usual: int) -> tuple[Sign, ...]:
    """Name what is worth a second look on a request, where a lease is `usual` seconds."""
    at = checkout.requested_at
    before = [each for each in past.of_person if each.requested_at <= at]
    today = 1 + sum(at - each.requested_at < DAY for each in before)
    hour = 1 + sum(at - each.requested_at < HOUR for each in before)
    ended = {
        each.state
        for each in past.of_account
        if each.ended_at is not None and at - LATELY < each.ended_at <= at
    }
    elsewhere = sum(number != checkout.account_id for number in past.tickets)
    found: dict[Risk, str] = {}
    if not past.had:
        found[Risk.FIRST_TIME] = "First time on this account"
    if _odd(at, past.hours):
        found[Risk.ODD_HOUR] = f"Odd hour for this person ({at:%H:%M} UTC)"
    if hour >= MANY_THIS_HOUR:
        found[Risk.MANY_THIS_HOUR] = f"{_many(hour)} requests of this person within an hour"
    elif today >= MANY_TODAY:
        found[Risk.MANY_TODAY] = f"{_many(today)} requests of this person in 24 hours"
    if elsewhere:
        found[Risk.TICKET_ELSEWHERE] = (
            "Ticket also named for another account"
            if elsewhere == 1
            else f"Ticket also named for {elsewhere} accounts"
        )
    elif sum(past.tickets.values()) <= 1:
        found[Risk.NEW_TICKET] = "Ticket not seen before"
    if checkout.requested_seconds > usual:
        found[Risk.LONG] = "Longer than the usual lease"
    if CheckoutState.DENIED in ended:
        found[Risk.DENIED_LATELY] = f"A request for this account was denied in the last {LATELY.days} days"
    if CheckoutState.REVOKED in ended:
        found[Risk.REVOKED_LATELY] = f"Ended by force in the last {LATELY.days} days"
    if any(each.break_glass and at - each.requested_at < LATELY for each in past.of_account):
        found[Risk.BROKEN_LATELY] = f"Glass broken in the last {LATELY.days} days"
    return tuple(Sign(risk, found[risk]) for risk in Risk if risk in found)


def _odd(at: datetime, hours: Mapping[int, int]) -> bool:
    """Say whether nobody would expect this person at this hour: enough known, and nothing near it."""
    near = any(hours.get((at.hour + step) % 24) for step in (-1, 0, 1))
    return sum(hours.values()) >= HABIT and not near


def _many(number: int) -> str:
    return f"{number}" if number <= KNOWN else f"{KNOWN} or more"
