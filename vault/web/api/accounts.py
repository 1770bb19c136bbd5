"""Accounts and the state of their credentials: list, read, register, change, take into custody."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from vault.domain.account import Account
from vault.domain.credential import PART, Part, PartKind
from vault.domain.policy import Permission
from vault.domain.reason import situation
from vault.errors import FieldError, Invalid
from vault.ports.store import AccountFilter, Slice
from vault.services.accounts import AccountView, PartView
from vault.services.custody import Existing
from vault.web.api.names import customer_id_of
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.accounts import (
    AccountChange,
    AccountQuery,
    AccountResource,
    CredentialResource,
    Intake,
    NewAccount,
)
from vault.web.api.schemas.base import Items
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders


@operation("GET", "/accounts", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_accounts(sent: AccountQuery) -> Items[AccountResource]:
    """List the accounts in sight, by number."""
    customer = sent.customer_id and customer_id_of(sent.customer_id, Permission.ACCOUNT_READ)
    wanted = AccountFilter(sent.q, customer, sent.state, sent.model, sent.kind)
    views, after = the_vault().accounts.page(actor(), wanted, Slice(sent.limit, sent.cursor))
    return Items[AccountResource](items=[AccountResource.of(view) for view in views], next=after)


@operation(
    "POST",
    "/accounts",
    Permission.ACCOUNT_REGISTER,
    creates="/accounts/{account_id}",
    problems={404: ("not_found",), 409: ("account.exists", "account.limit", "custody.email_used")},
)
def register_account(sent: NewAccount) -> AccountResource:
    """Register an AWS account under a customer.

    Custody begins in `onboarding`; an ECAM member's stays with its customer (C2).
    """
    customer = customer_id_of(sent.customer_id, Permission.ACCOUNT_REGISTER)
    account = the_vault().accounts.register(
        actor(), sent.account_id, customer, sent.model, sent.kind, sent.facts(), is_new=sent.is_new
    )
    return AccountResource.of(_empty(account))


@operation("GET", "/accounts/<account_id>", Permission.ACCOUNT_READ)
def read_account(account_id: str) -> AccountResource:
    """Read one account: custody, parts, why they are due, who has it now."""
    return AccountResource.of(the_vault().accounts.get(actor(), account_id))


@operation(
    "PATCH",
    "/accounts/<account_id>",
    Permission.ACCOUNT_REGISTER,
    problems={409: ("custody.state", "custody.email_used")},
)
def change_account(account_id: str, sent: AccountChange) -> AccountResource:
    """Change what is given, leave the rest."""
    the_vault().accounts.change(actor(), account_id, sent.facts())
    return AccountResource.of(the_vault().accounts.get(actor(), account_id))


@operation("GET", "/accounts/<account_id>/credential", Permission.ACCOUNT_READ)
def read_credential(account_id: str) -> CredentialResource:
    """Read all of a credential but its values: parts, versions, rotations, health."""
    return _credential(account_id)


@operation(
    "PUT",
    "/accounts/<account_id>/credential",
    Permission.CREDENTIAL_INTAKE,
    problems={
        401: ("auth.refused",),
        409: (
            "custody.customer_held",
            "custody.state",
            "custody.email_used",
            "checkout.conflict",
            "otp.used",
        ),
        422: ("custody.root_keys", "seed.invalid"),
        423: ("frozen",),
        429: ("auth.delayed",),
        503: ("keys.unavailable", "keys.throttled", "keys.disabled", "keys.state"),
    },
)
def take_into_custody(account_id: str, sent: Intake) -> CredentialResource:
    """Take existing values into custody, only while onboarding; both parts are due at once (C4)."""
    if sent.access_key_id is not None or sent.secret_access_key is not None:
        named = ("access_key_id", "secret_access_key")
        words = "Delete the root user's access keys at AWS; they are never stored (C3)."
        places = tuple(FieldError(f"/{name}", words) for name in named if getattr(sent, name) is not None)
        detail = "Root access keys must not exist, so the vault takes none (C3). Delete them at AWS first."
        raise Invalid("custody.root_keys", detail, errors=places, rule="C3")
    existing = Existing(sent.root_email, sent.password, sent.totp_seed, sent.attested)
    the_vault().custodies.take_in(actor(), account_id, existing, sent.otp.expose())
    return _credential(account_id)


@renders(blueprint, "account")
def show_again(account_id: str) -> ResponseReturnValue:
    """Draw an account, or its credential, for a repeated request."""
    vault, me = the_vault(), actor()
    if (request.endpoint or "").endswith(take_into_custody.__name__):
        return as_json(_credential(account_id))
    if vault.policy.reach(me, Permission.ACCOUNT_READ).empty:
        # a machine that may only register does not read; it is told what it was told before
        with vault.units.read() as unit:
            found = unit.accounts.get(account_id)
        if found is not None:
            return as_json(AccountResource.of(_empty(found)))
    return as_json(AccountResource.of(vault.accounts.get(me, account_id)))


def _credential(account_id: str) -> CredentialResource:
    vault, me = the_vault(), actor()
    found = vault.accounts.credential(me, account_id)
    return CredentialResource.of(found, vault.healths.get(me, account_id).health)


def _empty(account: Account) -> AccountView:
    """Give the view of an account that was registered in this request: nothing of it is in the vault."""
    parts = tuple(Part(account.id, kind, PART.start, account.created_at) for kind in PartKind)
    views = tuple(PartView(part, None, (), unverified=False) for part in parts)
    return AccountView(account, situation(account.custody, parts, frozenset()), views, None, None)
