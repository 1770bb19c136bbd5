"""The days of a handover: which day an account can have, and what is asked again on the day itself (H2, H4-H6).

Decided here: what speaks against a moment is refused with its rule and the free day nearest to the contract's end;
two people may put H2 aside with a sentence, H5 nobody. Members have theirs before their payer. Whoever plans one holds
the days, so that two people never take the last place of one. Never decided here: what days are days of business
(`vault.domain.days_of_business`).
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.account import Account, Kind
from vault.domain.actor import EVERYTHING
from vault.domain.case import CaseKind, PlaceState, StepState
from vault.domain.days_of_business import Booked, Calendar, Objection, next_free, objections, read_moment
from vault.domain.event import stamp
from vault.domain.plans.handover import AT, BILLING, CONTRACT, DAY, PAYER, UNDER, WHY
from vault.errors import Conflict, FieldError, Invalid, VaultError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.case import Place, Scene
    from vault.ports.store import Unit

PLANNED: Final = frozenset({PlaceState.WAITING, PlaceState.SCHEDULED})
"""Where an account's day can still be chosen."""


def booked(unit: Unit, now: datetime, calendar: Calendar, but: frozenset[str] = frozenset()) -> Booked:
    """Count the accounts of all handovers by day, from today on, but for these."""
    since = datetime.combine(calendar.day(now), time(0), calendar.hours.zone).astimezone(UTC)
    until = datetime(calendar.years[-1] + 1, 1, 2, tzinfo=UTC)
    found = unit.cases.booked(since, until, EVERYTHING)
    return Counter(
        calendar.day(each.day)
        for each in found
        if each.kind is CaseKind.HANDOVER and each.account_id not in but
    )


def contract_end(scene: Scene) -> date | None:
    """Give the last day of the contract; None while nobody said it."""
    text = scene.given("", CONTRACT, "end")
    return date.fromisoformat(text) if text else None


def check_day(
    unit: Unit, scene: Scene, account: Account, evidence: Mapping[str, str], now: datetime, calendar: Calendar
) -> VaultError | None:
    """Say why an account cannot have a day: with the rule, and the next free one."""
    place = scene.place(account.id)
    if place is None or place.state not in PLANNED:
        return Conflict(
            "case.state", f"The work on account {account.id} has begun; its day stays.", rule="H2"
        )
    try:
        moment = read_moment(evidence[AT], calendar.hours.zone)
    except ValueError as failure:
        return _wrong(AT, f"H2: {failure}.")
    unit.cases.hold_days()
    taken = booked(unit, now, calendar, frozenset({account.id}))
    end = contract_end(scene)
    found = objections(moment, account.kind, end, now, calendar, taken)
    late = _order(scene, account, calendar.day(moment), calendar)
    hard = next((each for each in found if not each.waivable), None)
    if hard is None and late:
        return Conflict("case.rule", f"H2: {late}", rule="H2")
    against = hard or (found[0] if found and WHY not in evidence else None)
    if against is not None:
        return _refusal(against, nearest(scene, account, now, calendar, taken))
    if WHY in evidence and not found:
        return _wrong(
            WHY, "Nothing speaks against this day; leave the sentence out, and one person is enough."
        )
    return None


def nearest(
    scene: Scene, account: Account, now: datetime, calendar: Calendar, taken: Booked
) -> datetime | None:
    """Give the opening of the free day nearest to the contract's end; a payer's is not before its members'."""
    earliest = None
    if account.kind is Kind.PAYER:
        earliest = max(_days(scene, account, calendar), default=None)
    return next_free(account.kind, contract_end(scene), now, calendar, taken, earliest)


