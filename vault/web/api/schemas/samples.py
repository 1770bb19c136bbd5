"""A sample on the wire: of which entries, how many, by which seed."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from vault.domain.event import Result
from vault.ports.store import EntryFilter
from vault.services.samples import MOST, USUAL, Drawing
from vault.web.api.schemas.base import AccountId, Body, Line, QueryTime

_OUTCOMES: Final = f"^({'|'.join(Result)})(,({'|'.join(Result)}))*$"


class NewSample(Body):
    """Which entries make the population, as in the list of entries; how many to draw, by which seed."""

    customer_id: Line | None = Field(
        default=None, description="Only entries about this customer's accounts (an id or a DDI)."
    )
    account_id: AccountId | None = None
    actor: Line | None = None
    checkout_id: Line | None = None
    type: Line | None = Field(default=None, description="One, or several parted by commas.")
    outcome: Annotated[str, StringConstraints(pattern=_OUTCOMES)] | None = Field(
        default=None, description="One, or several parted by commas."
    )
    reason: Line | None = None
    ticket: Line | None = None
    since: QueryTime | None = None
    until: QueryTime | None = None
    q: Line | None = None
    n: int = Field(default=USUAL, ge=1, le=MOST, description="How many entries to draw.")
    random_seed: Line | None = Field(
        default=None, description="ASCII without blanks; without one, the vault draws it and tells."
    )

    def drawing(self) -> Drawing:
        """Give what the service takes."""
        wanted = EntryFilter(
            account_id=self.account_id,
            actor_id=self.actor,
            checkout_id=self.checkout_id,
            types=_several(self.type),
            outcomes=_several(self.outcome),
            reason=self.reason,
            ticket=self.ticket,
            since=self.since,
            until=self.until,
            text=self.q,
        )
        return Drawing(wanted, self.customer_id, self.n, self.random_seed)


def _several(names: str | None) -> tuple[str, ...]:
    return tuple(name for name in (names or "").split(",") if name)
