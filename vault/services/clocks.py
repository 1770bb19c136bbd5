"""Clocks: ours beside the database's and the witnesses', written down every hour, and no disclosure on a wrong one.

Decided here: what is compared. The database server's clock, where it has one of its own; the time to which each
witness swore when it last confirmed the newest checkpoint, beside our clock when its answer came, less two seconds
for the way and for its whole seconds; and what the kernel says of being synchronised, which is told and not judged.
More than a second apart is a failure in the log, which alarms; more than `allowed` and nothing is disclosed.

The gate costs a disclosure nothing: each process looks once a minute, at the last entry about clocks and at the
database's clock, and remembers what it found. A clock that is set wrong is therefore seen within a minute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from audit.note import split
from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType, Result
from vault.errors import Unavailable
from vault.ports.daily import Synchronised
from vault.ports.ranges import Pick
from vault.services.gate import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.daily import Kernel
    from vault.ports.store import Unit, Units

ACTOR: Final = system_actor("worker")
EVERY: Final = timedelta(hours=1)
ALARM: Final = timedelta(seconds=1)
WITNESS_SLACK: Final = timedelta(seconds=2)
LOOK: Final = timedelta(minutes=1)
BELIEVED: Final = 3 * EVERY
"""An entry about clocks that is older says nothing of now."""
_RETRY: Final = 60
_NONE: Final = timedelta(0)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """How far clocks are apart: positive where the other is ahead of ours. None: no such clock, or not known."""

    database: timedelta | None
    witnesses: Mapping[str, timedelta]
    kernel: Synchronised

    @property
    def farthest(self) -> timedelta:
        """The largest distance, whichever way."""
        apart = [_NONE if self.database is None else abs(self.database)]
        apart += [max(_NONE, abs(each) - WITNESS_SLACK) for each in self.witnesses.values()]
        return max(apart)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The use case of the worker."""

    units: Units
    clock: Clock
    kernel: Kernel

    def once(self) -> Found | None:
        """Compare and write it down; None where that was done less than an hour ago."""
        now = self.clock.now()
        with self.units.read() as unit:
            if not _is_due(unit, now):
                return None
            found = self.look(unit)
        with self.units.write() as unit:
            unit.daily.hold()
            # again: another worker may have done it while the log was waited for
            if not _is_due(unit, now):
                return None
            result = Result.FAILED if found.farthest > ALARM else Result.SUCCESS
            unit.log.record(Event(EventType.CLOCK_STATUS, ACTOR, result, detail=_detail(found)), now)
            unit.commit()
        return found

    def look(self, unit: Unit) -> Found:
        """Compare; nothing is written."""
        return Found(apart(unit, self.clock), _witnesses(unit), self.kernel.synchronised())


@dataclass(slots=True)
class Seen:
    """What a process found last, and when."""

    at: datetime = _NEVER
    farthest: timedelta = _NONE


@dataclass(frozen=True, slots=True)
class Timely:
    """The gate in front of disclosures; without a clock it is always open (tests set theirs by hand)."""

    clock: Clock | None = None
    allowed: timedelta = _NONE
    seen: Seen = field(default_factory=Seen)

    def require(self, unit: Unit, refused: Event, now: datetime) -> None:
        """Return if clocks agree well enough; else record `refused` and raise `Unavailable` clock.wrong."""
        if self.clock is None:
            return
        # a clock that was set back is looked at again at once
        if not _NONE <= now - self.seen.at < LOOK:
            self.seen.farthest = self._look(unit, now)
            self.seen.at = now
        if self.seen.farthest <= self.allowed:
            return
        seconds = self.seen.farthest.total_seconds()
        detail = (
            f"Clocks are {seconds:.0f} seconds apart, so nothing is disclosed: times in the log could not be believed."
            " Set this machine's clock, and the database's, by NTP; see docs/operations.md, 'The clock'."
        )
        # look again at once when somebody tries again: it may have been mended
        self.seen.at = _NEVER
        refuse(unit, refused, Unavailable("clock.wrong", detail, retry_after=_RETRY), now)

    def _look(self, unit: Unit, now: datetime) -> timedelta:
        here = _NONE if self.clock is None else abs(apart(unit, self.clock) or _NONE)
        last = unit.ranges.last(Pick(types=(EventType.CLOCK_STATUS.value,)), 1)
        if not last:
            return here
        at = datetime.fromisoformat(str(last[0].content["time"]))
        detail = last[0].content.get("detail")
        if not isinstance(detail, dict) or not now - BELIEVED <= at:
            return here
        return max(here, timedelta(milliseconds=int(detail.get("witnesses_apart_ms") or 0)))


def apart(unit: Unit, clock: Clock) -> timedelta | None:
    """Say how far the database's clock is ahead of ours; None where it has none of its own.

    The question's way there and back is taken as half of it each.
    """
    before = clock.now()
    told = unit.daily.time()
    after = clock.now()
    return None if told is None else told - (before + (after - before) / 2)


def _is_due(unit: Unit, now: datetime) -> bool:
    last = unit.ranges.last(Pick(types=(EventType.CLOCK_STATUS.value,)), 1)
    if not last:
        return True
    since = now - datetime.fromisoformat(str(last[0].content["time"]))
    # one that is dated ahead of us is no reason to be silent
    return not _NONE <= since < EVERY


def _witnesses(unit: Unit) -> dict[str, timedelta]:
    """Say how far each witness of the newest checkpoint was ahead of us when its answer came."""
    newest = unit.published.latest()
    if newest is None:
        return {}
    found = {}
    for line in split(newest.note)[1]:
        outlet = None if line.time is None else unit.outlets.get(f"witness/{line.name}")
        if outlet is None or outlet.confirmed_at is None or outlet.position != newest.size:
            continue
        found[line.name] = timedelta(seconds=(line.time or 0) - outlet.confirmed_at.timestamp())
    return found


def _detail(found: Found) -> dict[str, Fact]:
    witnesses = [max(_NONE, abs(each) - WITNESS_SLACK) for each in found.witnesses.values()]
    return {
        "database_ms": None if found.database is None else _ms(found.database),
        "witnesses": len(found.witnesses),
        "witnesses_apart_ms": _ms(max(witnesses)) if witnesses else None,
        "kernel_synchronised": found.kernel,
        "farthest_ms": _ms(found.farthest),
    }


def _ms(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))
