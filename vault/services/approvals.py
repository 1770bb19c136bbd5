"""Dual control: other people's word on exactly one request (rule 8, S20).

Decided here: that deny ends a request, that an approval may shorten and never widen, and that a word
needs a fresh second factor of the one who gives it (S16).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from vault.domain.checkout import Approval, Checkout, CheckoutEvent, CheckoutState, Decision
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.policy import Deny, Permission, decide_approval, granted_seconds
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid
from vault.services.deciding import TRIES, Deciding, meanwhile, untouched
from vault.services.factors import Factors, refusal
from vault.services.frozen import require_word
from vault.services.gate import Gate, error_of, refuse
from vault.services.leases import end, moved

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units


@dataclass(frozen=True, slots=True)
class Word:
    """What an approver says; `seconds` shortens the lease, `content_hash` is what they looked at."""

    decision: Decision
    comment: str = ""
    seconds: int | None = None
    content_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Approvals:
    """Use cases on approvals."""

    units: Units
    gate: Gate
    factors: Factors
    deciding: Deciding
    clock: Clock

    def decide(self, actor: Actor, checkout_id: str, word: Word, otp: str) -> Checkout:
        """Approve or deny a pending request; enough approvals make it usable.

        Raises `Forbidden` policy.self_approval, `Conflict` approval.duplicate, approval.changed or
        checkout.state, and what a second factor raises; all of it recorded.
        """
        if word.seconds is not None and word.seconds < 1:
            place = FieldError("/duration_seconds", "Give the seconds to shorten to, at least 1.")
            raise Invalid("input.invalid", place.detail, errors=(place,))
        for _ in range(TRIES):
            decided = self._decide(actor, checkout_id, word, otp, self.clock.now())
            if decided is not None:
                return decided
        raise meanwhile()

    def _decide(self, actor: Actor, checkout_id: str, word: Word, otp: str, now: datetime) -> Checkout | None:
        """Decide as the method of that name; None, with nothing done, where the power went at the same moment."""
        with self.units.write() as unit:
            checkout, account = self.gate.checkout(unit, actor, checkout_id, now)
            self.gate.require(
                unit, actor, Permission.CHECKOUT_APPROVE, now, account=account, checkout_id=checkout.id
            )
            denied = Event(EventType.ACCESS_DENIED, actor, account_id=account.id, checkout_id=checkout.id)
            require_word(unit, actor, denied, now)
            checkout = self.deciding.settled(unit, checkout, account, now)
            said = unit.checkouts.approvals(checkout.id)
            decision = decide_approval(checkout, said, actor, word.content_hash or checkout.content_hash)
            if isinstance(decision, Deny):
                refuse(unit, replace(denied, rule=decision.rule), error_of(decision), now)
            if checkout.state is not CheckoutState.PENDING_APPROVAL:
                detail = f"This request is {checkout.state}; nothing is left to decide."
                refuse(unit, denied, Conflict("checkout.state", detail, state=checkout.state), now)
            edited = untouched(checkout)
            if edited is not None:
                refuse(unit, denied, edited, now)
            progress = self.deciding.progress(unit, checkout, account, said, now)
            if all(each.id != actor.id for each in progress.may):
                detail = "You may not approve for this account any more; an administrator can say why."
                gone = Forbidden("policy.denied", detail, rule=Permission.CHECKOUT_APPROVE)
                refuse(unit, denied, gone, now)
            if word.seconds is not None and word.seconds > checkout.requested_seconds:
                place = FieldError(
                    "/duration_seconds", f"At most {checkout.requested_seconds}, as asked for."
                )
                widening = Invalid("input.invalid", "An approval may shorten, never widen.", errors=(place,))
                refuse(unit, denied, widening, now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor, account.id, checkout.id))
            decided = self._write(unit, actor, (checkout, account), said, word, now)
            # the log's head is held by now: whoever took the power away before this entry has committed, and is seen
            if actor.id not in self.deciding.approvers(unit, checkout.requester_id, account, now):
                return None
            unit.commit()
        return decided

    def _write(
        self,
        unit: Unit,
        actor: Actor,
        asked: tuple[Checkout, Account],
        said: tuple[Approval, ...],
        word: Word,
        now: datetime,
    ) -> Checkout:
        checkout, account = asked
        approval = Approval(
            id=new_id(),
            checkout_id=checkout.id,
            approver_id=actor.id,
            approver_name=actor.name,
            decision=word.decision,
            comment=word.comment.strip(),
            seconds=word.seconds,
            content_hash=checkout.content_hash,
            decided_at=now,
        )
        unit.checkouts.add_approval(approval)
        if word.decision is Decision.DENY:
            note = approval.comment or None
            return end(unit, checkout, CheckoutEvent.DENIED, now, actor, note, changes(None, approval))[0]
        decided = self._approved(unit, account, checkout, (*said, approval), now)
        unit.log.record(
            Event(
                EventType.CHECKOUT_APPROVED,
                actor,
                account_id=checkout.account_id,
                checkout_id=checkout.id,
                approval={"by": actor.id, "id": approval.id},
                rule=checkout.reason,
                changes=(*changes(None, approval), *changes(checkout, decided)),
                detail={
                    "requester": checkout.requester_id,
                    "complete": decided.state is not checkout.state,
                    "content_hash": approval.content_hash,
                    "comment": approval.comment,
                    "seconds": decided.granted_seconds,
                },
                subject=f"checkout:{checkout.id}",
            ),
            now,
        )
        return decided

    def _approved(
        self, unit: Unit, account: Account, checkout: Checkout, said: tuple[Approval, ...], now: datetime
    ) -> Checkout:
        """Shorten to what all agree to, also those whose word does not count any more, and go on where it suffices."""
        shortened = replace(checkout, granted_seconds=granted_seconds(checkout, said))
        if not self.deciding.progress(unit, checkout, account, said, now).complete:
            unit.checkouts.update(shortened)
            return shortened
        after = moved(checkout, CheckoutEvent.APPROVALS_COMPLETE)
        use_by = now + timedelta(seconds=self.gate.policy.limits.use_seconds)
        decided = replace(shortened, state=after, use_by=use_by)
        unit.checkouts.update(decided)
        return decided
