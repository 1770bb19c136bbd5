"""What is asked of the store of root addresses and of limit increases: works inside the unit's transaction.

When an address was borne, by whom said, is never written by a use case: the store takes it from the entry that tells of
it, so that nobody forgets, and nobody says otherwise than the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vault.domain.account_limit import AccountLimit
from vault.domain.actor import Reach
from vault.domain.root_email import EmailUse, RootAddress
from vault.ports.records import Page, Slice


@dataclass(frozen=True, slots=True)
class AddressFilter:
    """Which addresses; None does not narrow. `text` is found in the address and the account's number."""

    text: str | None = None
    account_id: str | None = None
    use: EmailUse | None = None


class OnboardingStore(Protocol):
    """Root addresses of all times, and how many new accounts a customer may have."""

    def owner(self, address: str) -> str | None:
        """Give the account that an address was ever used for, or is kept for; None for one that nobody had."""
        ...

    def reserve(self, address: str, account_id: str) -> bool:
        """Keep an address for an account, for ever; False where it is that account's already.

        The caller records `reservation(address, account_id)`. Raises `Conflict` custody.email_used where another
        account has it, or had it.
        """
        ...

    def addresses(self, reach: Reach, wanted: AddressFilter, part: Slice) -> Page[RootAddress]:
        """List stretches of accounts within `reach`, by address."""
        ...

    def reserved_of(self, account_ids: Sequence[str]) -> Mapping[str, RootAddress]:
        """Give what is kept for accounts that do not bear it yet, by account."""
        ...

    def limit(self, customer_id: str) -> AccountLimit | None:
        """Give what was recorded last of a customer's limit."""
        ...

    def put_limit(self, limit: AccountLimit) -> None:
        """Write it."""
        ...

    def new_accounts(self, customer_id: str) -> int:
        """Count a customer's new accounts that are with us (A4)."""
        ...
