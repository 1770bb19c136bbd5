"""The custodian's pages: customers and accounts registered, existing values taken into custody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from vault.domain.account import Custodian, Kind, Model
from vault.domain.policy import Permission
from vault.domain.secret import Secret
from vault.errors import FieldError, Invalid, VaultError
from vault.ports.store import Slice
from vault.services.accounts import AccountFacts
from vault.services.custody import Existing
from vault.services.customers import CustomerFacts
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.forms import AccountForm, CustomerForm, IntakeForm, LimitsForm, options
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

PAGE = 50
CHOICES = 200


@blueprint.get("/customers")
@needs(Permission.ACCOUNT_READ)
def customer_list() -> Response:
    """List the customers in scope."""
    text = request.args.get("q", "").strip()
    found = the_vault().customers.page(actor(), text or None, Slice(PAGE, request.args.get("cursor")))
    after = next_page("ui.customer_list", found.next, {"q": text})
    return page("ui/customers.html", customers=found.items, q=text, next_url=after)


@blueprint.get("/customers/new")
@needs(Permission.ACCOUNT_REGISTER)
def customer_new() -> Response:
    """Ask for a customer."""
    return page("ui/customer_new.html", form=CustomerForm(formdata=None))


@blueprint.post("/customers/new")
@needs(Permission.ACCOUNT_REGISTER)
def customer_send() -> AnyResponse:
    """Register a customer."""
    form = CustomerForm()

    def again(status: int) -> Response:
        return page("ui/customer_new.html", status, form=form)

    if not form.validate():
        return again(INVALID)
    facts = CustomerFacts(form.name.data, form.public_sector.data, form.aws_india.data)
    try:
        made = the_vault().customers.register(actor(), form.ddi.data.strip(), facts)
    except VaultError as error:
        return refused(error, form, again)
    return redirect(url_for("ui.account_new", customer=made.id), 303)


@blueprint.get("/customers/<customer_id>")
@needs(Permission.ACCOUNT_REGISTER)
def customer_page(customer_id: str) -> Response:
    """Show a customer, to change."""
    found = the_vault().customers.get(actor(), customer_id)
    form = LimitsForm(
        formdata=None,
        name=found.name,
        public_sector=found.public_sector,
        aws_india=found.aws_india,
        idle=_minutes(found.session_idle_seconds),
        longest=_minutes(found.session_max_seconds),
    )
    return _customer(customer_id, form, 200)


@blueprint.post("/customers/<customer_id>")
@needs(Permission.ACCOUNT_REGISTER)
def customer_change(customer_id: str) -> AnyResponse:
    """Change a customer's name, terms and own limits (U3)."""
    form = LimitsForm()
    if not form.validate():
        return _customer(customer_id, form, INVALID)
    try:
        facts = CustomerFacts(
            form.name.data,
            form.public_sector.data,
            form.aws_india.data,
            _seconds("session_idle_seconds", form.idle.data),
            _seconds("session_max_seconds", form.longest.data),
        )
        the_vault().customers.change(actor(), customer_id, facts)
    except VaultError as error:
        return refused(error, form, lambda status: _customer(customer_id, form, status))
    return redirect(url_for("ui.customer_page", customer_id=customer_id), 303)


@blueprint.get("/register")
@needs(Permission.ACCOUNT_REGISTER)
def account_new() -> Response:
    """Ask for an account."""
    form = AccountForm(
        formdata=None,
        customer_id=request.args.get("customer", ""),
        mailbox=Custodian.UNKNOWN,
        phone=Custodian.UNKNOWN,
    )
    return _account_page(form, 200)


@blueprint.post("/register")
@needs(Permission.ACCOUNT_REGISTER)
def account_send() -> AnyResponse:
    """Register an account."""
    form = AccountForm()
    _customers(form)
    if not form.validate():
        return _account_page(form, INVALID)
    facts = AccountFacts(
        form.name.data, form.root_email.data.strip(), Custodian(form.mailbox.data), Custodian(form.phone.data)
    )
    number = form.account_id.data.replace(" ", "").replace("-", "")
    try:
        made = the_vault().accounts.register(
            actor(),
            number,
            form.customer_id.data,
            Model(form.model.data),
            Kind(form.kind.data),
            facts,
            is_new=form.is_new.data,
        )
    except VaultError as error:
        return refused(error, form, lambda status: _account_page(form, status))
    return redirect(url_for("ui.account_page", account_id=made.id), 303)


@blueprint.get("/accounts/<account_id>/intake")
@needs(Permission.CREDENTIAL_INTAKE)
def intake(account_id: str) -> Response:
    """Ask for the values that existed before us."""
    view = the_vault().accounts.get(actor(), account_id)
    return page(
        "ui/intake.html", form=IntakeForm(formdata=None, root_email=view.account.root_email), view=view
    )


@blueprint.post("/accounts/<account_id>/intake")
@needs(Permission.CREDENTIAL_INTAKE)
def intake_send(account_id: str) -> AnyResponse:
    """Take them into custody."""
    vault, form = the_vault(), IntakeForm()
    view = vault.accounts.get(actor(), account_id)

    def again(status: int) -> Response:
        return page("ui/intake.html", status, form=form, view=view)

    if not form.validate():
        return again(INVALID)
    existing = Existing(
        form.root_email.data.strip(),
        Secret(form.password.data),
        Secret(form.seed.data),
        attested=form.attested.data,
    )
    try:
        vault.custodies.take_in(actor(), account_id, existing, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, again)
    return redirect(url_for("ui.account_page", account_id=account_id), 303)


def _customers(form: AccountForm) -> None:
    found = the_vault().customers.page(actor(), None, Slice(CHOICES)).items
    form.customer_id.choices = options((each.id, f"{each.name} ({each.ddi})") for each in found)


def _account_page(form: AccountForm, status: int) -> Response:
    _customers(form)
    return page("ui/account_new.html", status, form=form)


def _customer(customer_id: str, form: LimitsForm, status: int) -> Response:
    vault = the_vault()
    found = vault.customers.get(actor(), customer_id)
    return page("ui/customer.html", status, customer=found, form=form, settings=vault.settings.session)


def _minutes(seconds: int | None) -> str:
    return "" if seconds is None else f"{seconds / 60:g}"


def _seconds(name: str, text: str | None) -> int:
    """Read minutes as people write them; nothing takes the limit away."""
    given = (text or "").strip()
    if not given:
        return 0
    if not given.isascii() or not given.isdigit() or int(given) == 0:
        place = FieldError(f"/{name}", "Give whole minutes, or nothing.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    return int(given) * 60
