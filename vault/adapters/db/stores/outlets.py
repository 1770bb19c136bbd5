"""Outlets and published checkpoints: the outbox, and how far each place outside has got."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Select, Text, bindparam, column, func, or_, select, update
from sqlalchemy import table as named

from audit.errors import AuditError
from vault.adapters.db import mapping
from vault.adapters.db.outside import outlet as outlets
from vault.adapters.db.outside import outlet_receipt, published
from vault.adapters.db.paging import decode_cursor, limited, page
from vault.adapters.db.statements import Statements
from vault.domain.outlet import LONGEST_TURN, SLACK, Outlet, OutletReceipt, Published
from vault.ports.records import Page, Slice

if TYPE_CHECKING:
    from audit.log import Log
    from vault.adapters.db.stores.log import Marked

_SINCE_MOST: Final = 500
_LOOKED_AT: Final = 100
"""Rows below the head that are passed over in search of one of ours, at most; beyond, there is none."""

_entries = named("audit_entry", column("seq", BigInteger), column("occurred_at", Text))
_OUTLET = select(*mapping.outlet.columns)
_PUBLISHED = select(*mapping.published.columns)
_RECEIPT = select(*mapping.outlet_receipt.columns)
_UNCONFIRMED = select(_entries.c.occurred_at).where(
    _entries.c.seq
    == select(func.coalesce(func.max(outlets.c.position), 0))
    .where(
        outlets.c.name.in_(bindparam("names", expanding=True)),
        outlets.c.position <= select(func.max(_entries.c.seq) + 1).scalar_subquery(),
        or_(outlets.c.confirmed_at.is_(None), outlets.c.confirmed_at <= bindparam("confirmed_by")),
        or_(outlets.c.next_at.is_(None), outlets.c.next_at <= bindparam("next_by")),
    )
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

    def unconfirmed_since(self, names: tuple[str, ...], now: datetime) -> datetime | None:
        """Give the time of the oldest entry that none of these outlets confirmed; None where there is none.

        One statement, since every disclosure asks; it leaves out what `Outlet.doubt` doubts.
        """
        until = {"confirmed_by": now + SLACK, "next_by": now + LONGEST_TURN + SLACK}
        row = self.db.first(_UNCONFIRMED, {"names": list(names), **until})
        return None if row is None else datetime.fromisoformat(row[0])


@dataclass(frozen=True, slots=True)
class PublishedNotes:
    """Implements `PublishedStore`."""

    db: Statements
    log: Log
    storage: Marked

    def add(self, checkpoint: Published) -> bool:
        """Keep a checkpoint; False, and nothing is changed, where one of this size was published before."""
        added = self.db.insert(published).values(asdict(checkpoint)).on_conflict_do_nothing()
        return bool(self.db.all(added.returning(published.c.size)))

    def latest(self) -> Published | None:
        """Give the largest that bears our log's signature and that the log has grown to; others are passed over."""
        return self._first(_PUBLISHED.order_by(published.c.size.desc()))

    def doubted(self) -> tuple[int, ...]:
        """Give the sizes of the rows that `latest` passed over, largest first, as many as it looks at."""
        rows = self.db.all(_PUBLISHED.order_by(published.c.size.desc()).limit(_LOOKED_AT))
        newest, size = self.latest(), self._size()
        found = [mapping.published.value(row) for row in rows]
        above = [each for each in found if newest is None or each.size > newest.size]
        return tuple(each.size for each in above if each.size > size or not self._is_ours(each))

    def mend(self, checkpoint: Published) -> bool:
        """Write a checkpoint over a row of its size that is not ours; False, and nothing is changed, where it is."""
        present = self.claim(checkpoint.size)
        if present is None or self._is_ours(present):
            return False
        self.set_note(checkpoint.size, checkpoint.note)  # the time is fixed by a trigger, and decides nothing
        return True

    def _first(self, chosen: Select[Any]) -> Published | None:
        """Give the first of some rows that is ours, among those that the log has grown to."""
        within = chosen.where(published.c.size <= self._size())
        for most in (1, _LOOKED_AT):  # nearly always the very first is
            for row in self.db.all(within.limit(most)):
                if self._is_ours(found := mapping.published.value(row)):
                    return found
        return None

    def _size(self) -> int:
        with self.db.guarded():
            return self.storage.head().size

    def _is_ours(self, row: Published) -> bool:
        try:
            return self.log.open(row.note).size == row.size
        except AuditError:
            return False

    def get(self, size: int) -> Published | None:
        """Find by size."""
        row = self.db.one(_PUBLISHED.where(published.c.size == size))
        return None if row is None else mapping.published.value(row)

    def covering(self, index: int) -> Published | None:
        """Give the smallest that has the entry of this index in it."""
        return self._first(_PUBLISHED.where(published.c.size > index).order_by(published.c.size))

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
