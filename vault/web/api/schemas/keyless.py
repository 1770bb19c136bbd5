"""Members without root credentials, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from vault.domain.account import Custody
from vault.domain.keyless import Act, KeylessState, RootFound
from vault.ports.central_root import KeylessFilter
from vault.services.keyless_view import KeylessView
from vault.web.api.schemas.base import AccountId, Body, Lax, Line, PageQuery, Resource
from vault.web.api.schemas.proposals import Proposing


class KeylessQuery(PageQuery):
    """Which members."""

    state: Literal["gone", "better", "any"] = Field(
        default="any",
        description="`gone`: without root credentials. `better`: those for which that would be better.",
    )
    customer_id: Line | None = Field(default=None, description="A customer's id or DDI.")

    def wanted(self, customer_id: str | None) -> KeylessFilter:
        """Give what the service takes."""
        return KeylessFilter({"gone": True, "better": False}.get(self.state), customer_id)


class Asking(Body):
    """Which payer is asked: the one that was asked before, or the only one there is, where none is named."""

    payer_id: AccountId | None = None


class KeylessProposing(Proposing):
    """What is proposed, why, and the proposer's second factor."""

    act: Annotated[Act, Lax] = Field(
        description="`remove`: what the last look found goes. `allow`: recovery is allowed again."
    )


class RootFoundResource(Resource):
    """A root's credentials as AWS listed them: serial numbers and ids."""

    password: bool
    mfa_devices: list[str]
    access_keys: list[str]
    certificates: list[str]

    @classmethod
    def of(cls, found: RootFound) -> RootFoundResource:
        """Show what was found."""
        return cls(
            password=found.password,
            mfa_devices=sorted(found.devices),
            access_keys=sorted(found.keys),
            certificates=sorted(found.certificates),
        )


class KeylessResource(Resource):
    """A member and what is known of its root.

    `state` and what follows are null until it was looked at. `proposal_id` waits for a second word, or was agreed
    to and is not done. `is_better` says that no root credentials would be better than what there is.
    """

    account_id: str
    name: str
    custody: Annotated[Custody, Lax]
    is_better: bool
    state: Annotated[KeylessState, Lax] | None
    payer_id: str | None
    seen_at: datetime | None
    found: RootFoundResource | None
    proposal_id: str | None

    @classmethod
    def of(cls, view: KeylessView) -> KeylessResource:
        """Show one."""
        known = view.known
        under_way = None if known is None else known.proposal_id
        return cls(
            account_id=view.account.id,
            name=view.account.name,
            custody=view.account.custody,
            is_better=view.is_better,
            state=None if known is None else known.state,
            payer_id=None if known is None else known.payer_id,
            seen_at=None if known is None else known.seen_at,
            found=None if known is None else RootFoundResource.of(known.root),
            proposal_id=under_way if view.proposal is None else view.proposal.id,
        )
