"""Places outside as a page: who keeps the log, how each fares, and the newest checkpoint to compare with theirs.

Decided here: nothing but words and places. The page asks no place outside; it shows what was last heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.domain.policy import Permission
from vault.services.places import PROVES
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.site import blueprint, page

if TYPE_CHECKING:
    from flask import Response

SHOWN: Final = 20
"""So many of today's checkpoints are listed; all are in the API."""


@blueprint.get("/outside")
@needs(Permission.LOG_READ)
def outside() -> Response:
    """Show the places outside."""
    vault = the_vault()
    standing = vault.places.look(actor())
    published, receipts = vault.places.newest(actor(), SHOWN)
    return page(
        "ui/outside.html",
        standing=standing,
        proves=PROVES,
        published=published,
        receipts=receipts,
        allowed=vault.anchored.allowed,
        is_asked=vault.anchored.is_asked,
        origin=vault.origin,
        vkey=vault.vkey,
    )
