"""Checkouts: the exclusive grant of one account's root to one person, and its approvals.

Decided here: the lifecycle, when a checkout has lapsed or its lease has ended, and what exactly an
approval is for. An expired lease is expired when it is read, whatever has been written (rule 10).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vault.domain.lifecycle import Lifecycle


class CheckoutState(StrEnum):
    """Where a checkout stands."""

    REQUESTED = "requested"
    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    ACTIVE = "active"
    CHECKED_IN = "checked_in"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    DENIED = "denied"
    LAPSED = "lapsed"


class CheckoutEvent(StrEnum):
    """What moves a checkout."""

    NO_APPROVAL_NEEDED = "no_approval_needed"
    APPROVAL_NEEDED = "approval_needed"
    APPROVALS_COMPLETE = "approvals_complete"
    APPROVAL_LOST = "approval_lost"
    FIRST_STEP_UP = "first_step_up"
    CHECKED_IN = "checked_in"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    DENIED = "denied"
    LAPSED = "lapsed"


_WAITING = (CheckoutState.PENDING_APPROVAL, CheckoutState.APPROVED)

CHECKOUT = Lifecycle(
    "checkout",
    CheckoutState.REQUESTED,
    {
        (CheckoutState.REQUESTED, CheckoutEvent.NO_APPROVAL_NEEDED): CheckoutState.APPROVED,
        (CheckoutState.REQUESTED, CheckoutEvent.APPROVAL_NEEDED): CheckoutState.PENDING_APPROVAL,
        (CheckoutState.PENDING_APPROVAL, CheckoutEvent.APPROVALS_COMPLETE): CheckoutState.APPROVED,
        (CheckoutState.PENDING_APPROVAL, CheckoutEvent.DENIED): CheckoutState.DENIED,
        (CheckoutState.APPROVED, CheckoutEvent.APPROVAL_LOST): CheckoutState.PENDING_APPROVAL,
        (CheckoutState.APPROVED, CheckoutEvent.FIRST_STEP_UP): CheckoutState.ACTIVE,
        (CheckoutState.ACTIVE, CheckoutEvent.CHECKED_IN): CheckoutState.CHECKED_IN,
        (CheckoutState.ACTIVE, CheckoutEvent.EXPIRED): CheckoutState.EXPIRED,
        (CheckoutState.ACTIVE, CheckoutEvent.REVOKED): CheckoutState.REVOKED,
    }
    | {(state, CheckoutEvent.CANCELLED): CheckoutState.CANCELLED for state in _WAITING}
    | {(state, CheckoutEvent.LAPSED): CheckoutState.LAPSED for state in _WAITING}
    | {(state, CheckoutEvent.REVOKED): CheckoutState.REVOKED for state in _WAITING},
)

OPEN: frozenset[CheckoutState] = frozenset(
    {CheckoutState.PENDING_APPROVAL, CheckoutState.APPROVED, CheckoutState.ACTIVE}
)
"""States in which a checkout claims its account: at most one each (rule 1, S4)."""


class Verdict(StrEnum):
    """What a reviewer says of a broken glass."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"


@dataclass(frozen=True, slots=True)
class Checkout:
    """One request for an account's root, from the asking to its end.

    Times are aware and in UTC: `decide_by` ends the waiting for approval, `use_by` the waiting for the
    first step-up, `expires_at` the lease. `reveals` and `codes` count authorised disclosures.
    `ticket_mark` says whether the ticket was looked up when it was asked for (`vault.domain.ticket`).
    `content_hash` is the hex SHA-256 that approvals are bound to (S20). `break_glass` waived approvals and revoked
    the checkout `revoked_id`, if there was one; `verdict` and its note are what a reviewer said of it afterwards.
    `second_id` is who took the codes under split custody (C8).
    """

    id: str
    account_id: str
    requester_id: str
    requester_name: str
    reason: str
    ticket: str
    justification: str
    requested_seconds: int
    granted_seconds: int
    approvals_needed: int
    state: CheckoutState
    requested_at: datetime
    decide_by: datetime
    policy_hash: str
    content_hash: str
    use_by: datetime | None = None
    activated_at: datetime | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    end_note: str | None = None
    reveals: int = 0
    codes: int = 0
    ticket_mark: str = ""
    break_glass: bool = False
    revoked_id: str | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    verdict: Verdict | None = None
    review_note: str | None = None
    second_id: str | None = None
    second_name: str | None = None
    joined_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the written state claims the account."""
        return self.state in OPEN

    @property
    def is_unreviewed(self) -> bool:
        """Whether it broke the glass and nobody reviewed that yet."""
        return self.break_glass and self.reviewed_at is None


class Decision(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Approval:
    """One approver's word on exactly one content (S20)."""

    id: str
    checkout_id: str
    approver_id: str
    approver_name: str
    decision: Decision
    comment: str
    seconds: int | None
    content_hash: str
    decided_at: datetime


def content_hash(
    *,
    checkout_id: str,
    account_id: str,
    requester_id: str,
    reason: str,
    ticket: str,
    justification: str,
    seconds: int,
    break_glass: bool = False,
) -> str:
    """Hash what an approval is for: every word of the request, in canonical JSON; a broken glass is one, if it is."""
    content: dict[str, object] = {
        "account": account_id,
        "checkout": checkout_id,
        "justification": justification,
        "reason": reason,
        "requester": requester_id,
        "seconds": seconds,
        "ticket": ticket,
    } | ({"break_glass": True} if break_glass else {})
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def content_of(checkout: Checkout) -> str:
    """Hash the request as it stands here now; another hash than `content_hash` means that it was edited (S20)."""
    return content_hash(
        checkout_id=checkout.id,
        account_id=checkout.account_id,
        requester_id=checkout.requester_id,
        reason=checkout.reason,
        ticket=checkout.ticket,
        justification=checkout.justification,
        seconds=checkout.requested_seconds,
        break_glass=checkout.break_glass,
    )


def overdue(checkout: Checkout, now: datetime) -> CheckoutEvent | None:
    """Say by which event time has already ended `checkout`, or None while it may go on (rule 10)."""
    match checkout.state:
        case CheckoutState.ACTIVE if checkout.expires_at is not None and now >= checkout.expires_at:
            return CheckoutEvent.EXPIRED
        case CheckoutState.PENDING_APPROVAL if now >= checkout.decide_by:
            return CheckoutEvent.LAPSED
        case CheckoutState.APPROVED if checkout.use_by is not None and now >= checkout.use_by:
            return CheckoutEvent.LAPSED
        case _:
            return None


def state_at(checkout: Checkout, now: datetime) -> CheckoutState:
    """Give the state `checkout` is in at `now`, written or not."""
    event = overdue(checkout, now)
    return checkout.state if event is None else CHECKOUT.transitions[checkout.state, event]
