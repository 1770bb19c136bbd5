"""People, their powers and the one who asks, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from vault.domain.actor import ActorKind, Role
from vault.domain.passkey import SecondFactor
from vault.domain.person import Grant, Person, PersonState
from vault.services.people import Invited, Profile, Wish
from vault.web.api.schemas.base import Body, Lax, Line, QueryTime, Resource, SecretText
from vault.web.api.schemas.tokens import ScopeText, scope_of


class WishBody(Body):
    """A role that someone shall get, and how far it reaches."""

    role: Annotated[Role, Lax]
    scope: ScopeText = "all"
    ends_at: QueryTime | None = Field(default=None, description="When an auditor's power ends by itself.")

    @property
    def wish(self) -> Wish:
        """Give what the service takes."""
        return Wish(self.role, scope_of(self.scope), self.ends_at)


class NewPerson(Body):
    """Someone to invite, with roles that another administrator has to confirm."""

    email: Line
    name: Line
    roles: Annotated[tuple[WishBody, ...], Field(max_length=20, strict=False)] = ()


class Confirmation(Body):
    """A second administrator's word."""

    otp: SecretText


class PowerResource(Resource):
    """A role, and how far it reaches: `all`, `customer:<id>` or `account:<number>`."""

    role: Role
    scope: str


class MeResource(Resource):
    """Who asks."""

    kind: ActorKind
    id: str
    name: str
    email: str | None
    roles: list[Role]
    powers: list[PowerResource]
    permissions: list[str]
    scope: str | None
    mfa: str
    second_factor: SecondFactor | None = Field(
        description="What you prove yourself with when asked; with `passkey`, a program hands over to the browser."
    )


class GrantResource(Resource):
    """A role within a scope; in force from `effective_at` once another administrator confirmed it, until `ends_at`."""

    id: str
    person_id: str
    role: Role
    scope: str
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str | None
    effective_at: datetime | None
    removed_at: datetime | None
    ends_at: datetime | None

    @classmethod
    def of(cls, grant: Grant) -> GrantResource:
        """Show one."""
        return cls(
            id=grant.id,
            person_id=grant.person_id,
            role=grant.role,
            scope=str(grant.scope),
            proposed_by=grant.proposed_by,
            proposed_at=grant.proposed_at,
            confirmed_by=grant.confirmed_by,
            effective_at=grant.effective_at,
            removed_at=grant.removed_at,
            ends_at=grant.ends_at,
        )


class PersonResource(Resource):
    """A person; nothing of their password or device."""

    id: str
    email: str
    name: str
    state: PersonState
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> PersonResource:
        """Show one."""
        return cls.model_validate(_members(person))


class ProfileResource(PersonResource):
    """A person with all grants that are not removed."""

    grants: list[GrantResource]

    @classmethod
    def of_profile(cls, profile: Profile) -> ProfileResource:
        """Show one."""
        grants = [GrantResource.of(grant) for grant in profile.grants]
        return cls.model_validate({**_members(profile.person), "grants": grants})


class InvitedResource(ProfileResource):
    """A person with a fresh enrolment link's token, which is not given again."""

    enrolment_token: SecretText
    enrolment_until: datetime | None

    @classmethod
    def of_invited(cls, invited: Invited) -> InvitedResource:
        """Show one."""
        return cls.model_validate(
            {
                **_members(invited.person),
                "grants": [GrantResource.of(grant) for grant in invited.grants],
                "enrolment_token": invited.link,
                "enrolment_until": invited.person.enrolment_until,
            }
        )


def _members(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "state": person.state,
        "created_at": person.created_at,
    }
