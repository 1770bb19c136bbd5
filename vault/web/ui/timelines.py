"""Timelines: the log of one account, one checkout or one person as a story; the same entries as the trail's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import request, url_for

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.site import blueprint, page
from vault.web.ui.story import days

if TYPE_CHECKING:
    from flask import Response

PAGE = 50


@blueprint.get("/accounts/<account_id>/timeline")
@needs(Permission.TRAIL_READ)
def account_timeline(account_id: str) -> Response:
    """Tell what happened to an account, newest first."""
    account, found = the_vault().timelines.of_account(actor(), account_id, _slice())
    return page(
        "ui/timeline.html",
        kind="account",
        account=account,
        days=days(found.items, newest_first=True),
        back=(url_for("ui.account_page", account_id=account.id), "Account"),
        entries_url=url_for("ui.trail_list", account=account.id),
        next_url=_next(url_for("ui.account_timeline", account_id=account.id), found.next),
    )


@blueprint.get("/checkouts/<checkout_id>/timeline")
@needs(Permission.TRAIL_READ)
def checkout_timeline(checkout_id: str) -> Response:
    """Tell a checkout from its beginning."""
    checkout, account, entries = the_vault().timelines.of_checkout(actor(), checkout_id)
    return page(
        "ui/timeline.html",
        kind="checkout",
        checkout=checkout,
        account=account,
        days=days(entries, newest_first=False),
        back=(url_for("ui.checkout_page", checkout_id=checkout.id), "Checkout"),
        entries_url=url_for("ui.trail_list", checkout=checkout.id),
        next_url=None,
    )


@blueprint.get("/people/<person_id>/timeline")
@needs(Permission.TRAIL_READ)
def person_timeline(person_id: str) -> Response:
    """Tell what a person did, newest first."""
    name, found = the_vault().timelines.of_person(actor(), person_id, _slice())
    return page(
        "ui/timeline.html",
        kind="person",
        name=name,
        days=days(found.items, newest_first=True),
        back=(url_for("ui.trail_list", actor=person_id), "Trail"),
        entries_url=url_for("ui.trail_list", actor=person_id),
        next_url=_next(url_for("ui.person_timeline", person_id=person_id), found.next),
    )


def _slice() -> Slice:
    return Slice(PAGE, request.args.get("cursor"))


def _next(address: str, cursor: str | None) -> str | None:
    return None if cursor is None else f"{address}?{urlencode({'cursor': cursor})}"
