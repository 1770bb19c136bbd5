"""Onboardings: opening one, the customer's text, addresses; root addresses of all times; how many new accounts."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.case import CaseKind
from vault.domain.policy import Permission
from vault.errors import not_found
from vault.ports.onboarding import AddressFilter
from vault.ports.store import Slice
from vault.web.api.cases import page_of, pointing, shown
from vault.web.api.names import customer_id_of
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.cases import CaseResource, CaseWhole
from vault.web.api.schemas.onboardings import (
    AccountLimitResource,
    InstructionsResource,
    LimitIncrease,
    NewOnboarding,
    OnboardingQuery,
    RootEmailQuery,
    RootEmailResource,
)
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders


@operation("GET", "/onboardings", Permission.CASE_READ, problems={422: ("cursor.invalid",)})
def list_onboardings(sent: OnboardingQuery) -> Items[CaseResource]:
    """List onboardings within your sight, each with where it waits, on whom, and since when."""
    return page_of(CaseKind.ONBOARDING, sent)


@operation(
    "POST",
    "/onboardings",
    Permission.ONBOARDING_MANAGE,
    creates="/onboardings/{id}",
    problems={
        404: ("not_found",),
        409: ("case.account", "case.state", "custody.email_used", "account.limit", "account.exists"),
        422: ("case.evidence",),
        423: ("frozen",),
    },
)
def open_onboarding(sent: NewOnboarding) -> CaseWhole:
    """Open an onboarding; accounts that are not registered yet are registered with it.

    Each account gets a root address of its own, never used before. Stopped in between, the same request goes on.
    """
    customer = customer_id_of(sent.customer_id, Permission.ONBOARDING_MANAGE)
    with pointing(sent.pointer):
        case = the_vault().onboardings.open(actor(), sent.welcome(customer))
    return shown(case.id)


@operation("GET", "/onboardings/<case_id>", Permission.CASE_READ)
def read_onboarding(case_id: str) -> CaseWhole:
    """Read an onboarding with its accounts, and where it waits."""
    found = shown(case_id)
    if found.kind is not CaseKind.ONBOARDING:
        raise not_found("case", case_id[:36])
    return found


@operation("GET", "/onboardings/<case_id>/instructions", Permission.CASE_READ)
def read_instructions(case_id: str) -> InstructionsResource:
    """Make the instructions to the customer, from the case as it stands now and the settings' templates."""
    text = the_vault().onboardings.text(actor(), case_id)
    return InstructionsResource(case_id=case_id, ticket=shown(case_id).ticket, text=text)


@operation(
    "POST",
    "/onboardings/<case_id>/addresses",
    Permission.ONBOARDING_MANAGE,
    problems={
        403: ("policy.denied",),
        409: ("case.state", "case.busy", "custody.email_used"),
        423: ("frozen",),
    },
)
def make_addresses(case_id: str) -> CaseWhole:
    """Make a root address for each account of an onboarding that has none; again, nothing more happens."""
    the_vault().onboardings.make_addresses(actor(), case_id)
    return shown(case_id)


@operation("GET", "/root-emails", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_root_emails(sent: RootEmailQuery) -> Items[RootEmailResource]:
    """List who bore which root address from when to when, of accounts within your sight, by address (L3)."""
    wanted = AddressFilter(sent.q, sent.account_id, sent.use)
    found = the_vault().root_emails.page(actor(), wanted, Slice(sent.limit, sent.cursor))
    return Items[RootEmailResource](
        items=[RootEmailResource.of(each) for each in found.items], next=found.next
    )


@operation("GET", "/customers/<customer_id>/account-limit", Permission.ACCOUNT_READ)
def read_account_limit(customer_id: str) -> AccountLimitResource:
    """Read how many new AWS accounts a customer has and may have (A4)."""
    customer = customer_id_of(customer_id, Permission.ACCOUNT_READ)
    return AccountLimitResource.of(the_vault().account_limits.get(actor(), customer))


@operation(
    "POST",
    "/customers/<customer_id>/account-limit",
    Permission.ONBOARDING_MANAGE,
    problems={403: ("policy.denied",)},
)
def record_account_limit(customer_id: str, sent: LimitIncrease) -> AccountLimitResource:
    """Record that AWS raised the limit, with the ticket; it counts from now on."""
    customer = customer_id_of(customer_id, Permission.ACCOUNT_READ)
    return AccountLimitResource.of(
        the_vault().account_limits.record(actor(), customer, sent.most, sent.ticket)
    )


@renders(blueprint, "account_limit")
def show_again(customer_id: str) -> ResponseReturnValue:
    """Draw a customer's limit for a repeated request."""
    return as_json(AccountLimitResource.of(the_vault().account_limits.get(actor(), customer_id)))
