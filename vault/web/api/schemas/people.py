"""People, their powers and the one who asks, on the wire."""

from __future__ import annotations

from vault.domain.actor import ActorKind, Role
from vault.web.api.schemas.base import Resource


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
