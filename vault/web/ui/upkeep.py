"""Upkeep as pages: the board of what has to be done, and what a loss would take.

Decided here: nothing but how a filter is read; what is not a known choice does not narrow.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from flask import request

from vault.domain.account import Kind
from vault.domain.board import Stage
from vault.domain.health import STEPS, WORDS, Health
from vault.domain.policy import Permission
from vault.domain.recoverable import Fate, Loss
from vault.errors import Invalid
from vault.ports.store import Slice
from vault.services.board import ROTATES
from vault.services.healths import HealthFilter
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import needs
from vault.web.ui.site import blueprint, next_page, page
from vault.web.ui.words import FATE, HEALTH, KIND, LOSS

if TYPE_CHECKING:
    from flask import Response

E = TypeVar("E", bound=StrEnum)
PAGE: Final = 50
CUSTOMERS: Final = 200


@blueprint.get("/upkeep")
@needs(Permission.ACCOUNT_READ)
def board_page() -> Response:
    """Show what has to be done, the riskiest first."""
    vault, who = the_vault(), actor()
    asked, given = asked_for("customer", "kind", "health", "stage")
    wanted = HealthFilter(
        asked["customer"] or None, choice(Kind, asked["kind"]), choice(Health, asked["health"])
    )
    stage, status, error = choice(Stage, asked["stage"]), 200, None
    try:
        found = vault.board.page(who, wanted, stage, Slice(PAGE, request.args.get("cursor")))
    except Invalid as refusal:
        status, error = status_of(refusal), refusal
        found = vault.board.page(who, wanted, stage, Slice(PAGE))
    return page(
        "ui/board.html",
        status,
        found=found,
        error=error,
        asked=asked,
        given=given,
        why=WORDS,
        steps=STEPS,
        rotates=ROTATES,
        next_url=next_page("ui.board_page", found.next, given),
        customers=customers(),
        kinds=[(each.value, KIND[each]) for each in Kind],
        healths=[(each.value, HEALTH[each].name) for each in Health if each is not Health.ABSENT],
    )


@blueprint.get("/upkeep/recovery")
@needs(Permission.ACCOUNT_READ)
def recovery_page() -> Response:
    """Show which accounts would be lost with the vault, a mailbox or a phone."""
    vault, who = the_vault(), actor()
    asked, given = asked_for("customer", "loss", "fate")
    wanted = HealthFilter(asked["customer"] or None)
    loss, fate, status, error = choice(Loss, asked["loss"]), choice(Fate, asked["fate"]), 200, None
    try:
        found = vault.recoverables.page(who, wanted, loss, fate, Slice(PAGE, request.args.get("cursor")))
    except Invalid as refusal:
        status, error = status_of(refusal), refusal
        found = vault.recoverables.page(who, wanted, loss, fate, Slice(PAGE))
    return page(
        "ui/recovery_score.html",
        status,
        found=found,
        error=error,
        asked=asked,
        given=given,
        next_url=next_page("ui.recovery_page", found.next, given),
        customers=customers(),
        losses=[(each.value, LOSS[each][0]) for each in Loss],
        fates=[(each.value, FATE[each].name) for each in Fate],
    )


def asked_for(*names: str) -> tuple[dict[str, str], dict[str, str]]:
    """Give what an address asks for under some names, and what of it is not empty."""
    asked = {name: request.args.get(name, "").strip() for name in names}
    return asked, {name: value for name, value in asked.items() if value}


def customers() -> list[tuple[str, str]]:
    """Give the customers in sight as choices of a filter."""
    found = the_vault().customers.page(actor(), None, Slice(CUSTOMERS)).items
    return [(each.id, f"{each.name} ({each.ddi})") for each in found]


def choice(kind: type[E], text: str) -> E | None:
    """Read one of some known words; any other is none."""
    return kind(text) if text in set(kind) else None
