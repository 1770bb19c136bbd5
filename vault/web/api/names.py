"""Two names of one thing: a customer is named by its id or by its DDI."""

from __future__ import annotations

from vault.domain.ids import is_ddi
from vault.domain.policy import Permission
from vault.web.auth import actor, the_vault


def customer_id_of(name: str, permission: Permission) -> str:
    """Give the id behind an id or DDI; a DDI out of reach stays what it is, so that no answer tells (S21)."""
    if not is_ddi(name):
        return name
    vault = the_vault()
    with vault.units.read() as unit:
        found = unit.customers.by_ddi(name)
    if found is None or not vault.policy.reach(actor(), permission).covers(found.id):
        return name
    return found.id
