"""The store of freezes. As in `vault.ports.store`, every method works inside the unit's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.account import Account
from vault.domain.freeze import Covered, Freeze


class FreezeStore(Protocol):
    """What is frozen."""

    def hold(self) -> None:
        """Wait until no disclosure is between its last look at the freezes and its commit, and let none begin.

        Comes before `add`, and before any row is held: what is added then is seen by every later disclosure.
        """
        ...

    def add(self, freeze: Freeze) -> None:
        """Keep a new one; `Conflict` concurrent.change where the same is frozen already."""
        ...

    def get(self, freeze_id: str) -> Freeze | None:
        """Find by id."""
        ...

    def on(self, covered: Covered) -> Freeze | None:
        """Find the one that is not lifted on exactly this."""
        ...

    def over(self, account: Account | None, person_id: str) -> Freeze | None:
        """Find the oldest that stops a person's disclosures, of an account or (with None) of any."""
        ...

    def open(self) -> tuple[Freeze, ...]:
        """List those not lifted, oldest first."""
        ...

    def lately(self, limit: int) -> tuple[Freeze, ...]:
        """List those that were lifted, the last first."""
        ...

    def lift(self, freeze: Freeze) -> None:
        """Write that one was lifted, and by whose second word."""
        ...

    def end_step_ups(self, covered: Covered, now: datetime) -> None:
        """End every second factor given for what is covered."""
        ...