def check_today(
    scene: Scene, account: Account, place: Place, now: datetime, calendar: Calendar
) -> VaultError | None:
    """Say why the work on an account cannot begin at this moment: not its day, out of hours, or H6 too late."""
    if place.day is None or place.state is not PlaceState.SCHEDULED:
        words = f"H2: account {account.id} has no day, or its work has begun."
        return Conflict("case.rule", words, rule="H2")
    today, planned = calendar.day(now), calendar.day(place.day)
    if today != planned:
        words = (
            f"H2: the day of account {account.id} was {planned}, and today is {today}; choose its day anew."
        )
        return Conflict("case.rule", words, rule="H2", day=stamp(place.day))
    return (
        _working(scene, account, now, calendar)
        or check_payer(account, now, calendar)
        or _billing(scene, account, now, calendar)
    )


def check_hours(scene: Scene, account: Account, now: datetime, calendar: Calendar) -> VaultError | None:
    """Say why nothing is given away at this moment: no business hours (H2), or a payer before the 16th (H5)."""
    return _working(scene, account, now, calendar) or check_payer(account, now, calendar)


def check_payer(account: Account, now: datetime, calendar: Calendar) -> VaultError | None:
    """Say why a payer cannot be handed over today (H5); there is no way around it."""
    today = calendar.day(now)
    found = objections(now + timedelta(seconds=1), account.kind, None, now, calendar, {})
    for each in found:
        if each.rule == "H5":
            return Conflict("case.rule", f"{each} Today is {today}.", rule="H5")
    return None


def _working(scene: Scene, account: Account, now: datetime, calendar: Calendar) -> VaultError | None:
    """Refuse outside business hours, unless two people put H2 aside for this account's day."""
    planned = scene.of(account.id, DAY)
    if planned is not None and planned.settled and WHY in planned.evidence:
        return None
    closed = calendar.closed(calendar.day(now))
    if closed is not None:
        return Conflict("case.rule", str(closed), rule=closed.rule)
    if calendar.hours.is_open(now):
        return None
    opens = calendar.hours.next_opening(now)
    words = f"H2: it is not within {calendar.hours}; go on from {opens:%Y-%m-%d %H:%M} UTC."
    return Conflict("case.rule", words, rule="H2")


def _billing(scene: Scene, account: Account, now: datetime, calendar: Calendar) -> VaultError | None:
    done = scene.of(account.id, BILLING)
    if account.kind is Kind.PAYER or done is None or done.state is StepState.WAIVED:
        return None
    if calendar.day(done.at) < calendar.day(now):
        return None
    words = (
        "H6: billing permissions were amended today, and the customer needs them before the day. Choose another "
        "day, or let two people waive it."
    )
    return Conflict("case.rule", words, rule="H6")


def _order(scene: Scene, account: Account, day: date, calendar: Calendar) -> str:
    """Say why a day breaks the order of members and payer; empty where it does not."""
    if account.kind is Kind.PAYER:
        last = max(_days(scene, account, calendar), default=None)
        if last is not None and day < last:
            return f"the payer goes last, and the last of its members has {last}; choose that day or a later one."
    if account.kind is Kind.MEMBER:
        first = min(_days(scene, account, calendar), default=None)
        if first is not None and day > first:
            return f"members go before their payer, which has {first}; choose an earlier day, or move the payer's."
    return ""


def _days(scene: Scene, account: Account, calendar: Calendar) -> list[date]:
    """Give the days of a payer's members, or of a member's payer; where nobody said whose a member is, of any."""
    is_payer = account.kind is Kind.PAYER

    def together(number: str) -> bool:
        member, payer = (number, account.id) if is_payer else (account.id, number)
        return scene.given(member, UNDER, PAYER) in {"", payer}

    other = Kind.MEMBER if is_payer else Kind.PAYER
    return [
        calendar.day(place.day)
        for number, place in scene.live.items()
        if place.day is not None and scene.kind_of[number] is other and together(number)
    ]


def _refusal(against: Objection, free: datetime | None) -> VaultError:
    if free is None:
        return Conflict("case.rule", f"{against} No free day is known.", rule=against.rule)
    begins = f"{free:%Y-%m-%dT%H:%MZ}"
    words = f"{against} The next free day for it begins at {begins}."
    return Conflict("case.rule", words, rule=against.rule, next=begins)


def _wrong(name: str, words: str) -> VaultError:
    return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{name}", words),), rule="H2")
