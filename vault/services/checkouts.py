"""Checkouts once they were asked for: step up, check in, cancel, revoke; asking is in `asking`, reading in `views`.

Decided here: what begins a lease. Time is read once per use case, and a checkout that time has ended is
settled before anything else is decided about it (rule 10).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from vault.domain.account import Account
from vault.domain.actor import Actor
from vault.domain.checkout import Checkout, CheckoutEvent, CheckoutState
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType
from vault.domain.policy import Permission, Policy
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid, Limited
from vault.services.deciding import TRIES, Deciding, meanwhile, untouched
from vault.services.factors import Factors, refusal
from vault.services.frozen import frozen
from vault.services.gate import Gate, refuse
from vault.services.leases import begin, end, moved, not_active, settle
from vault.services.split import require_half
from vault.services.velocity import freeze_fast, require_velocity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vault.ports.clock import Clock
    from vault.ports.store import Held, Receipt, Unit, Units


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
        for _ in range(TRIES):
            stepped = self._step_up(actor, checkout_id, otp, self.clock.now())
            if stepped is not None:
                return stepped
        raise meanwhile()

    def _step_up(
        self, actor: Actor, checkout_id: str, otp: str, now: datetime
    ) -> tuple[Checkout, datetime] | None:
        """Step up as the method of that name; None, with nothing done, where an approval went at the same moment."""
        with self._freezing(actor, now), self.units.write() as unit:
            held = self.user(unit, actor, checkout_id, now)
            checkout, account = held.checkout, held.account
            asked = checkout
            refused = refusal(actor, account.id, checkout.id)
            if held.freeze is not None:
                refuse(unit, refused, frozen(held.freeze), now)
            if checkout.state not in {CheckoutState.APPROVED, CheckoutState.ACTIVE}:
                refuse(unit, refused, not_active(checkout), now)
            self._still_good(unit, checkout, account, refused, now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor, account.id, checkout.id))
            if checkout.state is CheckoutState.APPROVED:
                require_velocity(unit, self.gate, actor, account, checkout, now)
                checkout = self._activate(unit, actor, checkout, now)
            until = self._stepped_up(unit, actor, checkout, now)
            # the log's head is held by now: whoever took a power away before this entry has committed, and is seen
            if asked.state is CheckoutState.APPROVED and not self.deciding.agreed(unit, account, asked, now):
                return None
            unit.commit()
        return checkout, until

    def join(self, actor: Actor, checkout_id: str, otp: str) -> tuple[Checkout, datetime]:
        """Take the codes of somebody's running lease under split custody, with a fresh factor (C8).

        Gives the checkout and until when the factor counts; later ones are given by `step_up`.
        """
        now = self.clock.now()
        with self._freezing(actor, now), self.units.write() as unit:
            held = self._seen(unit, actor, checkout_id, now)
            account, refused = held.account, refusal(actor, held.account.id, held.checkout.id)
            checkout = self._settled(unit, held.checkout, now)
            if not held.is_split:
                detail = "Custody of this account is not split; its holder has password and codes."
                refuse(unit, refused, Conflict("checkout.state", detail, state=checkout.state), now)
            if checkout.state is not CheckoutState.ACTIVE:
                refuse(unit, refused, not_active(checkout), now)
            if checkout.second_id not in {None, actor.id}:
                detail = f"{checkout.second_name} has the codes of this checkout already."
                refuse(unit, refused, Conflict("checkout.state", detail, state=checkout.state), now)
            if held.freeze is not None:
                refuse(unit, refused, frozen(held.freeze), now)
            require_half(unit, held, actor, PartKind.MFA, refused, now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor, account.id, checkout.id))
            require_velocity(unit, self.gate, actor, account, checkout, now)
            joined = replace(checkout, second_id=actor.id, second_name=actor.name, joined_at=now)
            unit.checkouts.update(joined)
            told = changes(checkout, joined)
            event = Event(EventType.CHECKOUT_JOINED, actor, account_id=account.id, checkout_id=checkout.id)
            detail_ = {"requester": checkout.requester_id}
            unit.log.record(replace(event, changes=told, rule="C8", detail=detail_), now)
            until = self._stepped_up(unit, actor, joined, now)
            unit.commit()
        return joined, until

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

    def user(self, unit: Unit, actor: Actor, checkout_id: str, now: datetime) -> Held:
        """Find, as `holder`, a checkout under which the actor may see something: its holder, or its second person.

        With what stops it; under split custody, which half of it is whose is `require_half`'s to say.
        """
        held = self._seen(unit, actor, checkout_id, now)
        second = held.checkout.second_id if held.is_split else None
        if actor.id not in {held.checkout.requester_id, second}:
            self._not_theirs(unit, actor, held.checkout, held.account, now)
        return held._replace(checkout=self._settled(unit, held.checkout, now))

    def holder(self, unit: Unit, actor: Actor, checkout_id: str, now: datetime) -> tuple[Checkout, Account]:
        """Find one's own checkout, settled, with the account's row held; anyone else is refused."""
        checkout, account = self.gate.checkout(unit, actor, checkout_id, now)
        event = EventType.ACCESS_DENIED
        self.gate.require(
            unit, actor, Permission.CHECKOUT_USE, now, account=account, event=event, checkout_id=checkout.id
        )
        if checkout.requester_id != actor.id:
            self._not_theirs(unit, actor, checkout, account, now)
        return self._settled(unit, checkout, now), account

    def _not_theirs(
        self, unit: Unit, actor: Actor, checkout: Checkout, account: Account, now: datetime
    ) -> NoReturn:
        error = Forbidden(
            "policy.denied", "This checkout is someone else's; only its holder uses it.", rule="U1"
        )
        refused = Event(EventType.ACCESS_DENIED, actor, account_id=account.id, checkout_id=checkout.id)
        refuse(unit, refused, error, now)

    def _seen(self, unit: Unit, actor: Actor, checkout_id: str, now: datetime) -> Held:
        held = self.gate.held(unit, actor, checkout_id, now)
        self.gate.require(
            unit, actor, Permission.CHECKOUT_USE, now, account=held.account, checkout_id=held.checkout.id
        )
        return held

    def _stepped_up(self, unit: Unit, actor: Actor, checkout: Checkout, now: datetime) -> datetime:
        until = now + timedelta(seconds=self.policy.limits.step_up_seconds)
        if checkout.expires_at is not None:
            until = min(until, checkout.expires_at)
        unit.checkouts.put_step_up(checkout.id, actor.id, actor.origin.session, until)
        event = Event(EventType.STEPPED_UP, actor, account_id=checkout.account_id, checkout_id=checkout.id)
        unit.log.record(replace(event, subject=f"checkout:{checkout.id}"), now)
        return until

    @contextmanager
    def _freezing(self, actor: Actor, now: datetime) -> Iterator[None]:
        """Freeze who goes beyond the limit of accounts: after the unit that refused it has ended."""
        try:
            yield
        except Limited as error:
            if error.code == "limit.accounts":
                freeze_fast(self.units, actor, now)
            raise

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
        """Refuse what may not begin any more or is not what was asked for; a lost approval is written down."""
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
