"""API tokens on the wire: their text is in one answer, once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from vault.domain.actor import Scope, ScopeKind
from vault.domain.person import Token, TokenState
from vault.services.tokens import Issued
from vault.web.api.schemas.base import Body, Line, PageQuery, Resource, SecretText

_SCOPE: Final = re.compile(r"all|(customer|account):([0-9a-f-]{1,36})", re.ASCII)


def _scope(text: str) -> str:
    if _SCOPE.fullmatch(text) is None:
        raise PydanticCustomError("scope", "Give all, customer:<id> or account:<number>.")
    return text


ScopeText = Annotated[str, StringConstraints(max_length=64), AfterValidator(_scope)]
"""How far something reaches: `all`, `customer:<id>` or `account:<number>`."""


def scope_of(text: str) -> Scope:
    """Read a scope."""
    kind, _, target = text.partition(":")
    return Scope(ScopeKind(kind), target)


class TokenQuery(PageQuery):
    """Whose tokens."""

    everyone: Annotated[str, StringConstraints(pattern="^(true|false)$")] = Field(
        default="false", description="As an administrator: everyone's, not only your own."
    )
    of: Annotated[str, StringConstraints(pattern="^(people|machines)$")] = Field(
        default="people", description="As an administrator: `machines` lists machines' tokens alone."
    )


class NewToken(Body):
    """A token to make: your own, or with `scopes` a machine's."""

    name: Line = Field(description="What it is for.")
    otp: SecretText
    expires_in_seconds: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=None, description="The longest that is allowed, where absent."
    )
    scopes: Annotated[list[Line], Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="A machine's permissions, as `account.read`."
    )
    scope: ScopeText = Field(default="all", description="A machine's reach.")
    addresses: Annotated[list[Line], Field(max_length=20)] = Field(
        default=[], description="Addresses or networks that a machine's token counts from; none means all."
    )
    why: str = Field(
        default="",
        max_length=500,
        description="For a machine that does more than read: why, for the second administrator.",
    )

    @property
    def lasts(self) -> timedelta | None:
        """How long it is to last."""
        return None if self.expires_in_seconds is None else timedelta(seconds=self.expires_in_seconds)


class SignInBody(Body):
    """A program's sign-in: what a person types, for a token of theirs."""

    email: Line
    password: SecretText
    otp: SecretText
    name: Line = Field(default="signed in", description="What the token is for.")
    expires_in_seconds: Annotated[int, Field(ge=1, le=10_000_000)] | None = None

    @property
    def lasts(self) -> timedelta | None:
        """How long the token is to last."""
        return None if self.expires_in_seconds is None else timedelta(seconds=self.expires_in_seconds)


class TokenResource(Resource):
    """A token, never its text."""

    id: str
    name: str
    state: TokenState = Field(description="Where it stands now.")
    person_id: str | None = Field(description="Whose powers it has; null for a machine.")
    scopes: list[str]
    scope: str | None = Field(description="A machine's reach.")
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: str | None = Field(description="The address of the last use.")
    effective_at: datetime | None = Field(
        description="From when it counts; null while it waits for a second administrator."
    )
    addresses: list[str] = Field(description="Networks it counts from; empty for all.")
    withheld: list[str] = Field(
        description="Roles it may not use, because the session it was made in could not."
    )
    revoked_at: datetime | None

    @classmethod
    def of(cls, token: Token, now: datetime) -> TokenResource:
        """Show one as it stands at `now`."""
        return cls.model_validate(_members(token, now))


class IssuedToken(TokenResource):
    """A new token with its text, which is not given again."""

    token: SecretText

    @classmethod
    def of_issued(cls, issued: Issued, now: datetime) -> IssuedToken:
        """Show one."""
        return cls.model_validate({**_members(issued.token, now), "token": issued.text})


def _members(token: Token, now: datetime) -> dict[str, object]:
    return {
        "state": token.state(now),
        "id": token.id,
        "name": token.name,
        "person_id": token.person_id,
        "scopes": sorted(token.permissions),
        "scope": str(token.scope) if token.person_id is None else None,
        "created_by": token.created_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
        "used_from": token.used_from or None,
        "effective_at": token.effective_at,
        "addresses": sorted(token.addresses),
        "withheld": sorted(token.withheld),
        "revoked_at": token.revoked_at,
    }
