"""Checkouts: ask, step up, check in, cancel, revoke; reading them is in `views`.

Decided here: the order of the gates when root is asked for. Time is read once per use case, and a
checkout that time has ended is settled before anything else is decided about it (rule 10).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from vault.domain.account import Account, Custody
from vault.domain.actor import Actor, Scope, reach_of
from vault.domain.checkout import Checkout, CheckoutEvent, CheckoutState, content_hash
from vault.domain.credential import Due, due_causes
from vault.domain.event import Event, EventType, Stated
from vault.domain.ids import new_id
from vault.domain.policy import Deny, Permission, Policy, approvals_complete, granted_seconds
from vault.domain.reason import Situation, situation
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid, VaultError
from vault.services.factors import Factors, refusal
from vault.services.gate import Gate, error_of, refuse
from vault.services.leases import begin, end, moved, not_active, settle

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.clock import Clock
    from vault.ports.store import Receipt, Unit, Units


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person states when asking for root; `seconds` None takes the policy's default."""

    account_id: str
    reason: str
    ticket: str
    justification: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Checkouts:
    """Use cases on checkouts."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.gate.policy

    def ask(self, actor: Actor, ask: Ask) -> Checkout:
        """Ask for an account's root; at most one request per account is open (rule 1).

        Raises `Invalid`, `NotFound`, `Forbidden`, `Blocked` rotation.due, or `Conflict`
        checkout.conflict naming holder and end; each refusal but invalid input is in the log.
        """
        self._check_words(ask)
        now = self.clock.now()
        with self.units.write() as unit:
            account = self.gate.account(unit, actor, ask.account_id, now, lock=True)
            self.gate.require(unit, actor, Permission.CHECKOUT_USE, now, account=account)
            if account.custody is Custody.CUSTOMER_HELD:
                detail = f"The customer holds the root of {account.id} (ECAM member); we hold nothing to check out."
                self._refuse(unit, actor, ask, Conflict("custody.customer_held", detail, rule="C2"), now)
            self._make_free(unit, actor, ask, now)
            checkout = self._decide(unit, actor, account, ask, now)
            unit.checkouts.add(checkout)
            unit.log.record(
                Event(
                    EventType.CHECKOUT_REQUESTED,
                    actor,
                    account_id=account.id,
                    checkout_id=checkout.id,
                    stated=_stated(ask),
                    rule=checkout.reason,
                    changes=changes(None, checkout),
                    detail={
                        "seconds": checkout.requested_seconds,
                        "approvals_needed": checkout.approvals_needed,
                        "content_hash": checkout.content_hash,
                    },
                    subject=f"checkout:{checkout.id}",
                ),
                now,
            )
            unit.commit()
        return checkout

    def step_up(self, actor: Actor, checkout_id: str, otp: str) -> tuple[Checkout, datetime]:
        """Give a fresh second factor for one checkout, person and session; the first begins the lease (S16).

        Gives the checkout and until when the factor counts.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            checkout, account = self.holder(unit, actor, checkout_id, now)
            if checkout.state not in {CheckoutState.APPROVED, CheckoutState.ACTIVE}:
                refuse(unit, refusal(actor, account.id, checkout.id), not_active(checkout), now)
            if checkout.state is CheckoutState.APPROVED:
                self._still_permitted(unit, actor, account, checkout, now)
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

    def situation_of(self, unit: Unit, account: Account, now: datetime) -> tuple[Situation, frozenset[Due]]:
        """Say in which situation an account is, and why it is due."""
        current = unit.versions.current_of((account.id,))
        causes = frozenset(
            cause
            for version in current.values()
            for cause in due_causes(version, now, self.policy.limits.longest_age)
        )
        return situation(account.custody, unit.accounts.parts(account.id), causes), causes

    def eligible_approvers(self, unit: Unit, requester: str, account: Account, now: datetime) -> int:
        """Count the people who may approve someone's request for an account."""
        return len(self._approvers(unit, requester, account, now))

    def _approvers(self, unit: Unit, requester: str, account: Account, now: datetime) -> frozenset[str]:
        roles = self.policy.permissions[Permission.CHECKOUT_APPROVE]
        return frozenset(
            person.id
            for person, grant in unit.people.holders(roles, now)
            if person.id != requester and _covers(grant.scope, account)
        )

    def _check_words(self, ask: Ask) -> None:
        limits = self.policy.limits
        errors: list[FieldError] = []
        if re.fullmatch(limits.ticket_pattern, ask.ticket) is None:
            errors.append(FieldError("/ticket", "Give the number of the ticket this is for."))
        words = ask.justification.strip()
        if not limits.justification_min <= len(words) <= limits.justification_max:
            length = f"{limits.justification_min} to {limits.justification_max}"
            errors.append(FieldError("/justification", f"Say what for in {length} characters."))
        if errors:
            detail = "Reason, ticket and sentence are stated before anything. See errors."
            raise Invalid("input.invalid", detail, errors=tuple(errors))

    def _make_free(self, unit: Unit, actor: Actor, ask: Ask, now: datetime) -> None:
        """Close a lapsed claim on the account, or refuse because of a live one."""
        claim = unit.checkouts.open_of(ask.account_id)
        if claim is None or settle(unit, claim, now) is not claim:
            return
        until = claim.expires_at or claim.use_by or claim.decide_by
        detail = (
            f"{claim.requester_name} has account {ask.account_id} ({claim.state}) until "
            f"{until:%Y-%m-%dT%H:%M:%SZ}. Ask them to check in, or wait."
        )
        error = Conflict(
            "checkout.conflict",
            detail,
            holder=claim.requester_name,
            until=f"{until:%Y-%m-%dT%H:%M:%SZ}",
            checkout=claim.id,
        )
        self._refuse(unit, actor, ask, error, now)

    def _decide(self, unit: Unit, actor: Actor, account: Account, ask: Ask, now: datetime) -> Checkout:
        """Decide the stated reason and make the request, or refuse."""
        limits = self.policy.limits
        found, _ = self.situation_of(unit, account, now)
        customer = unit.customers.get(account.customer_id)
        longest = customer.session_max_seconds if customer is not None else None
        reason = self.policy.reasons.get(ask.reason)
        bound = limits.longest_seconds if reason is None else self.policy.longest(reason, longest)
        seconds = min(limits.checkout_seconds, bound) if ask.seconds is None else ask.seconds
        approvers = self.eligible_approvers(unit, actor.id, account, now)
        decision = self.policy.decide_reason(account, found, ask.reason, seconds, approvers, longest)
        if isinstance(decision, Deny) or reason is None:
            denial = (
                decision
                if isinstance(decision, Deny)
                else Deny("policy.denied", "No rule applies.", "default")
            )
            self._refuse(unit, actor, ask, error_of(denial), now, denial.rule)
        number = new_id()
        return Checkout(
            id=number,
            account_id=account.id,
            requester_id=actor.id,
            requester_name=actor.name,
            reason=reason.code,
            ticket=ask.ticket,
            justification=ask.justification.strip(),
            requested_seconds=seconds,
            granted_seconds=seconds,
            approvals_needed=reason.approvals,
            state=CheckoutState.PENDING_APPROVAL if reason.approvals else CheckoutState.APPROVED,
            requested_at=now,
            decide_by=now + timedelta(seconds=limits.decide_seconds),
            use_by=None if reason.approvals else now + timedelta(seconds=limits.use_seconds),
            policy_hash=self.policy.digest,
            content_hash=content_hash(
                checkout_id=number,
                account_id=account.id,
                requester_id=actor.id,
                reason=reason.code,
                ticket=ask.ticket,
                justification=ask.justification.strip(),
                seconds=seconds,
            ),
        )

    def _still_permitted(
        self, unit: Unit, actor: Actor, account: Account, checkout: Checkout, now: datetime
    ) -> None:
        """Look again before the lease begins: the account still fits, and the approvals are for this content.

        The word of someone who may not approve any more does not count: taking a role away works at once (S17).
        """
        approvers = self._approvers(unit, actor.id, account, now)
        given = tuple(each for each in unit.checkouts.approvals(checkout.id) if each.approver_id in approvers)
        found, _ = self.situation_of(unit, account, now)
        customer = unit.customers.get(account.customer_id)
        longest = None if customer is None else customer.session_max_seconds
        decision = self.policy.decide_reason(
            account, found, checkout.reason, checkout.granted_seconds, checkout.approvals_needed, longest
        )
        if isinstance(decision, Deny):
            refuse(unit, refusal(actor, account.id, checkout.id), error_of(decision), now)
        if not approvals_complete(checkout, given) or checkout.granted_seconds > granted_seconds(
            checkout, given
        ):
            error = Conflict(
                "approval.changed",
                "The approvals are not for this request, or not by people who may approve now; ask again.",
                rule="S20",
            )
            refuse(unit, refusal(actor, account.id, checkout.id), error, now)

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

    def _refuse(
        self, unit: Unit, actor: Actor, ask: Ask, error: VaultError, now: datetime, rule: str | None = None
    ) -> NoReturn:
        event = Event(
            EventType.CHECKOUT_REQUESTED, actor, account_id=ask.account_id, stated=_stated(ask), rule=rule
        )
        refuse(unit, event, error, now)


def _stated(ask: Ask) -> Stated:
    return Stated(ask.reason, ask.justification.strip(), ask.ticket)


def _covers(scope: Scope, account: Account) -> bool:
    return reach_of((scope,)).covers(account.customer_id, account.id)
