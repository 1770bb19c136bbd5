"""Evidence on tickets: when a checkout ended, its ticket is told who had root, for what, how long, and the proof of it.

Decided here: what a note says, and that the log is where notes come from, so none is lost and none is of what did not
happen. It is a feed: it has a place in the log, goes on where it was, and is behind while the system is away. What the
system does not take for good is an entry (`ticket.untold`), and the next note is not held up by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.actor import system_actor
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType, Result
from vault.domain.outlet import plain
from vault.domain.ticket import UNCHECKED
from vault.errors import Unavailable
from vault.ports.feeds import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault.domain.checkout import Checkout
    from vault.domain.formats import Copied
    from vault.ports.clock import Clock
    from vault.ports.store import Reveal, Units
    from vault.ports.tickets import TicketSystem

NAME: Final = "tickets"
ENDINGS: Final = frozenset(
    {
        EventType.CHECKOUT_RETURNED,
        EventType.CHECKOUT_EXPIRED,
        EventType.CHECKOUT_REVOKED,
    }
)
YOUNG: Final = timedelta(days=7)
"""Older endings are not told any more: a system that is connected later is not flooded with the past."""


@dataclass(frozen=True, slots=True)
class TicketNotes:
    """Implements `Feed`: writes notes on tickets."""

    units: Units
    system: TicketSystem
    clock: Clock
    base: str
    """The vault's public address, for links."""
    name: str = NAME

    def deliver(self, entries: Sequence[Copied], seconds: float) -> Delivery:
        """Tell of the endings among these entries, in their order."""
        begun = self.clock.now()
        for count, entry in enumerate(entries):
            now = self.clock.now()
            if now - begun > timedelta(seconds=seconds):
                return Delivery(count)
            if entry.text("type") not in ENDINGS:
                continue
            if now - datetime.fromisoformat(entry.text("time")) > YOUNG:
                continue
            came = self._tell(entry, now)
            if came is not None:
                return Delivery(count, came.error, came.wait)
        return Delivery(len(entries))

    def test(self) -> Delivery:
        """Ask the system for a ticket that nobody has: that it answers is all."""
        try:
            self.system.find("ROOTVAULT-TEST")
        except Unavailable as error:
            return Delivery(0, plain(error.detail))
        return Delivery(1)

    def _tell(self, entry: Copied, now: datetime) -> Delivery | None:
        """Write one note; what came where it has to be tried again."""
        number = entry.text("checkout")
        with self.units.read() as unit:
            checkout = unit.checkouts.get(number)
            reveals = () if checkout is None else unit.reveals.of_checkout(checkout.id)
        if checkout is None or checkout.activated_at is None:
            return None
        came = self.system.note(checkout.ticket, self._words(checkout, reveals, entry), checkout.id)
        if came.error is None:
            return None
        if not came.gone:
            return came
        with self.units.write() as unit:
            detail = {"ticket": checkout.ticket, "error": came.error}
            told = Event(
                EventType.TICKET_UNTOLD,
                system_actor("tickets"),
                Result.FAILED,
                account_id=checkout.account_id,
                checkout_id=checkout.id,
                detail=detail,
            )
            unit.log.record(told, now)
            unit.commit()
        return None

    def _words(self, checkout: Checkout, reveals: tuple[Reveal, ...], entry: Copied) -> str:
        shown = [each.kind for each in reveals]
        passwords, codes = shown.count(PartKind.PASSWORD), shown.count(PartKind.MFA)
        during = f"{_minute(checkout.activated_at)} to {_minute(checkout.ended_at)} UTC"
        how = checkout.state.value.replace("_", " ")
        who = f"{checkout.requester_name} for {checkout.reason}, {during} ({how})"
        lines = [f"Root of AWS account {checkout.account_id} was checked out by {who}."]
        lines.append(f"Disclosed under it: passwords {passwords}, MFA codes {codes}.")
        if checkout.ticket_mark == UNCHECKED:
            lines.append("This ticket could not be looked up when root was asked for.")
        lines.append(f"Proof: entry {entry.index} of the audit log, leaf hash {entry.leaf_hash}.")
        lines.append(f"{self.base}/checkouts/{checkout.id}")
        return "\n".join(lines)


def _minute(time: datetime | None) -> str:
    return "?" if time is None else f"{time:%Y-%m-%d %H:%M}"
