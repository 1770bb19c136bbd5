"""Onboardings as pages: opening one, the customer's text, root addresses of all times, and limits of new accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.account import Account
from vault.domain.case import CaseKind
from vault.domain.plans import onboarding as steps
from vault.domain.policy import Permission
from vault.domain.root_email import EmailUse
from vault.errors import FieldError, Invalid, VaultError
from vault.ports.onboarding import AddressFilter
from vault.ports.store import AccountFilter, Slice
from vault.services.onboarding_desk import Welcome
from vault.services.onboardings import JOINS
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import words_cases
from vault.web.ui.forms import Form, options
from vault.web.ui.forms_onboarding import LINE, RaiseForm, WelcomeForm, welcome_form
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused
from vault.web.ui.upkeep import asked_for, choice, customers

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.case import Step

PAGE: Final = 50
USES: Final = tuple(
    (use.value, name)
    for use, name in (
        (EmailUse.BORNE, "Root e-mail of an account"),
        (EmailUse.RESERVED, "Kept for an account"),
        (EmailUse.EARLIER, "Borne earlier, times unknown"),
    )
)
_PIECE: Final = 200
_DIGITS: Final = 5


@blueprint.get("/cases/onboarding/new")
@needs(Permission.ONBOARDING_MANAGE)
def onboarding_new() -> Response:
    """Show whose accounts, and what is asked."""
    return _new(None, 200)


@blueprint.post("/cases/onboarding/new")
@needs(Permission.ONBOARDING_MANAGE)
def onboarding_open() -> AnyResponse:
    """Open it."""
    form = welcome_form(_information().evidence)()
    joining = form.joining() if form.validate() else None
    if joining is None:
        return _new(form, INVALID)
    asked, _ = asked_for("customer")
    welcome = Welcome(asked["customer"], joining, form.ticket.data, information=form.information())
    try:
        case = the_vault().onboardings.open(actor(), welcome)
    except VaultError as error:
        return refused(error, form, lambda status: _new(form, status))
    return redirect(url_for("ui.case_page", case_id=case.id), 303)


@blueprint.get("/cases/<case_id>/instructions")
@needs(Permission.CASE_READ)
def onboarding_text(case_id: str) -> Response:
    """Show what the customer is told, as the case stands now."""
    return _text(case_id, Form(formdata=None), 200)


@blueprint.post("/cases/<case_id>/instructions")
@needs(Permission.ONBOARDING_MANAGE)
def onboarding_addresses(case_id: str) -> AnyResponse:
    """Make an address for each account that has none."""
    form = Form()
    try:
        the_vault().onboardings.make_addresses(actor(), case_id)
    except VaultError as error:
        return refused(error, form, lambda status: _text(case_id, form, status))
    return redirect(url_for("ui.onboarding_text", case_id=case_id), 303)


@blueprint.get("/root-emails")
@needs(Permission.ACCOUNT_READ)
def root_emails() -> Response:
    """Show who bore which root address from when to when."""
    asked, given = asked_for("q", "account", "use")
    wanted = AddressFilter(asked["q"][:60] or None, asked["account"] or None, choice(EmailUse, asked["use"]))
    found = the_vault().root_emails.page(actor(), wanted, Slice(PAGE, request.args.get("cursor")))
    return page(
        "ui/root_emails.html",
        found=found.items,
        asked=asked,
        uses=USES,
        names=dict(USES),
        told=words_cases,
        next_url=next_page("ui.root_emails", found.next, given),
    )


@blueprint.get("/customers/<customer_id>/limit")
@needs(Permission.ACCOUNT_READ)
def account_limit(customer_id: str) -> Response:
    """Show how many new accounts a customer has and may have."""
    return _limit(customer_id, RaiseForm(formdata=None), 200)


@blueprint.post("/customers/<customer_id>/limit")
@needs(Permission.ONBOARDING_MANAGE)
def account_limit_record(customer_id: str) -> AnyResponse:
    """Record a limit increase."""
    form = RaiseForm()
    if not form.validate():
        return _limit(customer_id, form, INVALID)
    try:
        most = _number(form.most.data.strip())
        the_vault().account_limits.record(actor(), customer_id, most, form.ticket.data)
    except VaultError as error:
        return refused(error, form, lambda status: _limit(customer_id, form, status))
    return redirect(url_for("ui.account_limit", customer_id=customer_id), 303)


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        return int(text)
    words = "Give a whole number."
    raise Invalid("input.invalid", words, errors=(FieldError("/most", words),))


def _information() -> Step:
    step = steps.PLAN.step(steps.INFORMATION)
    assert step is not None  # noqa: S101 - the plan has it
    return step


def _new(form: WelcomeForm | None, status: int) -> Response:
    asked, _ = asked_for("customer")
    step = _information()
    form = welcome_form(step.evidence)(formdata=None) if form is None else form
    accounts = _waiting(asked["customer"]) if asked["customer"] else []
    form.accounts.choices = options((each.id, each.name) for each in accounts)
    return page(
        "ui/onboarding_new.html",
        status,
        asked=asked,
        accounts=accounts,
        form=form,
        step=step,
        line=LINE,
        pattern=the_vault().onboardings.pattern,
        customers=customers(),
        told=words_cases,
    )


def _waiting(customer_id: str) -> list[Account]:
    """Give a customer's accounts in sight that are not held and in no open case, by number."""
    found: list[Account] = []
    cursor = None
    while True:
        wanted = AccountFilter(customer_id=customer_id)
        views, cursor = the_vault().accounts.page(actor(), wanted, Slice(_PIECE, cursor))
        found += [each.account for each in views if each.account.custody in JOINS]
        if cursor is None:
            break
    with the_vault().units.read() as unit:
        busy = unit.cases.open_of([each.id for each in found])
    return [each for each in found if each.id not in busy]


def _text(case_id: str, form: Form, status: int) -> Response:
    vault, who = the_vault(), actor()
    text = vault.onboardings.text(who, case_id)
    found = vault.cases.reading.whole(who, case_id)
    numbers = tuple(found.scene.live)
    bare = [
        number
        for number in numbers
        if steps.is_ours(found.scene.accounts[number])
        and not found.scene.given(number, steps.ADDRESS, "address")
    ]
    return page(
        "ui/onboarding_text.html",
        status,
        case=found.scene.case,
        customer=found.scene.customer,
        text=text,
        bare=bare,
        form=form,
        told=words_cases,
        step=steps.INSTRUCTIONS,
        kind=CaseKind.ONBOARDING,
    )


def _limit(customer_id: str, form: RaiseForm, status: int) -> Response:
    vault, who = the_vault(), actor()
    view = vault.account_limits.get(who, customer_id)
    customer = vault.customers.get(who, customer_id)
    return page("ui/account_limit.html", status, customer=customer, view=view, form=form)
