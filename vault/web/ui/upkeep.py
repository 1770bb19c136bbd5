"""Upkeep as pages: the board of what has to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.policy import Permission
from vault.web.guard import needs
from vault.web.ui.site import blueprint, page

if TYPE_CHECKING:
    from flask import Response


@blueprint.get("/upkeep")
@needs(Permission.ACCOUNT_READ)
def board_page() -> Response:
    """Show what has to be done."""
    return page("ui/board.html")
