"""Checkouts, their approvals and disclosures on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from vault.domain.approving import Progress, told
from vault.domain.checkout import Approval, Checkout, CheckoutState, Decision, Verdict
from vault.domain.credential import PartKind
from vault.domain.risk import Risk
from vault.services.asking import Ask
from vault.services.queue import Earlier, Waiting
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
    awaiting: Literal["me"] | None = Field(
        default=None,
        description="`me`: what waits for your own word, oldest first, with `progress` and `risks`; goes alone.",
    )


class NewCheckout(Body):
    """What is stated before anything: the root-only task, the ticket and a sentence."""

    account_id: AccountId
    reason: Line
    ticket: Line
    justification: Words
    duration_seconds: Seconds | None = Field(default=None, description="The policy's default where absent.")
    break_glass: bool = Field(
        default=False,
        description="In an emergency, without approvals: for who was enabled for it; reviewed afterwards.",
    )

    def ask(self) -> Ask:
        """Give what the service takes."""
        return Ask(
            self.account_id,
            self.reason,
            self.ticket,
            self.justification,
            self.duration_seconds,
            self.break_glass,
        )


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


class LostPart(Body):
    """Which part AWS takes no value of."""

    part: Annotated[PartKind, Lax]


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


class ProgressResource(Resource):
    """How far the approvals have come, by who may approve now."""

    needed: int
    given: int = Field(description="Words that count.")
    void: list[PersonName] = Field(
        description="Whose word does not count any more, because they may not approve now (S17)."
    )
    may_decide: list[PersonName]
    locked: bool = Field(description="Whether too few are left who could complete it.")
    intact: bool = Field(description="False where what is stored is not what was asked for: nothing begins.")
    detail: str = Field(description="The same in words, with the next step.")

    @classmethod
    def of(cls, progress: Progress) -> ProgressResource:
        """Show one."""
        return cls(
            needed=progress.needed,
            given=len(progress.given),
            void=[PersonName(id=each.approver_id, name=each.approver_name) for each in progress.void],
            may_decide=[PersonName(id=each.id, name=each.name) for each in progress.may],
            locked=progress.locked,
            intact=progress.intact,
            detail=told(progress),
        )


class RiskResource(Resource):
    """One sign that a request is worth a second look; never a decision, never a secret."""

    risk: Risk
    detail: str


class EarlierResource(Resource):
    """A checkout that was before."""

    id: str
    account_id: str
    requester: PersonName
    reason: str
    ticket: str
    ticket_mark: str = Field(
        description="`checked`: looked up in the ticket system, `unchecked`: that was away, empty: nothing is asked."
    )
    state: CheckoutState
    requested_at: datetime
    last_revealed_at: datetime | None

    @classmethod
    def of(cls, earlier: Earlier) -> EarlierResource:
        """Show one."""
        checkout = earlier.checkout
        return cls(
            id=checkout.id,
            account_id=checkout.account_id,
            requester=PersonName(id=checkout.requester_id, name=checkout.requester_name),
            reason=checkout.reason,
            ticket=checkout.ticket,
            ticket_mark=checkout.ticket_mark,
            state=checkout.state,
            requested_at=checkout.requested_at,
            last_revealed_at=earlier.revealed_at,
        )


class HistoryResource(Resource):
    """The last checkouts of the account, and of who asks, newest first."""

    of_account: list[EarlierResource]
    of_requester: list[EarlierResource]


class GlassResource(Resource):
    """What followed from breaking the glass."""

    revoked: str | None = Field(description="The checkout that it ended.")
    reviewed_by: str | None = Field(description="Null while it waits for its review.")
    reviewed_at: datetime | None
    verdict: Verdict | None
    sentence: str | None

    @classmethod
    def of(cls, checkout: Checkout) -> GlassResource:
        """Show that of one."""
        return cls(
            revoked=checkout.revoked_id,
            reviewed_by=checkout.reviewed_by,
            reviewed_at=checkout.reviewed_at,
            verdict=checkout.verdict,
            sentence=checkout.review_note,
        )


class Counts(Resource):
    """Authorised disclosures so far."""

    passwords: int
    codes: int


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
    policy_hash: str = Field(
        description="The version of the policy that it passed; its text is at /policy/versions/{digest}."
    )
    requested_at: datetime
    decide_by: datetime
    use_by: datetime | None
    activated_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    counts: Counts
    glass: GlassResource | None = Field(default=None, description="Of one that broke the glass.")
    second: PersonName | None = Field(
        default=None, description="Who has the codes, under split custody (C8)."
    )
    progress: ProgressResource | None = Field(
        default=None, description="Of one that is open, where it is read by itself or awaits you."
    )
    risks: list[RiskResource] | None = Field(
        default=None, description="What is worth a second look, told to those who approve for this account."
    )
    history: HistoryResource | None = Field(default=None, description="What was before, told as `risks` are.")
    next: str = Field(description="What to do next.")

    @classmethod
    def of(cls, checkout: Checkout) -> CheckoutSummary:
        """Show one."""
        return cls.model_validate(_summary(checkout))

    @classmethod
    def of_waiting(cls, waiting: Waiting) -> CheckoutSummary:
        """Show one to who decides on it."""
        return cls.model_validate(
            {**_summary(waiting.checkout), **_progress(waiting.checkout, waiting.progress), **_told(waiting)}
        )


class CheckoutResource(CheckoutSummary):
    """A checkout with all that belongs to it."""

    approvals: list[ApprovalResource]
    step_up_until: datetime | None = Field(
        description="Until when your own second factor counts for this checkout and session."
    )
    may_approve: bool = Field(description="Whether it waits for your word.")
    rotations: list[str] = Field(description="Rotations begun under this checkout.")

    @classmethod
    def of_view(cls, view: CheckoutView, waiting: Waiting | None = None) -> CheckoutResource:
        """Show one; `waiting` is what only those are told who approve for its account."""
        return cls.model_validate(
            {
                **_summary(view.checkout),
                **_progress(view.checkout, view.progress),
                **({} if waiting is None else _told(waiting)),
                "approvals": [ApprovalResource.of(approval) for approval in view.approvals],
                "step_up_until": view.step_up_until,
                "may_approve": view.may_approve,
                "rotations": [
                    rotation.id for rotation in view.rotations if rotation.checkout_id == view.checkout.id
                ],
            }
        )


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
        "policy_hash": checkout.policy_hash,
        "requested_at": checkout.requested_at,
        "decide_by": checkout.decide_by,
        "use_by": checkout.use_by,
        "activated_at": checkout.activated_at,
        "expires_at": checkout.expires_at,
        "ended_at": checkout.ended_at,
        "counts": Counts(passwords=checkout.reveals, codes=checkout.codes),
        "next": _NEXT[checkout.state],
        "glass": GlassResource.of(checkout) if checkout.break_glass else None,
        "second": None
        if checkout.second_id is None
        else PersonName(id=checkout.second_id, name=checkout.second_name or ""),
    }


def _progress(checkout: Checkout, progress: Progress) -> dict[str, object]:
    """Tell how far the approvals are while that matters, and what that makes the next step."""
    if not checkout.is_open or checkout.state is CheckoutState.ACTIVE:
        return {}
    waits = checkout.state is CheckoutState.PENDING_APPROVAL or not progress.intact
    return {"progress": ProgressResource.of(progress)} | ({"next": told(progress)} if waits else {})


def _told(waiting: Waiting) -> dict[str, object]:
    return {
        "risks": [RiskResource(risk=sign.risk, detail=sign.words) for sign in waiting.signs],
        "history": HistoryResource(
            of_account=[EarlierResource.of(each) for each in waiting.of_account],
            of_requester=[EarlierResource.of(each) for each in waiting.of_person],
        ),
    }
