"""How long sessions last: the vault's own limits, and the tighter ones of customers (U3).

Decided here: a customer's limits bind whoever has power at that customer and nowhere wider; of several, the tightest
wins. Asked with every request, so that a limit that was tightened holds for sessions that are open already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vault.domain.actor import ScopeKind

if TYPE_CHECKING:
    from vault.domain.actor import Power
    from vault.ports.store import Unit


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without activity, and at all (U3)."""

    idle: timedelta
    longest: timedelta

    def tightened(self, idle_seconds: int | None, longest_seconds: int | None) -> SessionLimits:
        """Give the tighter of these and a customer's."""
        return SessionLimits(
            self.idle if idle_seconds is None else min(self.idle, timedelta(seconds=idle_seconds)),
            self.longest
            if longest_seconds is None
            else min(self.longest, timedelta(seconds=longest_seconds)),
        )

    def of(self, unit: Unit, held: tuple[Power, ...]) -> SessionLimits:
        """Give the limits that bind whoever has these powers."""
        limits = self
        if any(power.scope.kind is ScopeKind.ALL for power in held):
            return limits
        customers = {power.scope.target for power in held if power.scope.kind is ScopeKind.CUSTOMER}
        for number in {power.scope.target for power in held if power.scope.kind is ScopeKind.ACCOUNT}:
            account = unit.accounts.get(number)
            if account is not None:
                customers.add(account.customer_id)
        for customer_id in customers:
            customer = unit.customers.get(customer_id)
            if customer is not None:
                limits = limits.tightened(customer.session_idle_seconds, customer.session_max_seconds)
        return limits
