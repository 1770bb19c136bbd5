"""The approvers' queue: what waits for someone's word, with what was before it and what is worth a second look.

Decided here: what an approver is told beside the request itself. All of it is read in a number of statements that
does not grow with the queue, none of it is a secret, and what lies out of the approver's sight is counted, not named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.actor import Actor, Reach
from vault.domain.approving import Progress, standing
from vault.domain.checkout import Checkout, CheckoutState, state_at
from vault.domain.policy import Permission
from vault.domain.risk import DAY, KNOWN, WINDOW, Past, Sign, signs
from vault.errors import not_found
from vault.ports.records import Page, Slice

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account, Customer
    from vault.ports.clock import Clock
    from vault.ports.history import Asked
    from vault.ports.store import Unit, Units
    from vault.services.deciding import Deciding
    from vault.services.gate import Gate

SHOWN = 5
"""How many earlier checkouts of an account, and of a person, are shown."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A checkout that was before, as it stands now, with the last time something was disclosed under it."""

    checkout: Checkout
    revealed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request as whoever decides on it sees it; `mine` says whether it waits for the reader's own word."""

    checkout: Checkout
    account: Account
    customer: Customer
    progress: Progress
    signs: tuple[Sign, ...]
    of_account: tuple[Earlier, ...]
    of_person: tuple[Earlier, ...]
    mine: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """Use cases that only read."""

    units: Units
    gate: Gate
    deciding: Deciding
    clock: Clock

    def waiting(self, actor: Actor, part: Slice | None = None) -> Page[Waiting]:
        """List what waits for the actor's word, oldest first; a page may hold fewer than its limit."""
        now = self.clock.now()
        reach = self.gate.policy.reach(actor, Permission.CHECKOUT_APPROVE)
        with self.units.read() as unit:
            page = unit.history.waiting(reach, part or Slice(200))
            progress = self.deciding.progress_of(unit, page.items, now)
            mine = tuple(
                asked for asked in page.items if _waits_for(actor, asked[0], progress[asked[0].id], now)
            )
            return Page(self._told(unit, actor, mine, progress, now), page.next)

    def one(self, actor: Actor, checkout_id: str) -> Waiting:
        """Tell of one request on an account that the actor approves for, whatever state it is in."""
        now = self.clock.now()
        with self.units.read() as unit:
            checkout = unit.checkouts.get(checkout_id)
            account = None if checkout is None else unit.accounts.get(checkout.account_id)
            customer = None if account is None else unit.customers.get(account.customer_id)
            if checkout is None or account is None or customer is None or not self.tells(actor, account):
                raise not_found("checkout", checkout_id[:36])
            asked = (checkout, account, customer)
            return self._told(unit, actor, (asked,), self.deciding.progress_of(unit, (asked,), now), now)[0]

    def tells(self, actor: Actor, account: Account) -> bool:
        """Say whether the actor approves for an account, and so may know what was before."""
        reach = self.gate.policy.reach(actor, Permission.CHECKOUT_APPROVE)
        return reach.covers(account.customer_id, account.id)

    def _told(
        self,
        unit: Unit,
        actor: Actor,
        asked: tuple[Asked, ...],
        progress: Mapping[str, Progress],
        now: datetime,
    ) -> tuple[Waiting, ...]:
        if not asked:
            return ()
        accounts = tuple({checkout.account_id for checkout, _, _ in asked})
        people = tuple({checkout.requester_id for checkout, _, _ in asked})
        since = now - WINDOW
        of_accounts = unit.history.of_accounts(accounts, KNOWN + 1)
        of_people = unit.history.of_people(people, KNOWN + 1)
        had = unit.history.had(people, accounts)
        hours = unit.history.hours(people, since, now - DAY)
        tickets = unit.history.tickets(tuple({checkout.ticket for checkout, _, _ in asked}), since)
        earlier = {
            each.id: each for found in (of_accounts, of_people) for few in found.values() for each in few
        }
        revealed = unit.history.last_revealed(tuple(earlier))
        sight = self._sight(unit, actor, tuple({each.account_id for each in earlier.values()}))

        def shown(checkouts: tuple[Checkout, ...]) -> tuple[Earlier, ...]:
            seen = [each for each in checkouts if each.account_id in sight][:SHOWN]
            return tuple(
                Earlier(replace(each, state=state_at(each, now)), revealed.get(each.id)) for each in seen
            )

        found: list[Waiting] = []
        for checkout, account, customer in asked:
            past = Past(
                of_account=_without(of_accounts.get(account.id, ()), checkout),
                of_person=_without(of_people.get(checkout.requester_id, ()), checkout),
                had=had.get((checkout.requester_id, account.id), 0) - (checkout.activated_at is not None),
                hours=hours.get(checkout.requester_id, {}),
                tickets=tickets.get(checkout.ticket, {}),
            )
            stands = progress[checkout.id]
            found.append(
                Waiting(
                    checkout=replace(checkout, state=standing(checkout, stands, now)),
                    account=account,
                    customer=customer,
                    progress=stands,
                    signs=signs(checkout, past, self.gate.policy.limits.checkout_seconds),
                    of_account=shown(past.of_account),
                    of_person=shown(past.of_person),
                    mine=_waits_for(actor, checkout, stands, now),
                )
            )
        return tuple(found)

    def _sight(self, unit: Unit, actor: Actor, account_ids: tuple[str, ...]) -> frozenset[str]:
        """Give those of some accounts that the actor may know of (S21)."""
        reach: Reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        if reach.everything:
            return frozenset(account_ids)
        owners = unit.history.customers_of(account_ids)
        return frozenset(number for number, owner in owners.items() if reach.covers(owner, number))


def _without(checkouts: tuple[Checkout, ...], this: Checkout) -> tuple[Checkout, ...]:
    """Give those that were asked for before this one."""
    asked = (this.requested_at, this.id)
    return tuple(each for each in checkouts if (each.requested_at, each.id) < asked)[:KNOWN]


def _waits_for(actor: Actor, checkout: Checkout, progress: Progress, now: datetime) -> bool:
    waits = standing(checkout, progress, now) is CheckoutState.PENDING_APPROVAL
    return waits and any(each.id == actor.id for each in progress.may)
