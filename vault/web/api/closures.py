"""Closures of accounts: open one, those of an account, and that AWS reopened it; steps are said as in any case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.policy import Permission
from vault.web.api.cases import flat, pointing, shown
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.cases import CaseWhole
from vault.web.api.schemas.closures import ClosureRequest, ClosureResource, Reopening
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@operation(
    "POST",
    "/accounts/<account_id>/closure",
    Permission.CLOSURE_MANAGE,
    creates="/cases/{id}",
    problems={404: ("not_found",), 409: ("case.account", "custody.customer_held"), 423: ("frozen",)},
)
def open_closure(account_id: str, sent: ClosureRequest) -> CaseWhole:
    """Open the closure of an account (L1-L4): a checklist, two people, then AWS closes it.

    Until 90 days later AWS reopens it; after that nobody does, and its root e-mail serves no other account, ever.
    """
    closures = the_vault().cases.closures
    case = closures.open(actor(), account_id, sent.ticket, tuple(sent.accounts), sent.cause or "")
    return shown(case.id)


@operation("GET", "/accounts/<account_id>/closure", Permission.CASE_READ)
def read_closure(account_id: str) -> ClosureResource:
    """Read an account's closings, the latest first, with the days that are left, and the case that is open."""
    return ClosureResource.of(the_vault().cases.closures.of_account(actor(), account_id))


@operation(
    "POST",
    "/accounts/<account_id>/closure/reopen",
    Permission.CLOSURE_MANAGE,
    problems={
        401: ("auth.refused",),
        409: ("custody.state", "otp.used"),
        422: ("case.evidence",),
        423: ("frozen",),
        429: ("auth.delayed",),
    },
)
def reopen_account(account_id: str, sent: Reopening) -> ClosureResource:
    """Write that AWS reopened a closed account within its 90 days; its custody is what it was."""
    closures = the_vault().cases.closures
    with pointing(flat):
        closures.reopen(actor(), account_id, {"on": sent.on, "where": sent.where}, sent.otp.expose())
    return ClosureResource.of(closures.of_account(actor(), account_id))


@renders(blueprint, "closure")
def show_again(account_id: str) -> ResponseReturnValue:
    """Draw an account's closings for a repeated request."""
    return as_json(ClosureResource.of(the_vault().cases.closures.of_account(actor(), account_id)))
