"""Closures of accounts, on the wire; their steps are those of any case."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from vault.domain.account import Custody
from vault.domain.closure import ClosureState
from vault.web.api.schemas.base import AccountId, Body, Lax, Line, Resource, SecretText

if TYPE_CHECKING:
    from vault.services.closures import ClosureView


class ClosureRequest(Body):
    """A closure; a case of it is opened."""

    ticket: Line
    accounts: Annotated[list[AccountId], Field(max_length=999)] = Field(
        default_factory=list, description="Other accounts of the customer that are closed with it."
    )
    cause: Line | None = Field(
        default=None, description="A name of your own: asked again with it, the case is the same."
    )


class Reopening(Body):
    """What says that AWS reopened an account (L2)."""

    on: Line = Field(description="The day on which AWS reopened it, such as 2027-03-15.")
    where: Line = Field(description="By which case with AWS Support, and where that can be seen.")
    otp: SecretText


class ClosingResource(Resource):
    """One closing of an account."""

    case: str
    state: Annotated[ClosureState, Lax] = Field(
        description="As time has it, whether or not that was written down."
    )
    closed_at: datetime
    dead_at: datetime = Field(description="From then on nobody reopens it, AWS included.")
    days_left: int = Field(description="Days, begun ones too, in which AWS still reopens it.")
    ended_at: datetime | None
    words: str


class ClosureResource(Resource):
    """An account's closings, the latest first, and the case in which it is being closed."""

    account_id: str
    custody: Annotated[Custody, Lax]
    case: str | None = Field(description="The open case, if there is one.")
    closings: list[ClosingResource]

    @classmethod
    def of(cls, view: ClosureView) -> ClosureResource:
        """Show it."""
        return cls(
            account_id=view.account.id,
            custody=view.account.custody,
            case=None if view.case is None else view.case.id,
            closings=[
                ClosingResource(
                    case=each.case_id,
                    state=each.state_at(view.now),
                    closed_at=each.closed_at,
                    dead_at=each.dead_at,
                    days_left=each.days_left(view.now),
                    ended_at=each.ended_at,
                    words=each.words,
                )
                for each in view.closures
            ],
        )
