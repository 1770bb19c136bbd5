"""What the worker does by itself: write down what time has done already.

Decided here: nothing that matters to a decision; everything is read as ended whether or not this ran
(rule 10). Each pass is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.actor import system_actor
from vault.services.leases import settle

if TYPE_CHECKING:
    from vault.ports.clock import Clock
    from vault.ports.store import Units
    from vault.services.reveals import Reveals

BATCH = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """What one pass wrote."""

    checkouts: int
    reveals: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """The worker's use case."""

    units: Units
    reveals: Reveals
    clock: Clock

    def once(self) -> Swept:
        """Write expired leases, lapsed requests and abandoned disclosures, at most a batch of each."""
        now = self.clock.now()
        with self.units.read() as unit:
            overdue = tuple(checkout.id for checkout in unit.checkouts.overdue(now, BATCH))
        written = 0
        for checkout_id in overdue:
            with self.units.write() as unit:
                found = unit.checkouts.claim(checkout_id)
                if found is not None and settle(unit, found[0], now) is not found[0]:
                    unit.commit()
                    written += 1
        return Swept(written, self.reveals.close_abandoned(system_actor("worker"), BATCH))
