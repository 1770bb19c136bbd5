"""Identities at a provider, as they are shown."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vault.domain.identity import Identity
from vault.web.api.schemas.base import Query, Resource


class IdentityQuery(Query):
    """Whose identities."""

    person_id: str | None = Field(
        default=None, max_length=36, description="As an administrator: whose. Your own, where absent."
    )


class IdentityResource(Resource):
    """A subject at an issuer that stands for a person's password."""

    id: str
    person_id: str
    issuer: str
    subject: str
    linked_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, identity: Identity) -> IdentityResource:
        """Show one."""
        return cls.model_validate(
            {
                "id": identity.id,
                "person_id": identity.person_id,
                "issuer": identity.issuer,
                "subject": identity.subject,
                "linked_at": identity.linked_at,
                "ended_at": identity.ended_at,
            }
        )
