"""The daily summary: how many entries each day had, and how many each of its accounts has by now.

Decided here: a day is a stretch of indexes, from the first entry that tells a time of it to the first that tells a
time of a later one, so that every entry is in exactly one day, late ones too. A day is summed up after it ended,
once, in order, also days that nobody was there for; with nobody appending meanwhile, so that "by now" is a
moment. With the number of an account's entries in the log, whoever has an extract of it knows that its end was
not cut off (`account.seq` alone shows that nothing is missing in between).

    detail  day               2026-11-23, UTC
            first, until      the stretch: the day's entries are from `first` up to, without, `until`
            entries           how many; and of these success, denied, failed, unknown
            accounts_known    accounts that are registered
            accounts_told     accounts that the day tells of; `accounts` lists them
            part, parts       a day with many accounts needs several entries, which differ in `accounts` only
            accounts          `111122223333:17 444455556666:3`: account, and its entries so far, apart by blanks
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType, Result
from vault.ports.ranges import Pick, Stretch

if TYPE_CHECKING:
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

ACTOR: Final = system_actor("worker")
ACCOUNTS_AN_ENTRY: Final = 2_500
"""At most 2,500 times 12 digits, a colon, ten digits and a blank: 60,000 bytes of the 65,535 that a leaf may have."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """The use case of daily summaries."""

    units: Units
    clock: Clock

    def once(self) -> int:
        """Sum up every day that ended and was not summed up; give how many."""
        written = 0
        while self._next():
            written += 1
        return written

    def _next(self) -> bool:
        """Sum up the next day, in a transaction of its own; False where there is none."""
        now = self.clock.now()
        with self.units.read() as unit:
            if _due(unit, now) is None:
                return False
        with self.units.write() as unit:
            unit.daily.hold()
            # again: another worker may have done it while the log was waited for
            due = _due(unit, now)
            if due is None:
                return False
            self._write(unit, *due, now)
            unit.commit()
        return True

    def _write(self, unit: Unit, day: date, stretch: Stretch, now: datetime) -> None:
        outcomes = unit.daily.outcomes(stretch)
        accounts = unit.daily.accounts(stretch)
        parts = max(1, -(-len(accounts) // ACCOUNTS_AN_ENTRY))
        for part in range(parts):
            told = accounts[part * ACCOUNTS_AN_ENTRY : (part + 1) * ACCOUNTS_AN_ENTRY]
            detail: dict[str, Fact] = {
                "day": day.isoformat(),
                "first": stretch.first,
                "until": stretch.until,
                "entries": stretch.count,
                **{result.value: outcomes.get(result.value, 0) for result in Result},
                "accounts_known": unit.accounts.count(),
                "accounts_told": len(accounts),
                "part": part + 1,
                "parts": parts,
                "accounts": " ".join(f"{account}:{count}" for account, count in told),
            }
            unit.log.record(Event(EventType.LOG_DAY, ACTOR, detail=detail), now)


def _due(unit: Unit, now: datetime) -> tuple[date, Stretch] | None:
    """Give the next day to sum up with its stretch, None while none has ended."""
    last = unit.ranges.last(Pick(types=(EventType.LOG_DAY.value,)), 1)
    detail = last[0].content.get("detail") if last else None
    first, earliest = 0, date.min
    if isinstance(detail, dict):
        first, earliest = int(detail["until"]), date.fromisoformat(detail["day"]) + _DAY
    entry = unit.log.entry(first)
    if entry is None:
        return None
    told = datetime.fromisoformat(str(entry.content["time"])).astimezone(UTC).date()
    # an entry that tells an earlier time than the ones before it belongs to the day in which it came
    day = max(told, earliest)
    if day >= now.astimezone(UTC).date():
        return None
    until = unit.ranges.index_at(datetime.combine(day + _DAY, datetime.min.time(), UTC))
    return day, Stretch(first, max(until, first + 1))
