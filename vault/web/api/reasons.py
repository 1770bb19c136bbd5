"""The accepted reasons: the few tasks that only root can do."""

from __future__ import annotations

from vault.web.api.routes import operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.reasons import ReasonResource
from vault.web.auth import the_vault
from vault.web.guard import SIGNED_IN


@operation("GET", "/reasons", SIGNED_IN)
def list_reasons() -> Items[ReasonResource]:
    """List what root may be asked for, and the lesser way where there is one."""
    policy = the_vault().policy
    found = [ReasonResource.of(reason, policy.longest(reason)) for reason in policy.reasons.values()]
    return Items[ReasonResource](items=found, next=None)
