"""Port: closed accounts, one store of a unit of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.closure import Closure


class ClosureStore(Protocol):
    """Closed accounts: what becomes of each is written once, and no row is ever removed."""

    def add(self, closure: Closure) -> None:
        """Keep that an account was closed in a case."""
        ...

    def update(self, closure: Closure) -> None:
        """Write what became of it; `Conflict` concurrent.change where that was written before."""
        ...

    def last(self, account_id: str) -> Closure | None:
        """Find an account's latest closing."""
        ...

    def of(self, account_id: str) -> tuple[Closure, ...]:
        """List an account's closings, the latest first."""
        ...

    def over(self, now: datetime, most: int) -> tuple[Closure, ...]:
        """List those written as closed whose time to reopen is over, the oldest first."""
        ...
