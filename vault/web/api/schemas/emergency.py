"""Freezes, broken glass, budgets and split custody on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from vault.domain.checkout import Verdict
from vault.domain.freeze import FreezeKind
from vault.services.freezes import WHY_MAX
from vault.services.velocity import BUDGET_MOST
from vault.web.api.schemas.base import (
    Body,
    Lax,
    Line,
    PersonName,
    Query,
    QueryTime,
    Resource,
    SecretText,
    Words,
)
from vault.web.api.schemas.checkouts import CheckoutSummary
from vault.web.api.schemas.proposals import ProposalResource, Proposing
from vault.web.api.schemas.tokens import ScopeText

if TYPE_CHECKING:
    from vault.domain.checkout import Checkout
    from vault.domain.freeze import Freeze

Covers = Annotated[Line, Field(description="`vault`, or `customer:…`, `account:…`, `person:…` with an id.")]


class FreezeQuery(Query):
    """Which freezes."""

    state: Literal["open", "any"] = Field(default="open", description="`any`: also those lifted lately.")


class NewFreeze(Body):
    """What shall disclose nothing from now on; why may wait."""

    scope: Covers
    why: Annotated[Words, StringConstraints(max_length=WHY_MAX)] = ""


class Lift(Proposing):
    """One of the two words that lift a freeze."""

    freeze: Line = Field(description="The freeze's id.")


class FreezeResource(Resource):
    """A freeze: nothing that it covers is disclosed until two people lifted it."""

    id: str
    scope: str
    kind: Annotated[FreezeKind, Lax]
    why: str
    set_by: PersonName
    set_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None

    @classmethod
    def of(cls, freeze: Freeze) -> FreezeResource:
        """Show one."""
        return cls(
            id=freeze.id,
            scope=str(freeze.covered),
            kind=freeze.kind,
            why=freeze.why,
            set_by=PersonName(id=freeze.set_by, name=freeze.set_by_name),
            set_at=freeze.set_at,
            lifted_at=freeze.lifted_at,
            lifted_by=freeze.lifted_by,
        )


class FreezeList(Resource):
    """What is frozen, oldest first; then what was lifted lately."""

    items: list[FreezeResource]


class Lifted(Resource):
    """How far the end of a freeze has come: proposed by the first word, lifted by the second."""

    freeze: FreezeResource
    proposal: ProposalResource


class Review(Body):
    """What somebody who had no part in it says of a broken glass."""

    verdict: Annotated[Verdict, Lax]
    sentence: Words
    otp: SecretText


class Unreviewed(CheckoutSummary):
    """A broken glass that waits for its review."""

    waiting_seconds: int = Field(description="Since its end, or 0 while it goes on.")

    @classmethod
    def of_checkout(cls, checkout: Checkout, now: datetime) -> Unreviewed:
        """Show one as it stands at `now`."""
        ended = checkout.ended_at or now
        waits = max(0, int((now - ended).total_seconds()))
        return cls.model_validate({**CheckoutSummary.of(checkout).__dict__, "waiting_seconds": waits})


class UnreviewedList(Resource):
    """Broken glasses that wait for their review, the oldest first."""

    items: list[Unreviewed]


class Enable(Proposing):
    """How far a person shall be able to break the glass."""

    scope: ScopeText = "all"


class Budget(Proposing):
    """A campaign's budget: so many distinct accounts an hour, until then."""

    accounts_per_hour: Annotated[int, Field(ge=1, le=BUDGET_MOST)]
    until: QueryTime


class SplitResource(Resource):
    """Whether password and codes go to two people."""

    scope: str
    split_custody: bool
