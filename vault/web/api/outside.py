"""Places outside, and the checkpoints that were published to them."""

from __future__ import annotations

from flask import Response

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.api.routes import TEXT, index_of, operation
from vault.web.api.schemas.base import Items, PageQuery
from vault.web.api.schemas.outside import PublishedResource, StandingResource
from vault.web.auth import actor, the_vault


@operation("GET", "/audit/outlets", Permission.LOG_READ)
def list_outlets() -> StandingResource:
    """Say how the log stands outside: each place, how far it is, and whether disclosures wait for one."""
    return StandingResource.of(the_vault().places.look(actor()))


@operation("GET", "/audit/checkpoints", Permission.LOG_READ, problems={422: ("cursor.invalid",)})
def list_checkpoints(sent: PageQuery) -> Items[PublishedResource]:
    """List published checkpoints with the signatures collected for each, largest first."""
    page = the_vault().places.page(actor(), Slice(sent.limit, sent.cursor))
    return Items[PublishedResource](items=[PublishedResource.of(each) for each in page.items], next=page.next)


@operation("GET", "/audit/checkpoints/<size>", Permission.LOG_READ, media=(TEXT,))
def read_published(size: str) -> Response:
    """Give a published checkpoint of exactly this size as text, with every signature collected for it."""
    return Response(the_vault().places.checkpoint(actor(), index_of(size)).note, content_type=TEXT)
