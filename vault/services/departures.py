"""What becomes of someone's checkouts when they lose the power to have them: revoked, at once (S17).

Decided here: which ones (those on accounts that are not within what is left to them), and the order of
locks: all business rows first, by account, then the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.domain.actor import Actor, Reach
from vault.domain.checkout import OPEN, CheckoutEvent, overdue
from vault.ports.store import CheckoutFilter, Slice
from vault.services.leases import end, settle

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.checkout import Checkout
    from vault.ports.store import Unit

NOTE: Final = "the holder lost the power to have it"


def end_leases(unit: Unit, actor: Actor, person_id: str, left: Reach, now: datetime) -> int:
    """End every open checkout of a person on accounts beyond `left`; the caller commits. Gives how many."""
    return end_claimed(unit, actor, claim_leases(unit, person_id, left), now)


def claim_leases(unit: Unit, person_id: str, left: Reach) -> tuple[Checkout, ...]:
    """Find the open checkouts of a person on accounts beyond `left`, with these accounts' rows held."""
    claimed = []
    for checkout in sorted(_open_of(unit, person_id), key=lambda each: each.account_id):
        found = unit.checkouts.claim(checkout.id)
        if found is not None and not left.covers(found[1].customer_id, found[1].id):
            claimed.append(found[0])
    return tuple(claimed)


def end_claimed(unit: Unit, actor: Actor, claimed: tuple[Checkout, ...], now: datetime) -> int:
    """End these checkouts, in so far as they have not ended; gives how many were."""
    ended = 0
    for checkout in claimed:
        if overdue(checkout, now) is not None:
            settle(unit, checkout, now)
        elif checkout.state in OPEN:
            end(unit, checkout, CheckoutEvent.REVOKED, now, actor, NOTE)
            ended += 1
    return ended


def _open_of(unit: Unit, person_id: str) -> list[Checkout]:
    wanted = CheckoutFilter(requester_id=person_id, states=OPEN)
    found: list[Checkout] = []
    cursor: str | None = None
    while True:
        page = unit.checkouts.page(Reach(everything=True), wanted, Slice(limit=100, cursor=cursor))
        found.extend(page.items)
        if page.next is None:
            return found
        cursor = page.next
