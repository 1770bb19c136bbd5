"""Checkouts, their approvals and disclosures on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from vault.domain.checkout import Approval, Checkout, CheckoutState, Decision
from vault.services.asking import Ask
from vault.services.views import CheckoutView
from vault.web.api.schemas.base import (
    AccountId,
    Body,
    Lax,
    Line,
    PageQuery,
    PersonName,
    ReceiptResource,
    Resource,
    SecretText,
    Words,
)

Seconds = Annotated[int, Field(ge=1, le=1_000_000)]

_NEXT: Final[dict[CheckoutState, str]] = {
    CheckoutState.REQUESTED: "Wait.",
    CheckoutState.PENDING_APPROVAL: "Wait for the approvals; approvers decide at /approvals.",
    CheckoutState.APPROVED: "Give a second factor at /step-up before use_by; that begins the lease.",
    CheckoutState.ACTIVE: "Use it, with a fresh /step-up where asked, then /check-in.",
    CheckoutState.CHECKED_IN: "Nothing: ended. A disclosed password is due for rotation (CRED_ROTATE).",
    CheckoutState.EXPIRED: "Nothing: the lease ran out. Ask anew if you still need it.",
    CheckoutState.REVOKED: "Nothing: someone else ended it; the reason is in the trail.",
    CheckoutState.CANCELLED: "Nothing: withdrawn before it began.",
    CheckoutState.DENIED: "Nothing: an approver said no; the comment says why.",
    CheckoutState.LAPSED: "Nothing: it was not decided or used in time. Ask anew if you still need it.",
}


class CheckoutQuery(PageQuery):
    """Which checkouts."""

    account_id: AccountId | None = None
    requester_id: Line | None = Field(default=None, description="A person's id, or `me`.")
    state: CheckoutState | None = None


class NewCheckout(Body):
    """What is stated before anything: the root-only task, the ticket and a sentence."""

    account_id: AccountId
    reason: Line
    ticket: Line
    justification: Words
    duration_seconds: Seconds | None = Field(default=None, description="The policy's default where absent.")

    def ask(self) -> Ask:
        """Give what the service takes."""
        return Ask(self.account_id, self.reason, self.ticket, self.justification, self.duration_seconds)


class Word(Body):
    """An approver's word on exactly one request."""

    decision: Annotated[Decision, Lax]
    comment: Words = ""
    duration_seconds: Seconds | None = Field(default=None, description="Shortens the lease; never widens it.")
    content_hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = Field(
        default=None, description="What you looked at; refused where the request is another (S20)."
    )
    otp: SecretText


class StepUp(Body):
    """A fresh code of one's own second factor."""

    otp: SecretText


class Revocation(Body):
    """Why someone else's checkout is ended."""

    reason: Words


class ApprovalResource(Resource):
    """One approver's word."""

    id: str
    approver: PersonName
    decision: Decision
    comment: str
    duration_seconds: int | None
    content_hash: str
    decided_at: datetime

    @classmethod
    def of(cls, approval: Approval) -> ApprovalResource:
        """Show one."""
        return cls(
            id=approval.id,
            approver=PersonName(id=approval.approver_id, name=approval.approver_name),
            decision=approval.decision,
            comment=approval.comment,
            duration_seconds=approval.seconds,
            content_hash=approval.content_hash,
            decided_at=approval.decided_at,
        )


class CheckoutSummary(Resource):
    """A checkout as lists show it."""

    id: str
    account_id: str
    reason: str
    ticket: str
    justification: str
    duration_seconds: int = Field(description="What is granted: approvals may have shortened it.")
    requested_seconds: int
    state: CheckoutState
    requester: PersonName
    approvals_needed: int
    content_hash: str = Field(description="What approvals are bound to (S20).")
    requested_at: datetime
    decide_by: datetime
    use_by: datetime | None
    activated_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    counts: Counts
    next: str = Field(description="What to do next.")

    @classmethod
    def of(cls, checkout: Checkout) -> CheckoutSummary:
        """Show one."""
        return cls.model_validate(_summary(checkout))


class CheckoutResource(CheckoutSummary):
    """A checkout with all that belongs to it."""

    approvals: list[ApprovalResource]
    step_up_until: datetime | None = Field(
        description="Until when your own second factor counts for this checkout and session."
    )
    may_approve: bool = Field(description="Whether it waits for your word.")
    rotations: list[str] = Field(description="Rotations begun under this checkout.")

    @classmethod
    def of_view(cls, view: CheckoutView) -> CheckoutResource:
        """Show one."""
        return cls.model_validate(
            {
                **_summary(view.checkout),
                "approvals": [ApprovalResource.of(approval) for approval in view.approvals],
                "step_up_until": view.step_up_until,
                "may_approve": view.may_approve,
                "rotations": [
                    rotation.id for rotation in view.rotations if rotation.checkout_id == view.checkout.id
                ],
            }
        )


class Counts(Resource):
    """Authorised disclosures so far."""

    passwords: int
    codes: int


class SteppedUp(CheckoutResource):
    """The checkout, and until when the factor counts."""

    until: datetime


class Ended(CheckoutResource):
    """The ended checkout, with the receipt of its last entry."""

    receipt: ReceiptResource


def _summary(checkout: Checkout) -> dict[str, object]:
    return {
        "id": checkout.id,
        "account_id": checkout.account_id,
        "reason": checkout.reason,
        "ticket": checkout.ticket,
        "justification": checkout.justification,
        "duration_seconds": checkout.granted_seconds,
        "requested_seconds": checkout.requested_seconds,
        "state": checkout.state,
        "requester": PersonName(id=checkout.requester_id, name=checkout.requester_name),
        "approvals_needed": checkout.approvals_needed,
        "content_hash": checkout.content_hash,
        "requested_at": checkout.requested_at,
        "decide_by": checkout.decide_by,
        "use_by": checkout.use_by,
        "activated_at": checkout.activated_at,
        "expires_at": checkout.expires_at,
        "ended_at": checkout.ended_at,
        "counts": Counts(passwords=checkout.reveals, codes=checkout.codes),
        "next": _NEXT[checkout.state],
    }
