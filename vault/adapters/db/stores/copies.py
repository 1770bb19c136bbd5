"""The log read in order: a window of indexes a statement, bounded in entries and in what is looked through."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit import merkle
from audit.errors import AuditError
from vault.adapters.db.stores.trail import Span, entries_like, fits, moved_away
from vault.ports.copies import Leaves

if TYPE_CHECKING:
    from audit.log import Log
    from vault.adapters.db.statements import Statements
    from vault.adapters.db.stores.log import Marked
    from vault.domain.actor import Reach
    from vault.ports.records import EntryFilter

MOST: Final = 256
"""Entries a call; as wide as a tile, so that they share most of their proofs."""

WINDOW: Final = 16_384
"""Indexes that a filter is looked for in, a call."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Implements `CopyStore`."""

    db: Statements
    log: Log
    storage: Marked

    def leaves(self, wanted: EntryFilter, reach: Reach, start: int, stop: int) -> Leaves:
        """Read the next entries of a filter from index `start` on, below `stop`; perhaps none, but always further."""
        end = min(stop, start + WINDOW)
        once, is_sqlite = moved_away(self.db, reach), self.db.is_sqlite
        chosen = entries_like(wanted, reach, Span(start, end), MOST, is_sqlite=is_sqlite, once=once)
        rows = self.db.all(chosen.order_by(None).order_by(chosen.selected_columns.seq))
        read_to = rows[-1].seq + 1 if len(rows) == MOST else end
        if wanted.text or wanted.reason or wanted.ticket:
            rows = [row for row in rows if fits(json.loads(row.leaf), wanted)]
        return Leaves(tuple((row.seq, row.leaf) for row in rows), read_to)

    def proofs(self, indexes: Sequence[int], size: int) -> list[list[bytes]]:
        """Give the inclusion proof of each entry in the tree of `size`, leaf to root, by one statement."""
        with self.db.guarded():
            return merkle.prove_inclusions(indexes, size, self.storage.nodes)

    def size_of(self, checkpoint: str) -> int | None:
        """Give the size that a checkpoint of this log is of; None where this log did not sign it."""
        try:
            return self.log.open(checkpoint).size
        except AuditError:
            return None
