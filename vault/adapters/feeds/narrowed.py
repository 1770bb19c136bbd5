"""A feed that is sent a part of the log: entries of cases, of some kinds and customers, such as a handover's steps.

Decided here: what is not wanted counts as arrived, so that the receiver's place in the log goes on. Everything else is
the feed's own: the order, at least once, signed as before. Never decided here: how it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.ports.feeds import Delivery

if TYPE_CHECKING:
    from vault.domain.formats import Copied
    from vault.ports.feeds import Feed

OF_CASES: Final = ("case.", "handover.")
"""How the types of entries begin that tell of cases."""


@dataclass(frozen=True, slots=True)
class OfCases:
    """Implements `Feed` over another: entries of cases of these kinds and customers, by id; empty: of all."""

    feed: Feed
    kinds: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The outlet's name."""
        return self.feed.name

    def wants(self, entry: Copied) -> bool:
        """Say whether an entry is for the receiver."""
        if not entry.text("type").startswith(OF_CASES):
            return False
        kind, customer = entry.text("detail", "kind"), entry.text("detail", "customer")
        return (not self.kinds or kind in self.kinds) and (not self.customers or customer in self.customers)

    def deliver(self, entries: Sequence[Copied], seconds: float) -> Delivery:
        """Send those that are wanted; the others are passed by."""
        wanted = [place for place, entry in enumerate(entries) if self.wants(entry)]
        if not wanted:
            return Delivery(len(entries))
        came = self.feed.deliver([entries[place] for place in wanted], seconds)
        reached = len(entries) if came.count >= len(wanted) else wanted[came.count]
        return replace(came, count=reached)

    def test(self) -> Delivery:
        """Send one message that is no entry."""
        return self.feed.test()
