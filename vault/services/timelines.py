"""Timelines: what happened to one account, in one checkout, or by one person, as people read a story.

Decided here: whose story one may read. An account's and a checkout's are for who sees the account; a person's is
what the reader sees of that person's entries, and is as absent as nobody's where that is nothing (S21), which is known
only when the log was looked through: no budget ends the search for it. What an auditor reads is an entry, as
for any list of the log (`Trail`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.errors import not_found
from vault.ports.store import EntryFilter, Page, Slice

if TYPE_CHECKING:
    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout
    from vault.ports.clock import Clock
    from vault.ports.store import Entry, Units
    from vault.services.gate import Gate
    from vault.services.trail import Trail

CHECKOUT_MOST: Final = 200
"""Entries of one checkout that its story shows; a policy's quotas keep it far shorter."""


@dataclass(frozen=True, slots=True)
class Timelines:
    """Use cases that tell stories out of the log."""

    units: Units
    gate: Gate
    clock: Clock
    trail: Trail

    def of_account(self, actor: Actor, account_id: str, part: Slice) -> tuple[Account, Page[Entry]]:
        """Give an account's entries, newest first."""
        with self.units.read() as unit:
            account = self.gate.account(unit, actor, account_id, self.clock.now())
        return account, self.trail.page(actor, EntryFilter(account_id=account.id), part)

    def of_checkout(self, actor: Actor, checkout_id: str) -> tuple[Checkout, Account, tuple[Entry, ...]]:
        """Give a checkout's entries from its beginning."""
        with self.units.read() as unit:
            checkout = unit.checkouts.get(checkout_id)
            account = None if checkout is None else unit.accounts.get(checkout.account_id)
        if checkout is None or account is None or not self.gate.sees(actor, account):
            raise not_found("checkout", checkout_id[:36])
        page = self.trail.page(actor, EntryFilter(checkout_id=checkout.id), Slice(CHECKOUT_MOST))
        return checkout, account, page.items[::-1]

    def of_person(self, actor: Actor, person_id: str, part: Slice) -> tuple[str, Page[Entry]]:
        """Give a person's name and what they did, newest first, as far as the reader may see it."""
        page = self.trail.page(actor, EntryFilter(actor_id=person_id), part, to_the_end=True)
        with self.units.read() as unit:
            person = unit.people.get(person_id)
        if person is None or not (page.items or person.id == actor.id):
            raise not_found("person", person_id[:36])
        return person.name, page
