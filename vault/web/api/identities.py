"""Identities at a provider: which are linked, and unlinking. Linking takes the browser and is not here."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.identities import IdentityQuery, IdentityResource
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN
from vault.web.idempotency import renders


@operation("GET", "/identities", SIGNED_IN, problems={403: ("policy.denied",)})
def list_identities(sent: IdentityQuery) -> Items[IdentityResource]:
    """List the identities that are linked to you, or as an administrator to somebody."""
    me = actor()
    found = the_vault().federation.of(me, sent.person_id or me.id)
    return Items[IdentityResource](items=[IdentityResource.of(each) for each in found], next=None)


@operation("DELETE", "/identities/<identity_id>", SIGNED_IN, problems={403: ("policy.denied",)})
def unlink_identity(identity_id: str) -> IdentityResource:
    """Unlink one at once: your own, or as an administrator anybody's, whose sessions end with it."""
    return IdentityResource.of(the_vault().federation.unlink(actor(), identity_id))


@renders(blueprint, "identity")
def show_again(identity_id: str) -> ResponseReturnValue:
    """Draw an identity for a repeated request."""
    return as_json(IdentityResource.of(the_vault().federation.get(actor(), identity_id)))
