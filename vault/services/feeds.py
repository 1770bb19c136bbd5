"""Live feeds: every entry of the log, sent to others in order and at least once.

Decided here: where a feed goes on (its outlet's position), how much it takes at a time, and that it stops for
good when the receiver says that it wants nothing more. A feed tells of everything, its own loss and return among
them; those are one entry each, so that feeding never feeds itself. An append knows nothing of feeds: one that is
away for an hour is an hour behind, and no more. Where a feed's row cannot be true, nobody knows what was sent: the
log tells of it (`outlet.lost`), and everything is sent again from the first entry; entries bear their index.

Never done here: the network within a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.actor import Reach, system_actor
from vault.domain.event import Event, EventType
from vault.domain.formats import Copied
from vault.ports.feeds import Delivery, Feed
from vault.ports.store import EntryFilter
from vault.services.outlets import Outlets, believed

if TYPE_CHECKING:
    from vault.domain.outlet import Outlet
    from vault.ports.clock import Clock
    from vault.ports.store import Units

GONE: Final = "stopped: "
"""How the error of a feed begins whose receiver wants nothing more; nothing is sent until it is started again."""

_SECONDS: Final = 60.0
_TURN: Final = timedelta(seconds=150)
"""Longer than a batch takes, one last unanswered message included: nobody else sends meanwhile."""
_BATCHES: Final = 100
_EVERYTHING: Final = Reach(everything=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a feed is: `lag` entries are not out there yet."""

    name: str
    outlet: Outlet | None
    lag: int

    @property
    def is_stopped(self) -> bool:
        """Whether its receiver wants nothing more."""
        return self.outlet is not None and is_stopped(self.outlet)


@dataclass(frozen=True, slots=True)
class Feeds:
    """Use cases of the worker and the operator."""

    units: Units
    outlets: Outlets
    clock: Clock
    feeds: tuple[Feed, ...] = ()

    def deliver(self, feed: Feed) -> int:
        """Send what one feed has not got yet, some batches at most; give the number of entries that arrived."""
        sent = 0
        for _ in range(_BATCHES):
            if not self._has_work(feed.name):
                break
            outlet = self.outlets.turn(feed.name, _TURN)
            if outlet is None:
                break
            entries, size = self._next(outlet)
            if not entries:
                self.outlets.idle(feed.name)
                break
            came = feed.deliver(entries, _SECONDS)
            sent += came.count
            if not self._settle(feed.name, outlet.position, came, size):
                break
        return sent

    def standings(self) -> tuple[Standing, ...]:
        """Say of each feed how far it is."""
        with self.units.read() as unit:
            size, now = _size(unit.log.checkpoint()), self.clock.now()
            known = [(feed.name, unit.outlets.get(feed.name)) for feed in self.feeds]
            found = [(name, None if each is None else each.believed(size, now)) for name, each in known]
        return tuple(
            Standing(name, outlet, size - (0 if outlet is None else outlet.position))
            for name, outlet in found
        )

    def start(self, name: str) -> None:
        """Let a feed that was stopped go on where it is; it counts as lost until it has caught up."""
        now = self.clock.now()
        with self.units.write() as unit:
            outlet = unit.outlets.claim(name)
            unit.outlets.put(replace(outlet, error=None, next_at=None))
            detail = {"command": "feed start", "feed": name}
            unit.log.record(Event(EventType.HOST_COMMAND, system_actor("host"), detail=detail), now)
            unit.commit()

    def _has_work(self, name: str) -> bool:
        """Look without writing anything, since the worker asks every second."""
        now = self.clock.now()
        with self.units.read() as unit:
            if unit.outlets.get(name) is None:
                return True
            outlet = believed(unit, name, now)
            behind = outlet.position < _size(unit.log.checkpoint())
        return behind and outlet.is_due(now) and not is_stopped(outlet)

    def _next(self, outlet: Outlet) -> tuple[tuple[Copied, ...], int]:
        with self.units.read() as unit:
            size = _size(unit.log.checkpoint())
            found = unit.copies.leaves(EntryFilter(), _EVERYTHING, outlet.position, size)
        return tuple(Copied(index, leaf, size) for index, leaf in found.entries), size

    def _settle(self, name: str, position: int, came: Delivery, size: int) -> bool:
        """Write down what came of a batch; say whether the next may follow at once."""
        if came.count:
            reached = position + came.count
            self.outlets.confirmed(name, reached, caught_up=reached == size)
        if came.error is None:
            return came.count > 0
        if came.gone:
            at_once = replace(self.outlets, lost_after=timedelta(0))
            at_once.failed(name, GONE + came.error)
        else:
            self.outlets.failed(name, came.error, came.wait)
        return False


def is_stopped(outlet: Outlet) -> bool:
    """Say whether the receiver of a feed said that it wants nothing more."""
    return outlet.error is not None and outlet.error.startswith(GONE)


def _size(note: str) -> int:
    return int(note.split("\n")[1])
