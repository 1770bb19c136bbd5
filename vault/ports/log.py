"""What is asked of the audit log: written and read in the unit's own transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.actor import Reach
from vault.domain.credential import PartKind, Version
from vault.domain.event import Event
from vault.ports.records import Entry, EntryFilter, Page, Promotion, Receipt, Repeat, Slice


class LogStore(Protocol):
    """The audit log, written and read in the unit's own transaction."""

    def record(self, event: Event, now: datetime) -> Receipt:
        """Append an entry; with an Idempotency-Key, a success claims the key in the same transaction."""
        ...

    def promotion(self, account_id: str, kind: PartKind) -> Promotion | None:
        """Give the latest promotion of a part, proven against the signed head and the mark (S10)."""
        ...

    def current(self, account_id: str, kind: PartKind) -> tuple[Version | None, Promotion | None]:
        """Give the version labelled current, and beside it what `promotion` gives, as of one moment.

        That both name the same is for the caller to see.
        """
        ...

    def page(self, wanted: EntryFilter, reach: Reach, part: Slice) -> Page[Entry]:
        """List entries newest first; with a limited `reach`, those of its accounts only."""
        ...

    def search(self, wanted: EntryFilter, reach: Reach, part: Slice) -> Page[Entry]:
        """As `page`, within a budget: a page that it ended tells how far it `reached`, and `next` goes on there."""
        ...

    def proven(self, index: int) -> Entry | None:
        """Find one by index, proven to be in the tree that our signature on the head covers.

        Whether that head is behind its mark is for `Unit.check_mark`, first in the unit.
        Raises `Unavailable` log.rolled_back where it is not there.
        """
        ...

    def entry(self, index: int) -> Entry | None:
        """Find one by index."""
        ...

    def checkpoint(self) -> str:
        """Give the latest signed note."""
        ...

    def tile(self, path: str) -> bytes | None:
        """Give a tile or an entry bundle by its path (C2SP tlog-tiles), None where there is none."""
        ...

    def proof(self, index: int) -> str | None:
        """Give an entry's receipt as c2sp.org/tlog-proof text."""
        ...

    def consistency(self, old: int, new: int) -> tuple[bytes, ...] | None:
        """Give the proof that the tree of `old` entries is a prefix of that of `new`."""
        ...

    def receipt(self, index: int) -> Receipt | None:
        """Give an entry's receipt anew, under the present checkpoint."""
        ...

    def repeated(self, actor_id: str, key: str) -> Repeat | None:
        """Find what an Idempotency-Key was used for."""
        ...
