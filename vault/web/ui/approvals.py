"""The approvers' queue as a page; deciding itself is done on the request's own page (`vault.web.ui.checkouts`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.site import blueprint, next_page, page

if TYPE_CHECKING:
    from flask import Response

PAGE: Final = 50


@blueprint.get("/approvals")
@needs(Permission.CHECKOUT_APPROVE)
def approval_list() -> Response:
    """Show what waits for the reader's word, with history and what stands out."""
    found = the_vault().queue.waiting(actor(), Slice(PAGE, request.args.get("cursor")))
    return page("ui/approvals.html", waiting=found.items, next_url=next_page("ui.approval_list", found.next))
