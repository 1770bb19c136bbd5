"""Who am I."""

from __future__ import annotations

from vault.domain.actor import ActorKind
from vault.domain.policy import Permission
from vault.web.api.routes import operation
from vault.web.api.schemas.people import MeResource, PowerResource
from vault.web.auth import actor, the_vault, visitor
from vault.web.guard import SIGNED_IN


@operation("GET", "/me", SIGNED_IN)
def read_me() -> MeResource:
    """Say who asks, with which roles and scope.

    `permissions` are what the policy in force allows anywhere; `scope` is a machine token's reach.
    """
    me, person = actor(), visitor().person
    policy = the_vault().policy
    return MeResource(
        kind=me.kind,
        id=me.id,
        name=me.name,
        email=None if person is None else person.email,
        roles=list(me.roles),
        powers=[PowerResource(role=power.role, scope=str(power.scope)) for power in me.powers],
        permissions=[str(each) for each in Permission if not policy.reach(me, each).empty],
        scope=str(me.scope) if me.kind is ActorKind.MACHINE else None,
        mfa=me.origin.mfa,
        second_factor=None if person is None else the_vault().passkeys.factor_of(me),
    )
