"""Tickets at the gate: looked up before a transaction, judged within it, at the asking and at every disclosure.

Decided here: that the ticket is looked up again each time something is about to be shown; that what cannot be looked
up is decided by the policy (closed, or marked as not looked at); that the outcome is in the log. The network is never
waited for while a lock is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.ticket import CHECKED, UNCHECKED, Check, Outage, Ticket, misfit
from vault.errors import Conflict, Forbidden, Unavailable, VaultError

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout
    from vault.domain.ticket import TicketRules
    from vault.ports.store import Unit, Units
    from vault.ports.tickets import TicketSystem
    from vault.services.gate import Gate

_NO_SYSTEM: Final = "the settings name no ticket system"


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking a ticket up: `away` says why nothing is known, empty where it was answered."""

    number: str
    ticket: Ticket | None = None
    away: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules make of it: the refusal, if any, and the mark that the checkout bears."""

    error: VaultError | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Tickets:
    """The gate of tickets; `system` None where the settings name none."""

    gate: Gate
    system: TicketSystem | None = None

    @property
    def rules(self) -> TicketRules:
        """What the policy in force asks."""
        return self.gate.policy.tickets

    def look(self, number: str) -> Looked:
        """Look a ticket up, where the policy asks anything of it; no transaction may be open."""
        if not self.rules.checks:
            return Looked(number)
        if self.system is None:
            return Looked(number, away=_NO_SYSTEM)
        try:
            return Looked(number, self.system.find(number))
        except Unavailable as error:
            return Looked(number, away=error.detail)

    def look_again(self, units: Units, actor: Actor, checkout_id: str) -> Looked | None:
        """Look up the ticket of a checkout that one uses, before something is disclosed under it.

        None where nothing is asked of tickets, or where the gates that follow refuse anyway: nobody is asked then.
        """
        if not self.rules.checks:
            return None
        with units.read() as unit:
            checkout = unit.checkouts.get(checkout_id)
        return self._of(checkout, actor)

    def look_again_of(self, units: Units, actor: Actor, rotation_id: str) -> Looked | None:
        """As `look_again`, for the checkout under which a rotation goes on."""
        if not self.rules.checks:
            return None
        with units.read() as unit:
            rotation = unit.rotations.get(rotation_id)
            checkout = None if rotation is None else unit.checkouts.open_of(rotation.account_id)
        return self._of(checkout, actor)

    def _of(self, checkout: Checkout | None, actor: Actor) -> Looked | None:
        if checkout is None or not checkout.is_open:
            return None
        return self.look(checkout.ticket) if actor.id in {checkout.requester_id, checkout.second_id} else None

    def judge(
        self, unit: Unit, person_id: str, account: Account, reason: str, looked: Looked, now: datetime
    ) -> Judged:
        """Decide on what was found, for this account, who asked, the reason and the moment."""
        rules = self.rules
        if not rules.checks:
            return Judged()
        if looked.away:
            if rules.while_away(reason) is Outage.MARK:
                return Judged(mark=UNCHECKED)
            words = f"Ticket {looked.number} cannot be looked up ({looked.away}), so nothing is opened."
            return Judged(Unavailable("ticket.unavailable", f"{words} Try again later."))
        person = unit.people.get(person_id) if Check.ASSIGNED in rules.checks else None
        customer = unit.customers.get(account.customer_id) if Check.CONCERNS in rules.checks else None
        ddi, email = ("" if customer is None else customer.ddi), ("" if person is None else person.email)
        unfit = misfit(looked.ticket, rules, looked.number, account, ddi, email, now)
        if unfit is not None:
            return Judged(Forbidden("ticket.refused", unfit, rule="ticket"))
        return Judged(mark=CHECKED)

    def still_fits(
        self, unit: Unit, checkout: Checkout, account: Account, looked: Looked | None, now: datetime
    ) -> Judged:
        """Decide again, before something is disclosed under a checkout."""
        if not self.rules.checks:
            return Judged()
        if looked is None or looked.number != checkout.ticket:
            words = "What the policy asks of tickets changed at this moment; try again."
            return Judged(Conflict("concurrent.change", words))
        return self.judge(unit, checkout.requester_id, account, checkout.reason, looked, now)
