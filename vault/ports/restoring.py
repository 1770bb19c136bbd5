"""What the ceremony after a restore does to everything at once, as in no other use case.

As in `vault.ports.store`, every method works inside the unit's transaction, which is the ceremony's only one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.person import Person
from vault.ports.census import PutAside


class RestoreStore(Protocol):
    """Steps of the ceremony; only the owner of the tables may take them."""

    def put_aside(self) -> PutAside:
        """Keep the log under another name, with what is kept by places in it, and make room for a new one."""
        ...

    def end_sessions(self, now: datetime) -> tuple[str, ...]:
        """End every session; give whose they were, each person once."""
        ...

    def end_links(self) -> tuple[tuple[Person, Person], ...]:
        """End every enrolment link, with the seed that it may have shown; give each person before and after."""
        ...

    def mark_unchecked(self, now: datetime) -> int:
        """Say of every current version that it came out of a backup; give how many."""
        ...

    def use_up(self, step: int) -> None:
        """Count every one-time code up to a time step as used."""
        ...

    def forget(self) -> int:
        """Drop step-ups and the claims of repeated requests; give how many claims there were."""
        ...
