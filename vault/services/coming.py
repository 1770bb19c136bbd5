"""The calendar of coming work: what becomes due on which day, while nobody does anything about it.

Decided here: a credential that is older than the policy allows stands on the day on which it gets so; what is overdue
already is the board's to tell. A rotation that nothing proves stands on the day on which that is told of as too long,
a campaign on the day of its end, a day of the log on the one on which its review is overdue, for who may sign it.
Everything lies within the sight of whoever asks; it is read in a number of statements that does not grow.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid
from vault.ports.records import Slice
from vault.services.reviews import DayState, Reviews

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.domain.campaign import Campaign
    from vault.ports.clock import Clock
    from vault.ports.store import Units
    from vault.services.gate import Gate

LONGEST: Final = 92
"""So many days at most are looked at at once."""
EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(8999, 12, 31)
"""Days outside of these are nobody's work, and too near the ends of what can be reckoned with."""
NAMED: Final = 20
"""So many accounts of a day are named; all are counted."""
_DAY: Final = timedelta(days=1)
_REVIEWED_WITHIN: Final = 2 * _DAY
"""A day of the log is overdue for its review so long after it began: when the day after it is over."""
_SETTLED: Final = frozenset({DayState.SIGNED, DayState.EMPTY})
_CAMPAIGNS: Final = Slice(500)


@dataclass(slots=True)
class ComingDay:
    """What falls on one day (UTC): `aging` and `unproven` name accounts, `reviews` days of the log."""

    day: date
    aging: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    reviews: list[date] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing falls on it."""
        return not (self.aging or self.unproven or self.campaigns or self.reviews)


@dataclass(frozen=True, slots=True)
class Coming:
    """The use case of the calendar; `unproven_after` is how long a rotation may stay unproven."""

    units: Units
    gate: Gate
    reviews: Reviews
    clock: Clock
    unproven_after: timedelta

    def days(self, actor: Actor, first: date, last: date) -> tuple[ComingDay, ...]:
        """Give each day from `first` to `last` (UTC) with what falls on it.

        Raises `Invalid` for too many days, and for days before `EARLIEST` or after `LATEST`.
        """
        if first < EARLIEST or last > LATEST:
            words = f"Give days from {EARLIEST} to {LATEST}."
            raise Invalid("input.invalid", words, errors=(FieldError("/from", words),))
        if not 0 <= (last - first).days < LONGEST:
            words = f"Give days in their order, {LONGEST} at most."
            raise Invalid("input.invalid", words, errors=(FieldError("/until", words),))
        found: defaultdict[date, ComingDay] = defaultdict(lambda: ComingDay(first))
        for count in range((last - first).days + 1):
            day = first + count * _DAY
            found[day] = ComingDay(day)
        begin = datetime.combine(first, time(), UTC)
        end = datetime.combine(last, time(), UTC) + _DAY
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        age = self.gate.policy.limits.longest_age
        with self.units.read() as unit:
            for number, since in unit.coming.aging(reach, begin - age, end - age):
                _put(found[(since + age).date()].aging, number)
            after = self.unproven_after
            for each in unit.coming.unproven(reach, begin - after, end - after):
                _put(found[(each.attested_at + after).date()].unproven, each.account_id)
            for campaign in unit.campaigns.page(reach, _CAMPAIGNS, running_at=self.clock.now()).items:
                if campaign.until.date() in found:
                    found[campaign.until.date()].campaigns.append(campaign)
        if self.gate.policy.reach(actor, Permission.LOG_REVIEW).everything:
            for waiting in self.reviews.last_days():
                due = waiting.day + _REVIEWED_WITHIN
                if due in found and waiting.state not in _SETTLED:
                    found[due].reviews.append(waiting.day)
        return tuple(found.values())


def _put(numbers: list[str], number: str) -> None:
    """Name an account once."""
    if number not in numbers[-2:]:
        numbers.append(number)
