"""What takes two people, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticKnownError

from vault.domain.proposal import Proposal, ProposalKind, ProposalState
from vault.services.proposals import WHY_MAX, WHY_MIN, content_hash
from vault.web.api.schemas.base import Body, Lax, PageQuery, Resource, SecretText, Words


def _no_blanks(text: str) -> str:
    if len(text.strip()) < WHY_MIN:
        raise PydanticKnownError("string_too_short", {"min_length": WHY_MIN})
    return text


Why = Annotated[Words, StringConstraints(min_length=WHY_MIN, max_length=WHY_MAX), AfterValidator(_no_blanks)]
"""Why something is wanted: a sentence for the person who decides, and for the log."""


class ProposalQuery(PageQuery):
    """Which proposals."""

    kind: ProposalKind | None = None
    state: Annotated[str, StringConstraints(pattern="^(waiting|any)$")] = Field(
        default="any", description="`waiting`: only those that wait for a second person."
    )


class Agreement(Body):
    """A second person's word, on exactly what they looked at."""

    otp: SecretText
    content_hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = Field(
        default=None, description="The proposal's `content_hash`, as it was shown to who agrees."
    )


class Ending(Body):
    """Why a proposal, or what it led to, ends."""

    why: Why


class Proposing(Body):
    """The parts that every proposal needs."""

    why: Why
    otp: SecretText


class ProposalResource(Resource):
    """One thing that takes two people; it counts from `effective_at`, until `ended_at`."""

    id: str
    kind: Annotated[ProposalKind, Lax]
    subject: str
    scope: str
    content: str = Field(description="Exactly what is agreed to.")
    content_hash: str
    why: str
    state: Annotated[ProposalState, Lax]
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    effective_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None

    @classmethod
    def of(cls, proposal: Proposal, now: datetime) -> ProposalResource:
        """Show one as it stands at `now`."""
        return cls(
            id=proposal.id,
            kind=proposal.kind,
            subject=proposal.subject,
            scope=str(proposal.scope),
            content=proposal.content,
            content_hash=content_hash(proposal),
            why=proposal.why,
            state=proposal.state(now),
            proposed_by=proposal.proposed_by,
            proposed_at=proposal.proposed_at,
            confirmed_by=proposal.confirmed_by,
            confirmed_at=proposal.confirmed_at,
            effective_at=proposal.effective_at,
            ended_at=proposal.ended_at,
            ended_by=proposal.ended_by,
        )
