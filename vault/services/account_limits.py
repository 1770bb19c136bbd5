"""How many new accounts a customer may have: looked at where one is registered, and raised on a ticket (A4).

Decided here: the customer's row is held while its accounts are counted, so that two who register at once do not both
have the last place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.account_limit import MOST, NEW_ACCOUNTS, AccountLimit
from vault.domain.event import Event, EventType
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, not_found
from vault.services.gate import Gate, refuse_absent

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

TICKET_MAX = 200


@dataclass(frozen=True, slots=True)
class LimitView:
    """How many new accounts a customer has and may have; `recorded` is the limit increase, if any."""

    customer_id: str
    new: int
    most: int
    recorded: AccountLimit | None


def over_limit(unit: Unit, customer_id: str, more: int = 1) -> Conflict | None:
    """Say why a customer cannot have so many more new accounts; None where it can. Its row is held by the caller."""
    view = _view(unit, customer_id)
    if view.new + more <= view.most:
        return None
    words = (
        f"The customer has {view.new} new AWS accounts, and may have {view.most} (A4). Ask AWS for a limit increase on "
        "a ticket and record it for the customer; accounts that are transferred do not count."
    )
    return Conflict("account.limit", words, rule="A4", new=view.new, most=view.most)


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """Use cases on the limit of a customer."""

    units: Units
    gate: Gate
    clock: Clock

    def get(self, actor: Actor, customer_id: str) -> LimitView:
        """Read it, for whoever sees the whole customer."""
        with self.units.read() as unit:
            seen = self.gate.policy.reach(actor, Permission.ACCOUNT_READ).covers(customer_id)
            if not seen or unit.customers.get(customer_id) is None:
                raise not_found("customer", customer_id[:36])
            return _view(unit, customer_id)

    def record(self, actor: Actor, customer_id: str, most: int, ticket: str) -> LimitView:
        """Record a limit increase with its ticket; the same again is the same.

        Raises `Invalid` input.invalid for a number below what a customer may have anyway, or without a ticket.
        """
        errors = []
        if not NEW_ACCOUNTS <= most <= MOST:
            errors.append(FieldError("/most", f"Give a number from {NEW_ACCOUNTS} to {MOST}."))
        if not 1 <= len(ticket.strip()) <= TICKET_MAX or not ticket.isprintable():
            errors.append(FieldError("/ticket", "Name the ticket on which AWS raised the limit."))
        if errors:
            words = " ".join(error.detail for error in errors)
            raise Invalid("input.invalid", words, errors=tuple(errors))
        now = self.clock.now()
        with self.units.write() as unit:
            customer = unit.customers.lock(customer_id)
            reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
            if customer is None or not reach.covers(customer.id):
                refuse_absent(unit, actor, "customer", customer_id, now)
            self.gate.require(unit, actor, Permission.ONBOARDING_MANAGE, now, customer_id=customer.id)
            was = unit.onboarding.limit(customer.id)
            if was is not None and (was.most, was.ticket) == (most, ticket.strip()):
                return _view(unit, customer.id)
            limit = AccountLimit(customer.id, most, ticket.strip(), actor.id, actor.name, now)
            unit.onboarding.put_limit(limit)
            detail: dict[str, Fact] = {
                "customer": customer.id,
                "changed": "account_limit",
                "account_limit_was": NEW_ACCOUNTS if was is None else was.most,
                "account_limit_now": most,
                "ticket": limit.ticket,
            }
            event = Event(
                EventType.CUSTOMER_CHANGED,
                actor,
                changes=changes(was, limit),
                detail=detail,
                subject=f"account_limit:{customer.id}",
            )
            unit.log.record(event, now)
            view = _view(unit, customer.id)
            unit.commit()
        return view


def _view(unit: Unit, customer_id: str) -> LimitView:
    recorded = unit.onboarding.limit(customer_id)
    most = NEW_ACCOUNTS if recorded is None else recorded.most
    return LimitView(customer_id, unit.onboarding.new_accounts(customer_id), most, recorded)
