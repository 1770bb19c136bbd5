"""Asking for root: the gates in their order, and the request that is made of it.

Decided here: the order of the gates. Time is read once, a checkout that time has ended is settled before anything is
decided (rule 10), and each refusal but invalid input is in the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from vault.domain.account import Account, Custody
from vault.domain.checkout import Checkout, CheckoutEvent, CheckoutState, content_of
from vault.domain.event import Event, EventType, Stated
from vault.domain.glass import decide_glass
from vault.domain.ids import new_id
from vault.domain.policy import Deny, Permission, Policy
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, VaultError
from vault.services.deciding import Deciding
from vault.services.frozen import require_thawed, require_word
from vault.services.gate import Gate, error_of, refuse
from vault.services.glass import RULE, begun, is_enabled, not_enabled
from vault.services.leases import end
from vault.services.tickets import Tickets

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

REVOKED: Final = "revoked by who broke the glass"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person states when asking for root; `seconds` None takes the policy's default."""

    account_id: str
    reason: str
    ticket: str
    justification: str
    seconds: int | None = None
    break_glass: bool = False
    """Without approvals, in an emergency: for who was enabled for it, and reviewed afterwards."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The use case of asking."""

    units: Units
    gate: Gate
    deciding: Deciding
    tickets: Tickets
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
        looked = self.tickets.look(ask.ticket)
        now = self.clock.now()
        with self.units.write() as unit:
            account = self.gate.account(unit, actor, ask.account_id, now, lock=True)
            self.gate.require(unit, actor, Permission.CHECKOUT_USE, now, account=account)
            if account.custody is Custody.CUSTOMER_HELD:
                detail = f"The customer holds the root of {account.id} (ECAM member); we hold nothing to check out."
                self._refuse(unit, actor, ask, Conflict("custody.customer_held", detail, rule="C2"), now)
            require_word(unit, actor, self._event(actor, ask), now)
            if ask.break_glass:
                self._may_break(unit, actor, account, ask, now)
            revoked = self._make_free(unit, actor, account, ask, now)
            checkout = self._decide(unit, actor, account, ask, now)
            judged = self.tickets.judge(unit, actor.id, account, ask.reason, looked, now)
            if judged.error is not None:
                self._refuse(unit, actor, ask, judged.error, now, "ticket")
            checkout = replace(checkout, ticket_mark=judged.mark)
            if revoked is not None:
                checkout = replace(checkout, revoked_id=revoked.id)
                end(unit, revoked, CheckoutEvent.REVOKED, now, actor, f"{REVOKED}: {ask.ticket}")
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
            if checkout.break_glass:
                unit.log.record(begun(checkout, revoked, actor), now)
            unit.commit()
        return checkout

    def _may_break(self, unit: Unit, actor: Actor, account: Account, ask: Ask, now: datetime) -> None:
        """Refuse who was not enabled, and what would end somebody's lease for nothing, because it is frozen."""
        if not is_enabled(unit, actor, account, now):
            self._refuse(unit, actor, ask, not_enabled(account), now, RULE)
        require_thawed(unit, account, actor, self._event(actor, ask), now)

    def _check_words(self, ask: Ask) -> None:
        limits = self.policy.limits
        errors: list[FieldError] = []
        if re.fullmatch(limits.ticket_pattern, ask.ticket) is None:
            errors.append(FieldError("/ticket", "Give the number of the ticket this is for."))
        words = ask.justification.strip()
        shortest = limits.break_glass_min if ask.break_glass else limits.justification_min
        if not shortest <= len(words) <= limits.justification_max:
            length = f"{shortest} to {limits.justification_max}"
            errors.append(FieldError("/justification", f"Say what for in {length} characters."))
        if errors:
            detail = "Reason, ticket and sentence are stated before anything. See errors."
            raise Invalid("input.invalid", detail, errors=tuple(errors))

    def _make_free(
        self, unit: Unit, actor: Actor, account: Account, ask: Ask, now: datetime
    ) -> Checkout | None:
        """Close a lapsed claim on the account, or refuse because of a live one.

        Broken glass gives somebody else's back, to be revoked once all is decided; but not another broken glass.
        """
        claim = unit.checkouts.open_of(ask.account_id)
        if claim is None:
            return None
        claim = self.deciding.settled(unit, claim, account, now)
        if not claim.is_open:
            return None
        if ask.break_glass and claim.requester_id != actor.id and not claim.break_glass:
            return claim
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
        policy = self.policy  # one version decides, and is the one that is written down
        limits = policy.limits
        facts = self.deciding.facts(unit, account, actor.id, now)
        reason = policy.reasons.get(ask.reason)
        terms = None if reason is None else policy.terms(reason, account, facts.customer)
        bound = limits.longest_seconds if terms is None else terms.longest
        bound = min(bound, limits.break_glass_seconds) if ask.break_glass else bound
        seconds = min(limits.checkout_seconds, bound) if ask.seconds is None else ask.seconds
        decide = decide_glass if ask.break_glass else Policy.decide_reason
        decision = decide(policy, ask.reason, seconds, facts)
        if isinstance(decision, Deny) or reason is None or terms is None:
            denial = (
                decision
                if isinstance(decision, Deny)
                else Deny("policy.denied", "No rule applies.", "default")
            )
            self._refuse(unit, actor, ask, error_of(denial), now, denial.rule)
        approvals = 0 if ask.break_glass else terms.approvals
        asked = Checkout(
            id=new_id(),
            account_id=account.id,
            requester_id=actor.id,
            requester_name=actor.name,
            reason=reason.code,
            ticket=ask.ticket,
            justification=ask.justification.strip(),
            requested_seconds=seconds,
            granted_seconds=seconds,
            approvals_needed=approvals,
            state=CheckoutState.PENDING_APPROVAL if approvals else CheckoutState.APPROVED,
            requested_at=now,
            decide_by=now + timedelta(seconds=limits.decide_seconds),
            use_by=None if approvals else now + timedelta(seconds=limits.use_seconds),
            policy_hash=policy.digest,
            content_hash="",
            break_glass=ask.break_glass,
        )
        return replace(asked, content_hash=content_of(asked))

    def _refuse(
        self, unit: Unit, actor: Actor, ask: Ask, error: VaultError, now: datetime, rule: str | None = None
    ) -> NoReturn:
        refuse(unit, self._event(actor, ask, rule), error, now)

    def _event(self, actor: Actor, ask: Ask, rule: str | None = None) -> Event:
        detail = {"break_glass": True} if ask.break_glass else {}
        return Event(
            EventType.CHECKOUT_REQUESTED,
            actor,
            account_id=ask.account_id,
            stated=_stated(ask),
            rule=rule,
            detail=detail,
        )


def _stated(ask: Ask) -> Stated:
    return Stated(ask.reason, ask.justification.strip(), ask.ticket)
