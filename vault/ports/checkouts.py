"""What is asked of the store of checkouts; `vault.ports.store` says what holds for every store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from vault.domain.account import Account
from vault.domain.actor import Reach
from vault.domain.checkout import Approval, Checkout
from vault.ports.records import CheckoutFilter, Held, Page, Slice


class CheckoutStore(Protocol):
    """Checkouts, their approvals and step-ups."""

    def add(self, checkout: Checkout) -> None:
        """Keep a new one; `Conflict` checkout.conflict where another is open for the account."""
        ...

    def get(self, checkout_id: str) -> Checkout | None:
        """Find by id."""
        ...

    def claim(self, checkout_id: str) -> tuple[Checkout, Account] | None:
        """Find with its account, holding the account's row until the unit ends."""
        ...

    def hold(
        self, checkout_id: str, person_id: str, session: str, *, to_release: bool = False
    ) -> Held | None:
        """As `claim`, with what this person's disclosures under it rest on, in the same statement.

        The two rows are as they are after whatever was waited for; freeze and factor may be as they were before it:
        whoever discloses looks again before the value goes out.

        With `to_release`, no freeze is set between this and the end of the unit (`FreezeStore.hold`).
        """
        ...

    def bearing_on(self, account_ids: tuple[str, ...]) -> tuple[Checkout, ...]:
        """List those of these accounts that are written as open, or broke the glass and were not reviewed."""
        ...

    def unreviewed(self, account_ids: tuple[str, ...]) -> tuple[Checkout, ...]:
        """List those of these accounts that broke the glass and were not reviewed, oldest first."""
        ...

    def awaiting_review(self, reach: Reach, limit: int) -> tuple[Checkout, ...]:
        """List those within `reach` that broke the glass and were not reviewed, oldest first."""
        ...

    def used_since(
        self, person_id: str, since: datetime, *, held: bool = True, but: str = ""
    ) -> frozenset[str]:
        """Name the accounts whose lease a person began or joined after a time, but for leases under the reason `but`.

        Broken glass is never left out.

        With `held` the person's row is held: whoever asks for the same person at the same moment waits, and then
        sees what was begun here.
        """
        ...

    def last_used(self, person_id: str, since: datetime) -> Mapping[str, datetime]:
        """Give by account when a person last began or joined a lease of it, after a time."""
        ...

    def open_of(self, account_id: str) -> Checkout | None:
        """Find the one that claims the account, as written."""
        ...

    def open_of_many(self, account_ids: tuple[str, ...]) -> Mapping[str, Checkout]:
        """Find those of many accounts in one query."""
        ...

    def update(self, checkout: Checkout) -> None:
        """Write all fields that may change."""
        ...

    def page(self, reach: Reach, wanted: CheckoutFilter, part: Slice) -> Page[Checkout]:
        """List those on accounts within `reach`, newest first."""
        ...

    def overdue(self, now: datetime, limit: int) -> tuple[Checkout, ...]:
        """List open ones that time has ended (rule 10)."""
        ...

    def add_approval(self, approval: Approval) -> None:
        """Keep one; `Conflict` approval.duplicate where that person decided before."""
        ...

    def approvals(self, checkout_id: str) -> tuple[Approval, ...]:
        """List a checkout's, oldest first."""
        ...

    def approvals_of(self, checkout_ids: tuple[str, ...]) -> Mapping[str, tuple[Approval, ...]]:
        """List those of many checkouts in one query, each oldest first; those without are left out."""
        ...

    def put_step_up(self, checkout_id: str, person_id: str, session: str, until: datetime) -> None:
        """Remember that a fresh factor was given (S16)."""
        ...

    def step_up_until(self, checkout_id: str, person_id: str, session: str) -> datetime | None:
        """Give until when the last factor counts, for exactly this checkout, person and session."""
        ...
