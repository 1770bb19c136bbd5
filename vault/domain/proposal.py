"""Proposals: what one person wants and another has to agree to before it counts (dual control, S19).

Decided here: what can be proposed, and when a proposal counts: once a second person agreed and the hold is over,
until somebody ends it. Never decided here: who may propose or agree, and what follows (`services/proposals`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from vault.domain.actor import Scope


class ProposalKind(StrEnum):
    """What can be proposed; the word in the log, in the API and in the table."""

    POLICY = "policy"
    """Another version of the policy; the subject is its digest."""
    RECOVERY = "recovery"
    """A fresh enrolment for who lost a factor, or was shut out; the subject is the person."""
    BREAK_GLASS = "break_glass"
    """That a person may break the glass; the subject is the person."""
    TOKEN = "token"  # noqa: S105 - the name of a kind
    """A machine's token that does more than read; the subject is the token."""
    BUDGET = "budget"
    """More accounts an hour for a person, for a campaign; the subject is the person."""
    SPLIT_OFF = "split_off"
    """That password and codes may go to one person again (C8); the subject is the account or customer."""
    RECIPIENT = "recipient"
    """Whom every data key is wrapped for offline (S6); the subject is the recipient, or ``none``."""
    REWRAP = "rewrap"
    """Other keys for every data key; the subject is always ``keys``."""
    DRILL = "drill"
    """That every credential is opened once, unseen; the subject is ``live`` or ``restore``."""
    CAMPAIGN = "campaign"
    """Many accounts to rotate at a faster pace; the subject is the campaign."""
    KEYLESS = "keyless"
    """That a member's root credentials go, or that their recovery is allowed again (C2); the subject is the account."""
    LIFT = "lift"
    """The end of a freeze; the subject is the freeze."""


LASTING: Final = frozenset({ProposalKind.POLICY, ProposalKind.RECIPIENT})
"""What is in force until another takes its place: it can be withdrawn before, and never ended after."""


class ProposalState(StrEnum):
    """Where a proposal stands at a moment; computed, never stored."""

    WAITING = "waiting"
    """For a second person."""
    HELD = "held"
    """Agreed to; in force when the hold is over."""
    IN_FORCE = "in_force"
    ENDED = "ended"
    """Withdrawn, refused, replaced or taken away."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing that takes two people. Times are aware and in UTC.

    `content` is what exactly is agreed to, as canonical JSON or text: it never changes, and who agrees looked at it.
    `scope` is how far it reaches; both people have to reach it.
    """

    id: str
    kind: ProposalKind
    subject: str
    content: str
    why: str
    proposed_by: str
    proposed_at: datetime
    scope: Scope = field(default=Scope())
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    effective_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    def in_force(self, now: datetime) -> bool:
        """Say whether it counts at `now`."""
        return self.effective_at is not None and self.effective_at <= now and self.ended_at is None

    def state(self, now: datetime) -> ProposalState:
        """Say where it stands at `now`."""
        if self.ended_at is not None:
            return ProposalState.ENDED
        if self.effective_at is None:
            return ProposalState.WAITING
        return ProposalState.IN_FORCE if self.effective_at <= now else ProposalState.HELD
