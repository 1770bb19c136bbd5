"""Pages of who could know what: of one account at a time, and of one person now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import request

from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid, NotFound, VaultError
from vault.services.knowledge_told import HOW, STANDING
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui.site import blueprint, page

if TYPE_CHECKING:
    from flask import Response


@blueprint.get("/accounts/<account_id>/known")
@needs(Permission.TRAIL_READ)
def known_page(account_id: str) -> Response:
    """Show who could have known an account's credential at a time."""
    vault, asked = the_vault(), request.args.get("at", "").strip()
    error: VaultError | None = None
    try:
        known = vault.knowledge.of_account(actor(), account_id, _at(asked))
    except NotFound:
        raise
    except VaultError as refusal:
        error = refusal
        known = vault.knowledge.of_account(actor(), account_id)
    status = 200 if error is None else status_of(error)
    return page(
        "ui/known.html",
        status,
        known=known,
        asked=asked,
        error=error,
        how=HOW,
        standing=STANDING,
        vkey=vault.vkey,
    )


@blueprint.get("/people/<person_id>/knows")
@needs(SIGNED_IN)
def knows_page(person_id: str) -> Response:
    """Show which credentials a person may know now."""
    known = the_vault().knowledge.of_person(actor(), person_id)
    return page("ui/knows.html", known=known, how=HOW, standing=STANDING)


def _at(text: str) -> datetime | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        place = FieldError("/at", "Give a time as 2026-01-31T09:00, in UTC.")
        raise Invalid("input.invalid", place.detail, errors=(place,)) from None
