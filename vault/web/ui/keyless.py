"""Members without root credentials as pages: the list, and one member step by step.

Decided here: nothing. The page asks AWS only where somebody presses a button.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.account import Custody
from vault.domain.keyless import Act
from vault.domain.policy import Permission
from vault.errors import Invalid, VaultError
from vault.ports.central_root import KeylessFilter
from vault.ports.store import Slice
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import needs
from vault.web.ui.forms import Form
from vault.web.ui.forms_keyless import AskingForm, KeylessForm
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused
from vault.web.ui.upkeep import asked_for, customers

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

PAGE: Final = 50
STATES: Final = (("better", "Better without"), ("gone", "Without root credentials"))


@blueprint.get("/upkeep/keyless")
@needs(Permission.ACCOUNT_READ)
def keyless_list() -> Response:
    """Show members whose root could be, or is, without credentials."""
    asked, given = asked_for("customer", "state")
    wanted = KeylessFilter({"gone": True, "better": False}.get(asked["state"]), asked["customer"] or None)
    status, error = 200, None
    members = the_vault().keyless
    try:
        found, payers = members.page(actor(), wanted, Slice(PAGE, request.args.get("cursor")))
    except Invalid as refusal:
        status, error = status_of(refusal), refusal
        found, payers = members.page(actor(), wanted, Slice(PAGE))
    return page(
        "ui/keyless_list.html",
        status,
        found=found.items,
        payers=payers,
        is_set=members.central is not None,
        error=error,
        asked=asked,
        given=given,
        states=STATES,
        customers=customers(),
        next_url=next_page("ui.keyless_list", found.next, given),
    )


@blueprint.get("/upkeep/keyless/<account_id>")
@needs(Permission.ACCOUNT_READ)
def keyless_page(account_id: str) -> Response:
    """Show what is known of one member's root, and what comes next."""
    return _member(account_id, Form(formdata=None), 200)


@blueprint.post("/upkeep/keyless/<account_id>/look")
@needs(Permission.KEYLESS_DECIDE)
def keyless_look(account_id: str) -> AnyResponse:
    """Ask AWS what the root has."""
    form = AskingForm()
    payer = form.payer.data or None
    return _done(account_id, form, lambda: the_vault().keyless.look(actor(), account_id, payer))


@blueprint.post("/upkeep/keyless/<account_id>/register")
@needs(Permission.KEYLESS_DECIDE)
def keyless_register(account_id: str) -> AnyResponse:
    """Take a member that never had any as it is."""
    form = AskingForm()
    payer = form.payer.data or None
    return _done(account_id, form, lambda: the_vault().keyless.register(actor(), account_id, payer))


@blueprint.post("/upkeep/keyless/<account_id>/carry-out")
@needs(Permission.KEYLESS_DECIDE)
def keyless_carry_out(account_id: str) -> AnyResponse:
    """Do what two people agreed to, or go on with it."""
    return _done(account_id, Form(), lambda: the_vault().keyless.carry_out(actor(), account_id))


@blueprint.post("/upkeep/keyless/<account_id>/propose")
@needs(Permission.KEYLESS_DECIDE)
def keyless_propose(account_id: str) -> AnyResponse:
    """Propose what comes next."""
    form = KeylessForm()
    if not form.validate():
        return _member(account_id, form, INVALID)
    members, who = the_vault().keyless, actor()
    try:
        gone = members.get(who, account_id).account.custody is Custody.KEYLESS
        act = Act.ALLOW if gone else Act.REMOVE
        made = members.propose(who, account_id, act, form.why.data, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _member(account_id, form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


def _done(account_id: str, form: Form, do: Callable[[], object]) -> AnyResponse:
    try:
        do()
    except VaultError as error:
        return refused(error, form, lambda status: _member(account_id, form, status))
    return redirect(url_for("ui.keyless_page", account_id=account_id), 303)


def _member(account_id: str, form: Form, status: int) -> Response:
    vault = the_vault()
    view = vault.keyless.get(actor(), account_id)
    asking = form if isinstance(form, AskingForm) else AskingForm(formdata=None)
    asking.payer.data = asking.payer.data or (view.known.payer_id if view.known else "")
    return page(
        "ui/keyless.html",
        status,
        view=view,
        form=form,
        asking=asking,
        proposing=form if isinstance(form, KeylessForm) else KeylessForm(formdata=None),
        is_set=vault.keyless.central is not None,
    )
