"""Moves of accounts to another customer: ask for one, and those of an account; their steps are said as in any case."""

from __future__ import annotations

from vault.domain.policy import Permission
from vault.web.api.cases import flat, pointing, shown
from vault.web.api.routes import operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.cases import CaseWhole
from vault.web.api.schemas.moves import MoveRequest, MoveResource
from vault.web.auth import actor, the_vault


@operation(
    "POST",
    "/accounts/<account_id>/moves",
    Permission.MOVE_MANAGE,
    creates="/cases/{id}",
    problems={
        404: ("not_found",),
        409: ("case.account", "case.rule"),
        422: ("case.evidence",),
        423: ("frozen",),
    },
)
def ask_for_move(account_id: str, sent: MoveRequest) -> CaseWhole:
    """Open a move to another customer (D1): a business day at least 14 business days after the request.

    Outside a quarter's window a fee is approved in the case. Both customers agree, and two people move the accounts.
    """
    with pointing(flat):
        case = the_vault().cases.moves.ask(actor(), account_id, sent.wish())
    return shown(case.id)


@operation("GET", "/accounts/<account_id>/moves", Permission.CASE_READ)
def list_moves(account_id: str) -> Items[MoveResource]:
    """List an account's moves, the newest first, with what an open one would change now."""
    found = the_vault().cases.moves.of_account(actor(), account_id)
    return Items[MoveResource](items=[MoveResource.of(each) for each in found], next=None)
