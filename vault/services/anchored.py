"""No disclosure while no place outside has confirmed the log for too long (AUDIT-LOG 3.6).

Decided here: what "too long" is counted from. It is the age of the oldest entry that no witness, bucket or file
has confirmed: a log in which nothing happened is not stale, and before the first confirmation its first entry
counts. A row that says more than the log has, or a time to come, confirms nothing. One place that confirms is
enough; people's mailboxes, feeds and the copy do not count. Everything but disclosures goes on: signing in,
checking in, attesting, reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.outlet import LONGEST_WAIT
from vault.errors import Unavailable
from vault.services.gate import refuse

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.event import Event
    from vault.ports.store import Unit

_RETRY: Final = int(LONGEST_WAIT.total_seconds())


@dataclass(frozen=True, slots=True)
class Anchored:
    """The gate; with no `names`, or with `allowed` of nothing, it is always open."""

    names: tuple[str, ...] = ()
    allowed: timedelta = timedelta(0)

    @property
    def is_asked(self) -> bool:
        """Whether this vault has places outside whose confirmation it waits for."""
        return bool(self.names) and self.allowed > timedelta(0)

    def since(self, unit: Unit, now: datetime) -> datetime | None:
        """Give the time of the oldest entry that no place outside has confirmed; None where there is none."""
        return unit.outlets.unconfirmed_since(self.names, now) if self.names else None

    def stopped_since(self, unit: Unit, now: datetime) -> datetime | None:
        """Give since when disclosures are stopped, None while they are not."""
        if not self.is_asked or (since := self.since(unit, now)) is None:
            return None
        return since + self.allowed if now - since > self.allowed else None

    def require(self, unit: Unit, refused: Event, now: datetime) -> None:
        """Return if disclosures may go on; else record `refused` and raise `Unavailable` log.unanchored."""
        stopped = self.stopped_since(unit, now)
        if stopped is None:
            return
        since = stopped - self.allowed
        detail = (
            f"No witness or other place outside has confirmed the log since {since:%Y-%m-%d %H:%M} UTC,"
            " and without that nothing is disclosed. Everything else works. It is tried again by itself; an"
            " operator finds what is wrong on the page Places outside, or by `rootvault doctor`."
        )
        refuse(unit, refused, Unavailable("log.unanchored", detail, retry_after=_RETRY), now)
