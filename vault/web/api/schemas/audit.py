"""The log on the wire: entries as they stand, proofs as published formats."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from vault.domain.event import Result
from vault.ports.store import Entry, EntryFilter, Page
from vault.web.api.schemas.base import (
    AccountId,
    Items,
    Line,
    PageQuery,
    Query,
    QueryNumber,
    QueryTime,
    Resource,
)

_OUTCOMES: Final = f"^({'|'.join(Result)})(,({'|'.join(Result)}))*$"
Index = Annotated[QueryNumber, Field(ge=0, le=2**53 - 1)]


class EntryQuery(PageQuery):
    """Which entries, newest first; times are half open: since <= time < until."""

    account_id: AccountId | None = None
    actor: Line | None = Field(default=None, description="An actor's id.")
    checkout_id: Line | None = None
    type: Line | None = Field(
        default=None, description="As `secret.reveal.released`; several, parted by commas, any of which fits."
    )
    without: Line | None = Field(
        default=None,
        description="Types that are left out, parted by commas, as `audit.viewed,audit.exported` for all readings.",
    )
    outcome: Annotated[str, StringConstraints(pattern=_OUTCOMES)] | None = Field(
        default=None, description="As `denied`; several, parted by commas, any of which fits."
    )
    reason: Line | None = Field(default=None, description="The code of the reason that was stated.")
    ticket: Line | None = Field(default=None, description="The ticket that was stated, whole.")
    since: QueryTime | None = None
    until: QueryTime | None = None
    q: Line | None = Field(
        default=None, description="Text in the entry's values, found literally and without case."
    )

    def wanted(self) -> EntryFilter:
        """Give what the service takes."""
        return EntryFilter(
            account_id=self.account_id,
            actor_id=self.actor,
            checkout_id=self.checkout_id,
            types=_several(self.type),
            not_types=_several(self.without),
            outcomes=_several(self.outcome),
            reason=self.reason,
            ticket=self.ticket,
            since=self.since,
            until=self.until,
            text=self.q,
        )


def _several(names: str | None) -> tuple[str, ...]:
    return tuple(name for name in (names or "").split(",") if name)


class ConsistencyQuery(Query):
    """Two sizes of the tree; `new` is the present one where absent."""

    old: Annotated[QueryNumber, Field(ge=1, le=2**53 - 1)]
    new: Annotated[QueryNumber, Field(ge=1, le=2**53 - 1)] | None = None


class EntryResource(Resource):
    """One entry: `leaf` is the exact text that was hashed, `content` the same, read."""

    index: int
    leaf_hash: str
    leaf: str
    content: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> EntryResource:
        """Show one."""
        return cls(
            index=entry.index,
            leaf_hash=entry.leaf_hash,
            leaf=entry.leaf.decode("utf-8"),
            content=dict(entry.content),
        )


class EntryItems(Items[EntryResource]):
    """One page of entries; with `reached` it may be short: it looked down to that index, and `next` goes on there."""

    reached: int | None = Field(
        description="How far a search that would have cost too much looked, else null."
    )

    @classmethod
    def shown(cls, page: Page[Entry]) -> EntryItems:
        """Show one."""
        return cls(
            items=[EntryResource.of(each) for each in page.items], next=page.next, reached=page.reached
        )


class ConsistencyResource(Resource):
    """The proof that the tree of `old` entries begins the tree of `new` (RFC 6962 section 2.1.2)."""

    old: int
    new: int
    hashes: list[str] = Field(description="Base64 of each hash, in the order of the RFC.")

    @classmethod
    def of(cls, proof: tuple[int, int, tuple[bytes, ...]]) -> ConsistencyResource:
        """Show one."""
        old, new, hashes = proof
        return cls(old=old, new=new, hashes=[base64.b64encode(each).decode("ascii") for each in hashes])
