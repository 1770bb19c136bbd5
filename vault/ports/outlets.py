"""Stores of what leaves the house: published checkpoints, and how far each place outside has got.

As in `vault.ports.store`, every method works inside the unit's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.outlet import Outlet, OutletReceipt, Published
from vault.ports.records import Page, Slice


class OutletStore(Protocol):
    """Outlets and what they confirmed."""

    def get(self, name: str) -> Outlet | None:
        """Find by name."""
        ...

    def all(self) -> tuple[Outlet, ...]:
        """List every one there ever was, by name."""
        ...

    def claim(self, name: str, start: int = 0) -> Outlet:
        """Find by name, or begin a new one at position `start`, and hold its row until the unit ends."""
        ...

    def put(self, outlet: Outlet) -> None:
        """Write all fields, of a new one or of one that is there."""
        ...

    def add_receipt(self, receipt: OutletReceipt) -> bool:
        """Keep what an outlet answered; False, and nothing is changed, where it confirmed this size before."""
        ...

    def receipts(self, size: int) -> tuple[OutletReceipt, ...]:
        """List who confirmed a checkpoint, by outlet's name."""
        ...

    def unconfirmed_since(self, names: tuple[str, ...], now: datetime) -> datetime | None:
        """Give the time of the oldest entry that none of these outlets confirmed; None where there is none.

        A row that cannot be true (`Outlet.doubt`) confirms nothing.
        """
        ...


class PublishedStore(Protocol):
    """Checkpoints that left the house."""

    def add(self, published: Published) -> bool:
        """Keep a checkpoint; False, and nothing is changed, where one of this size was published before."""
        ...

    def latest(self) -> Published | None:
        """Give the largest that bears our log's signature and that the log has grown to; others are passed over."""
        ...

    def get(self, size: int) -> Published | None:
        """Find by size."""
        ...

    def covering(self, index: int) -> Published | None:
        """Give the smallest that has the entry of this index in it."""
        ...

    def since(self, at: datetime) -> tuple[Published, ...]:
        """List those published at or after a time, largest first, 500 at most."""
        ...

    def page(self, part: Slice) -> Page[Published]:
        """List largest first."""
        ...

    def doubted(self) -> tuple[int, ...]:
        """Give the sizes of the rows that `latest` passed over, largest first, as many as it looks at."""
        ...

    def mend(self, published: Published) -> bool:
        """Write a checkpoint over a row of its size that is not ours; False, and nothing is changed, where it is."""
        ...

    def claim(self, size: int) -> Published | None:
        """Find by size and hold the row until the unit ends."""
        ...

    def set_note(self, size: int, note: str) -> None:
        """Write the note of a checkpoint again, with more signatures."""
        ...
