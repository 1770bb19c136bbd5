"""Moves of accounts to another customer, on the wire; their steps are those of any case."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from vault.domain.plans.move import DAY, REQUEST, read_day
from vault.services.moves import Wish
from vault.web.api.schemas.base import AccountId, Body, Line, Resource

if TYPE_CHECKING:
    from vault.services.moves import MoveView
    from vault.services.moving import Foreseen


class MoveRequest(Body):
    """A move as the customer asked for it (D1); a case of it is opened."""

    to: Line = Field(description="The DDI number of the customer that the account moves to.")
    day: Line = Field(description="The day of the move, such as 2027-03-15.")
    requested: Line = Field(description="The day on which the customer asked.")
    by: Line = Field(description="Who asked.")
    ticket: Line
    accounts: Annotated[list[AccountId], Field(max_length=999)] = Field(
        default_factory=list, description="Accounts that go with it, such as a payer's members."
    )
    cause: Line | None = Field(
        default=None, description="A name of your own: asked again with it, the case is the same."
    )

    def wish(self) -> Wish:
        """Give what is wished for."""
        return Wish(
            self.to, self.day, self.requested, self.by, self.ticket, tuple(self.accounts), self.cause or ""
        )


class ForeseenResource(Resource):
    """What the move would change now, in people and checkouts."""

    loses: int = Field(description="People who would no longer see an account of it.")
    gains: int = Field(description="People who would see one for the first time.")
    by_account: int = Field(description="People with a role for one of these very accounts; they keep it.")
    checkouts: int = Field(description="Open checkouts that would end.")

    @classmethod
    def of(cls, foreseen: Foreseen | None) -> ForeseenResource | None:
        """Show it, none where nothing is to come."""
        if foreseen is None:
            return None
        return cls(
            loses=foreseen.loses,
            gains=foreseen.gains,
            by_account=foreseen.by_account,
            checkouts=foreseen.checkouts,
        )


class MoveResource(Resource):
    """One move of an account; what waits for whom is in the case of this `id`."""

    id: str
    state: str
    ticket: str
    from_ddi: str
    to_ddi: str
    requested: dt.date | None
    day: dt.date | None
    accounts: list[AccountId]
    opened_at: dt.datetime
    ended_at: dt.datetime | None
    foreseen: ForeseenResource | None = Field(description="Null once the move is over.")

    @classmethod
    def of(cls, view: MoveView) -> MoveResource:
        """Show one."""
        scene = view.case.scene
        return cls(
            id=scene.case.id,
            state=scene.case.state,
            ticket=scene.case.ticket,
            from_ddi=scene.customer.ddi,
            to_ddi=scene.given("", REQUEST, "to"),
            requested=read_day(scene.given("", REQUEST, "requested")),
            day=read_day(scene.given("", DAY, "day")),
            accounts=list(scene.accounts),
            opened_at=scene.case.opened_at,
            ended_at=scene.case.ended_at,
            foreseen=ForeseenResource.of(view.foreseen),
        )
