"""The log on the wire: entries as they stand, proofs as published formats."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from pydantic import Field

from vault.domain.event import Result
from vault.ports.store import Entry, EntryFilter
from vault.web.api.schemas.base import (
    AccountId,
    Line,
    PageQuery,
    Query,
    QueryNumber,
    QueryTime,
    Resource,
)

Index = Annotated[QueryNumber, Field(ge=0, le=2**53 - 1)]


class EntryQuery(PageQuery):
    """Which entries, newest first; times are half open: since <= time < until."""

    account_id: AccountId | None = None
    actor: Line | None = Field(default=None, description="An actor's id.")
    checkout_id: Line | None = None
    type: Line | None = Field(default=None, description="As `secret.reveal.released`.")
    outcome: Result | None = None
    since: QueryTime | None = None
    until: QueryTime | None = None
    q: Line | None = Field(default=None, description="Text in the entry.")

    def wanted(self) -> EntryFilter:
        """Give what the service takes."""
        return EntryFilter(
            account_id=self.account_id,
            actor_id=self.actor,
            checkout_id=self.checkout_id,
            type=self.type,
            outcome=self.outcome,
            since=self.since,
            until=self.until,
            text=self.q,
        )


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
