"""Reasons on the wire (U1, U2)."""

from __future__ import annotations

from pydantic import Field

from vault.domain.account import Kind
from vault.domain.reason import Reason, Situation
from vault.web.api.schemas.base import Resource


class ReasonResource(Resource):
    """One accepted reason: a task that only root can do."""

    code: str
    title: str
    kinds: list[Kind]
    states: list[Situation] = Field(description="Situations of an account that it opens.")
    approvals: int
    max_seconds: int
    instead: dict[Kind, str] = Field(description="The lesser way, for the kinds that have one.")

    @classmethod
    def of(cls, reason: Reason, longest: int) -> ReasonResource:
        """Show one; `longest` is the tightest limit that applies to everyone."""
        return cls(
            code=reason.code,
            title=reason.title,
            kinds=[kind for kind in Kind if kind in reason.kinds],
            states=[each for each in Situation if each in reason.situations],
            approvals=reason.approvals,
            max_seconds=longest,
            instead=dict(reason.instead),
        )
