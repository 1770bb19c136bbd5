"""What the worker does by itself: write down what time, and the loss of an approver, has done already.

Decided here: nothing that matters to a decision; everything is read as it stands whether or not this ran
(rule 10). Each pass is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.actor import Reach, system_actor
from vault.domain.checkout import CheckoutState
from vault.ports.store import CheckoutFilter, Slice

if TYPE_CHECKING:
    from vault.ports.clock import Clock
    from vault.ports.store import Units
    from vault.services.deciding import Deciding
    from vault.services.reveals import Reveals

BATCH = 100
FORGOTTEN = 5_000
"""So many failures are forgotten in one pass."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one pass wrote."""

    checkouts: int
    reveals: int
    guesses: int = 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """The worker's use case."""

    units: Units
    deciding: Deciding
    reveals: Reveals
    clock: Clock

    def once(self) -> Swept:
        """Write expired leases, lapsed and reopened requests and abandoned disclosures, at most a batch of each."""
        now = self.clock.now()
        with self.units.read() as unit:
            overdue = tuple(checkout.id for checkout in unit.checkouts.overdue(now, BATCH))
            approved = CheckoutFilter(states=frozenset({CheckoutState.APPROVED}))
            page = unit.checkouts.page(Reach(everything=True), approved, Slice(BATCH))
            lost = tuple(self.deciding.lost(unit, page.items, now))
        written = 0
        for checkout_id in dict.fromkeys((*overdue, *lost)):
            with self.units.write() as unit:
                found = unit.checkouts.claim(checkout_id)
                if found is not None and self.deciding.settled(unit, *found, now) is not found[0]:
                    unit.commit()
                    written += 1
        return Swept(written, self.reveals.close_abandoned(system_actor("worker"), BATCH), self._forget())

    def _forget(self) -> int:
        """Forget failures that count no more: whoever floods us with names leaves nothing for ever."""
        now = self.clock.now()
        with self.units.read() as unit:
            if not unit.guesses.has_old(now):
                return 0
        with self.units.write() as unit:
            forgotten = unit.guesses.sweep(now, FORGOTTEN)
            unit.commit()
        return forgotten
