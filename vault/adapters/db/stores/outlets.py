"""Outlets and published checkpoints: the outbox, and how far each place outside has got."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Text, bindparam, column, func, select, update
from sqlalchemy import table as named

from vault.adapters.db import mapping
from vault.adapters.db.outside import outlet as outlets
from vault.adapters.db.outside import outlet_receipt, published
from vault.adapters.db.paging import decode_cursor, limited, page
from vault.adapters.db.statements import Statements
from vault.domain.outlet import Outlet, OutletReceipt, Published
from vault.ports.records import Page, Slice

_SINCE_MOST: Final = 500
_entries = named("audit_entry", column("seq", BigInteger), column("occurred_at", Text))
_OUTLET = select(*mapping.outlet.columns)
_PUBLISHED = select(*mapping.published.columns)
_RECEIPT = select(*mapping.outlet_receipt.columns)
_UNCONFIRMED = select(_entries.c.occurred_at).where(
    _entries.c.seq
    == select(func.coalesce(func.max(outlets.c.position), 0))
    .where(outlets.c.name.in_(bindparam("names", expanding=True)))
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class Outlets:
    """Implements `OutletStore`."""

    db: Statements

    def get(self, name: str) -> Outlet | None:
        """Find by name."""
        row = self.db.one(_OUTLET.where(outlets.c.name == name))
        return None if row is None else mapping.outlet.value(row)

    def all(self) -> tuple[Outlet, ...]:
        """List every one there ever was, by name."""
        return tuple(mapping.outlet.value(row) for row in self.db.all(_OUTLET.order_by(outlets.c.name)))

    def claim(self, name: str, start: int = 0) -> Outlet:
        """Find by name, or begin a new one at position `start`, and hold its row until the unit ends."""
        new = Outlet(name, start)
        self.db.change(self.db.insert(outlets).values(asdict(new)).on_conflict_do_nothing())
        row = self.db.one(_OUTLET.where(outlets.c.name == name).with_for_update())
        return new if row is None else mapping.outlet.value(row)

    def put(self, outlet: Outlet) -> None:
        """Write all fields, of a new one or of one that is there."""
        row = asdict(outlet)
        added = self.db.insert(outlets).values(row)
        rest = {name: value for name, value in row.items() if name != "name"}
        self.db.change(added.on_conflict_do_update(index_elements=["name"], set_=rest))

    def add_receipt(self, receipt: OutletReceipt) -> bool:
        """Keep what an outlet answered; False, and nothing is changed, where it confirmed this size before."""
        added = self.db.insert(outlet_receipt).values(asdict(receipt)).on_conflict_do_nothing()
        return bool(self.db.all(added.returning(outlet_receipt.c.size)))

    def receipts(self, size: int) -> tuple[OutletReceipt, ...]:
        """List who confirmed a checkpoint, by outlet's name."""
        chosen = _RECEIPT.where(outlet_receipt.c.size == size).order_by(outlet_receipt.c.outlet)
        return tuple(mapping.outlet_receipt.value(row) for row in self.db.all(chosen))

    def unconfirmed_since(self, names: tuple[str, ...]) -> datetime | None:
        """Give the time of the oldest entry that none of these outlets confirmed; None where there is none."""
        row = self.db.first(_UNCONFIRMED, {"names": list(names)})
        return None if row is None else datetime.fromisoformat(row[0])


@dataclass(frozen=True, slots=True)
class PublishedNotes:
    """Implements `PublishedStore`."""

    db: Statements

    def add(self, checkpoint: Published) -> bool:
        """Keep a checkpoint; False, and nothing is changed, where one of this size was published before."""
        added = self.db.insert(published).values(asdict(checkpoint)).on_conflict_do_nothing()
        return bool(self.db.all(added.returning(published.c.size)))

    def latest(self) -> Published | None:
        """Give the largest."""
        row = self.db.first(_PUBLISHED.order_by(published.c.size.desc()).limit(1))
        return None if row is None else mapping.published.value(row)

    def get(self, size: int) -> Published | None:
        """Find by size."""
        row = self.db.one(_PUBLISHED.where(published.c.size == size))
        return None if row is None else mapping.published.value(row)

    def covering(self, index: int) -> Published | None:
        """Give the smallest that has the entry of this index in it."""
        row = self.db.first(_PUBLISHED.where(published.c.size > index).order_by(published.c.size).limit(1))
        return None if row is None else mapping.published.value(row)

    def since(self, at: datetime) -> tuple[Published, ...]:
        """List those published at or after a time, largest first, 500 at most."""
        rows = self.db.all(_PUBLISHED.order_by(published.c.size.desc()).limit(_SINCE_MOST))
        newest = (mapping.published.value(row) for row in rows)
        return tuple(checkpoint for checkpoint in newest if checkpoint.published_at >= at)

    def page(self, part: Slice) -> Page[Published]:
        """List largest first."""
        chosen = _PUBLISHED.order_by(published.c.size.desc()).limit(limited(part.limit))
        after = decode_cursor(part.cursor, int)
        if after is not None:
            chosen = chosen.where(published.c.size < after[0])
        found = [mapping.published.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda checkpoint: (checkpoint.size,))

    def claim(self, size: int) -> Published | None:
        """Find by size and hold the row until the unit ends."""
        row = self.db.one(_PUBLISHED.where(published.c.size == size).with_for_update())
        return None if row is None else mapping.published.value(row)

    def set_note(self, size: int, note: str) -> None:
        """Write the note of a checkpoint again, with more signatures."""
        self.db.change(update(published).where(published.c.size == size).values(note=note))
