"""What is asked of the store of handovers' ends and customers' links: works inside the unit's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.release import CustomerLink, Handed


class ReleaseStore(Protocol):
    """Ends of handovers, and the links to their customers' pages."""

    def add(self, handed: Handed) -> None:
        """Keep that a handover's last account was released."""
        ...

    def get(self, case_id: str) -> Handed | None:
        """Find the end of a handover."""
        ...

    def update(self, handed: Handed) -> None:
        """Write its warning and acknowledgement."""
        ...

    def due(self, now: datetime, limit: int) -> tuple[Handed, ...]:
        """List handovers that are not closed and whose destruction is due: acknowledged, or their grace is over."""
        ...

    def ending(self, before: datetime, limit: int) -> tuple[Handed, ...]:
        """List those not closed, neither acknowledged nor warned of, whose grace ends before a time."""
        ...

    def add_link(self, link: CustomerLink) -> None:
        """Keep a new link; `Conflict` concurrent.change where the handover has a live one."""
        ...

    def link_of(self, token_hash: str) -> CustomerLink | None:
        """Find a link by the hash of its token."""
        ...

    def lock_link(self, token_hash: str) -> CustomerLink | None:
        """Find a link by the hash of its token, and hold its row until the unit ends."""
        ...

    def live(self, case_id: str) -> CustomerLink | None:
        """Find a handover's live link, and hold its row until the unit ends."""
        ...

    def links(self, case_id: str) -> tuple[CustomerLink, ...]:
        """List a handover's links, newest first; fifty at most."""
        ...

    def update_link(self, link: CustomerLink) -> None:
        """Write what became of a link."""
        ...

    def end_all(self, now: datetime) -> tuple[tuple[CustomerLink, CustomerLink], ...]:
        """End every live link because a backup was restored; give each before and after."""
        ...

    def unopened(self, before: datetime, limit: int) -> tuple[CustomerLink, ...]:
        """List live links that were not opened and whose time was over before a moment."""
        ...
