"""Stores of customers, accounts and their parts.

As in `vault.ports.store`, every method works inside the unit's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vault.domain.account import Account, Customer, Tenure
from vault.domain.actor import Reach
from vault.domain.credential import Part
from vault.ports.records import AccountFilter, Page, Slice


class CustomerStore(Protocol):
    """Customers."""

    def add(self, customer: Customer) -> None:
        """Keep a new customer; `Conflict` customer.exists where the DDI is taken."""
        ...

    def get(self, customer_id: str) -> Customer | None:
        """Find by id."""
        ...

    def lock(self, customer_id: str) -> Customer | None:
        """Find by id and hold the row until the unit ends; accounts may be added meanwhile."""
        ...

    def by_ddi(self, ddi: str) -> Customer | None:
        """Find by DDI number."""
        ...

    def update(self, customer: Customer) -> None:
        """Write all fields of a customer that exists."""
        ...

    def page(self, reach: Reach, text: str | None, part: Slice) -> Page[Customer]:
        """List within `reach`, by DDI; a customer is also seen by who may see one of its accounts."""
        ...


class AccountStore(Protocol):
    """Accounts and their parts."""

    def add(self, account: Account) -> None:
        """Keep a new account with both parts absent; `Conflict` account.exists or custody.email_used."""
        ...

    def get(self, account_id: str) -> Account | None:
        """Find by number."""
        ...

    def lock(self, account_id: str) -> Account | None:
        """Find by number and hold its row until the unit ends: first of all locks."""
        ...

    def many(self, account_ids: tuple[str, ...]) -> Mapping[str, Account]:
        """Find many by number, in a statement for each few hundred."""
        ...

    def update(self, account: Account) -> None:
        """Write all fields; a changed root e-mail is remembered forever (L3): `Conflict` custody.email_used."""
        ...

    def page(self, reach: Reach, wanted: AccountFilter, part: Slice) -> Page[Account]:
        """List within `reach`, by number."""
        ...

    def count(self) -> int:
        """Count all accounts."""
        ...

    def ever_held(self) -> bool:
        """Say whether any account was ever held."""
        ...

    def parts(self, account_id: str) -> tuple[Part, Part]:
        """Give the password part and the MFA part."""
        ...

    def parts_of(self, account_ids: tuple[str, ...]) -> Mapping[str, tuple[Part, Part]]:
        """Give the parts of many accounts in one query."""
        ...

    def tenures(self, account_id: str) -> tuple[Tenure, ...]:
        """List whose an account was before, the oldest first."""
        ...

    def add_tenure(self, tenure: Tenure) -> None:
        """Keep that an account was a customer's until it moved; never changed, never removed."""
        ...

    def put_part(self, part: Part) -> None:
        """Write a part's state."""
        ...
