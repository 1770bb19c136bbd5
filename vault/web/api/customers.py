"""Customers: list, read, register, change."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.customers import CustomerChange, CustomerQuery, CustomerResource, NewCustomer
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders


@operation("GET", "/customers", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_customers(sent: CustomerQuery) -> Items[CustomerResource]:
    """List the customers in sight, by DDI."""
    page = the_vault().customers.page(actor(), sent.q, Slice(sent.limit, sent.cursor))
    return Items[CustomerResource](items=[CustomerResource.of(each) for each in page.items], next=page.next)


@operation(
    "POST",
    "/customers",
    Permission.ACCOUNT_REGISTER,
    creates="/customers/{id}",
    problems={409: ("customer.exists",)},
)
def register_customer(sent: NewCustomer) -> CustomerResource:
    """Register a customer under its DDI."""
    return CustomerResource.of(the_vault().customers.register(actor(), sent.ddi, sent.facts(sent.name)))


@operation("GET", "/customers/<customer_id>", Permission.ACCOUNT_READ)
def read_customer(customer_id: str) -> CustomerResource:
    """Read one customer."""
    return CustomerResource.of(the_vault().customers.get(actor(), customer_id))


@operation("PATCH", "/customers/<customer_id>", Permission.ACCOUNT_REGISTER, problems={409: ("case.rule",)})
def change_customer(customer_id: str, sent: CustomerChange) -> CustomerResource:
    """Change what is given, leave the rest."""
    return CustomerResource.of(the_vault().customers.change(actor(), customer_id, sent.facts(sent.name)))


@renders(blueprint, "customer")
def show_again(customer_id: str) -> ResponseReturnValue:
    """Draw a customer for a repeated request."""
    return as_json(CustomerResource.of(the_vault().customers.get(actor(), customer_id)))
