"""Opening a case on a page: first whose accounts, then which of them, the ticket, and what is known already.

Decided here: which fields the page offers; they are those of the plan that are for the whole case and wait for nothing.
Whether an account may be in such a case is the use case's word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.case import CaseKind
from vault.domain.policy import Permission
from vault.errors import VaultError, not_found
from vault.ports.store import AccountFilter, Slice
from vault.services.case_opening import Opening
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import words_cases
from vault.web.ui.cases import PATHS
from vault.web.ui.forms import options
from vault.web.ui.forms_cases import PREFIX, OpeningForm, opening_form
from vault.web.ui.site import INVALID, blueprint, page, refused
from vault.web.ui.upkeep import asked_for, customers

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.account import Account
    from vault.domain.case import Field, Step

NEW: Final = "/cases/<any('onboarding', 'handovers', 'closures', 'moves'):kind>/new"
_PIECE: Final = 200


@blueprint.get(NEW)
@needs(Permission.CASE_READ)
def case_new(kind: str) -> Response:
    """Show whose accounts, and what is asked."""
    return _new(_kind(kind), None, 200)


@blueprint.post(NEW)
@needs(Permission.CASE_READ)
def case_open(kind: str) -> AnyResponse:
    """Open it."""
    found = _kind(kind)
    form = opening_form(_fields(found))()
    if not form.validate():
        return _new(found, form, INVALID)
    given: dict[tuple[str, str], dict[str, str]] = {}
    for step, name in _fields(found):
        typed = str(form[f"{PREFIX}{step}_{name}"].data or "").strip()
        if typed:
            given.setdefault(("", step), {})[name] = typed.replace("\r\n", "\n")
    customer = request.args.get("customer", "")
    opening = Opening(found, customer, tuple(form.accounts.data), form.ticket.data, given=given)
    try:
        case = the_vault().cases.opening.open(actor(), opening)
    except VaultError as error:
        return refused(error, form, lambda status: _new(found, form, status))
    return redirect(url_for("ui.case_page", case_id=case.id), 303)


def _kind(name: str) -> CaseKind:
    """Give the kind whose address this is; one that nobody may open here is not there."""
    found = PATHS[name]
    if found not in the_vault().cases.reading.kinds(actor()):
        raise not_found("page", name)
    return found


def _steps(kind: CaseKind) -> tuple[Step, ...]:
    return tuple(
        each
        for each in the_vault().cases.reading.plan(kind).steps
        if not (each.per_account or each.needs or each.second or each.acts or each.known or each.on_day)
        and each.evidence
    )


def _fields(kind: CaseKind) -> dict[tuple[str, str], Field]:
    return {(step.name, field.name): field for step in _steps(kind) for field in step.evidence}


def _new(kind: CaseKind, form: OpeningForm | None, status: int) -> Response:
    asked, _ = asked_for("customer")
    form = opening_form(_fields(kind))(formdata=None) if form is None else form
    accounts = _accounts(asked["customer"]) if asked["customer"] else []
    form.accounts.choices = options((each.id, each.name) for each in accounts)
    path = next(name for name, each in PATHS.items() if each is kind)
    return page(
        "ui/case_new.html",
        status,
        kind=kind,
        path=path,
        asked=asked,
        accounts=accounts,
        busy=_busy(accounts),
        form=form,
        steps=_steps(kind),
        customers=customers(),
        told=words_cases,
    )


def _accounts(customer_id: str) -> list[Account]:
    """Give a customer's accounts in sight, by number."""
    found: list[Account] = []
    cursor = None
    while True:
        views, cursor = the_vault().accounts.page(
            actor(), AccountFilter(customer_id=customer_id), Slice(_PIECE, cursor)
        )
        found += [each.account for each in views]
        if cursor is None:
            return found


def _busy(accounts: list[Account]) -> dict[str, str]:
    """Give the open case of each account that is in one."""
    with the_vault().units.read() as unit:
        others = unit.cases.open_of([each.id for each in accounts])
    return {number: case.id for number, case in others.items()}
