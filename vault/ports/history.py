"""What was before: the questions that an approver's page asks, each answered for many requests in one statement.

As in `vault.ports.store`, every method works inside the unit's transaction. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeAlias

from vault.domain.account import Account, Customer
from vault.domain.actor import Reach
from vault.domain.checkout import Checkout
from vault.ports.records import Page, Slice

Asked: TypeAlias = tuple[Checkout, Account, Customer]
"""A request with the account it is for, and that account's customer."""


class HistoryStore(Protocol):
    """Checkouts as they were, of many accounts and people at once."""

    def waiting(self, reach: Reach, part: Slice) -> Page[Asked]:
        """List what waits for approvals or for its first step-up after them, as written, oldest first."""
        ...

    def asked(self, checkout_ids: tuple[str, ...]) -> tuple[Asked, ...]:
        """Find some requests with their accounts and customers, in one query."""
        ...

    def of_accounts(self, account_ids: tuple[str, ...], most: int) -> Mapping[str, tuple[Checkout, ...]]:
        """List the last `most` checkouts of each account, newest first."""
        ...

    def of_people(self, person_ids: tuple[str, ...], most: int) -> Mapping[str, tuple[Checkout, ...]]:
        """List the last `most` checkouts of each person, newest first."""
        ...

    def had(self, person_ids: tuple[str, ...], account_ids: tuple[str, ...]) -> Mapping[tuple[str, str], int]:
        """Count by person and account how often a lease began."""
        ...

    def hours(
        self, person_ids: tuple[str, ...], since: datetime, until: datetime
    ) -> Mapping[str, Mapping[int, int]]:
        """Count each person's requests of a time, [since, until), by hour of the day (UTC)."""
        ...

    def tickets(self, tickets: tuple[str, ...], since: datetime) -> Mapping[str, Mapping[str, int]]:
        """Count the requests since a time that named each ticket, by account."""
        ...

    def last_revealed(self, checkout_ids: tuple[str, ...]) -> Mapping[str, datetime]:
        """Say when something was last disclosed under each checkout; those without are left out."""
        ...

    def customers_of(self, account_ids: tuple[str, ...]) -> Mapping[str, str]:
        """Give each account's customer, by which sight is decided."""
        ...
