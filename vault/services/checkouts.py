"""Checkouts once they were asked for: step up, check in, cancel, revoke; asking is in `asking`, reading in `views`.

Decided here: what begins a lease. Time is read once per use case, and a checkout that time has ended is
settled before anything else is decided about it (rule 10).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from vault.domain.account import Account
from vault.domain.actor import Actor
from vault.domain.checkout import Checkout, CheckoutEvent, CheckoutState
from vault.domain.event import Event, EventType
from vault.domain.policy import Permission, Policy
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid
from vault.services.deciding import Deciding, untouched
from vault.services.factors import Factors, refusal
from vault.services.gate import Gate, refuse
from vault.services.leases import begin, end, moved, not_active, settle

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.clock import Clock
    from vault.ports.store import Receipt, Unit, Units


@dataclass(frozen=True, slots=True)
class Checkouts:
    """Use cases on checkouts."""

    units: Units
    gate: Gate
    factors: Factors
    deciding: Deciding
    clock: Clock

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.gate.policy

    def step_up(self, actor: Actor, checkout_id: str, otp: str) -> tuple[Checkout, datetime]:
        """Give a fresh second factor for one checkout, person and session; the first begins the lease (S16).

        Gives the checkout and until when the factor counts.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            checkout, account = self.holder(unit, actor, checkout_id, now)
            refused = refusal(actor, account.id, checkout.id)
            if checkout.state not in {CheckoutState.APPROVED, CheckoutState.ACTIVE}:
                refuse(unit, refused, not_active(checkout), now)
            self._still_good(unit, checkout, account, refused, now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor, account.id, checkout.id))
            if checkout.state is CheckoutState.APPROVED:
                checkout = self._activate(unit, actor, checkout, now)
            until = now + timedelta(seconds=self.policy.limits.step_up_seconds)
            if checkout.expires_at is not None:
                until = min(until, checkout.expires_at)
            unit.checkouts.put_step_up(checkout.id, actor.id, actor.origin.session, until)
            event = Event(EventType.STEPPED_UP, actor, account_id=account.id, checkout_id=checkout.id)
            unit.log.record(replace(event, subject=f"checkout:{checkout.id}"), now)
            unit.commit()
        return checkout, until

    def check_in(self, actor: Actor, checkout_id: str) -> tuple[Checkout, Receipt]:
        """End one's own lease."""
        now = self.clock.now()
        with self.units.write() as unit:
            checkout, _ = self.holder(unit, actor, checkout_id, now)
            return self._end(unit, actor, checkout, CheckoutEvent.CHECKED_IN, now)

    def cancel(self, actor: Actor, checkout_id: str) -> tuple[Checkout, Receipt]:
        """Withdraw one's own request before the lease began."""
        now = self.clock.now()
        with self.units.write() as unit:
            checkout, _ = self.holder(unit, actor, checkout_id, now)
            return self._end(unit, actor, checkout, CheckoutEvent.CANCELLED, now)

    def revoke(self, actor: Actor, checkout_id: str, why: str) -> tuple[Checkout, Receipt]:
        """End someone's checkout, in any open state, with a reason that stays in the log."""
        why = why.strip()
        low, high = self.policy.limits.justification_min, self.policy.limits.justification_max
        if not low <= len(why) <= high:
            detail = f"Say why in {low} to {high} characters."
            raise Invalid("input.invalid", detail, errors=(FieldError("/reason", detail),))
        now = self.clock.now()
        with self.units.write() as unit:
            checkout, account = self.gate.checkout(unit, actor, checkout_id, now)
            self.gate.require(
                unit, actor, Permission.CHECKOUT_REVOKE, now, account=account, checkout_id=checkout.id
            )
            checkout = self._settled(unit, checkout, now)
            return self._end(unit, actor, checkout, CheckoutEvent.REVOKED, now, why)

    def holder(self, unit: Unit, actor: Actor, checkout_id: str, now: datetime) -> tuple[Checkout, Account]:
        """Find one's own checkout, settled, with the account's row held; anyone else is refused."""
        checkout, account = self.gate.checkout(unit, actor, checkout_id, now)
        event = EventType.ACCESS_DENIED
        self.gate.require(
            unit, actor, Permission.CHECKOUT_USE, now, account=account, event=event, checkout_id=checkout.id
        )
        if checkout.requester_id != actor.id:
            error = Forbidden(
                "policy.denied", "This checkout is someone else's; only its holder uses it.", rule="U1"
            )
            refused = Event(event, actor, account_id=account.id, checkout_id=checkout.id)
            refuse(unit, refused, error, now)
        return self._settled(unit, checkout, now), account

    def _activate(self, unit: Unit, actor: Actor, checkout: Checkout, now: datetime) -> Checkout:
        after = moved(checkout, CheckoutEvent.FIRST_STEP_UP)
        expires = now + timedelta(seconds=checkout.granted_seconds)
        active = replace(checkout, state=after, activated_at=now, expires_at=expires)
        unit.checkouts.update(active)
        unit.log.record(
            Event(
                EventType.CHECKOUT_GRANTED,
                actor,
                account_id=checkout.account_id,
                checkout_id=checkout.id,
                rule=checkout.reason,
                changes=(*changes(checkout, active), *begin(unit, checkout, now)),
                detail={"seconds": checkout.granted_seconds},
            ),
            now,
        )
        return active

    def _still_good(
        self, unit: Unit, checkout: Checkout, account: Account, refused: Event, now: datetime
    ) -> None:
        """Refuse what may not begin any more, or is not what was asked for; an approval that is lost is written down."""
        if checkout.state is CheckoutState.APPROVED:
            stale = self.deciding.stands(unit, account, checkout, now)
            self.deciding.settled(unit, checkout, account, now)
        else:
            stale = untouched(checkout)
        if stale is not None:
            refuse(unit, refused, stale, now)

    def _settled(self, unit: Unit, checkout: Checkout, now: datetime) -> Checkout:
        """Settle, and make that durable at once: what follows may be refused."""
        settled = settle(unit, checkout, now)
        if settled is not checkout:
            unit.commit()
            detail = f"This checkout is {settled.state}; ask for a new one if you still need it."
            raise Conflict("checkout.expired", detail, state=settled.state)
        return checkout

    def _end(
        self,
        unit: Unit,
        actor: Actor,
        checkout: Checkout,
        event: CheckoutEvent,
        now: datetime,
        note: str | None = None,
    ) -> tuple[Checkout, Receipt]:
        ended, receipt = end(unit, checkout, event, now, actor, note)
        unit.commit()
        return ended, receipt
