"""The log read forward by ranges of indexes; the statements and which index answers each.

Decided here: nothing is searched by time but the first index of a time (`audit_entry_by_time`). All else is a
column and a range of `seq`, which is how the other indexes of the table begin and end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, LargeBinary, Select, Text, column, func, select
from sqlalchemy import table as named

from audit.entry import decode, format_time
from audit.merkle import leaf_hash
from vault.adapters.db.errors import translated
from vault.adapters.db.statements import AnyRow, Statements
from vault.domain.event import Result
from vault.ports.ranges import Pick, Stretch
from vault.ports.records import Entry

_entries = named(
    "audit_entry",
    column("seq", BigInteger),
    column("leaf", LargeBinary),
    column("occurred_at", Text),
    column("event_type", Text),
    column("outcome", Text),
    column("actor_id", Text),
    column("account_id", Text),
    column("checkout_id", Text),
)
_entry = _entries.c
_ENTRY: Final = select(_entry.seq, _entry.leaf)
_SIZE: Final = select(_entry.seq).order_by(_entry.seq.desc()).limit(1)
_HOUR: Final = func.substr(_entry.occurred_at, 12, 2)
_NUMBER: Final = func.count()


@dataclass(frozen=True, slots=True)
class Ranges:
    """Implements `RangeStore`."""

    db: Statements

    def size(self) -> int:
        """Give the number of entries."""
        row = self.db.first(_SIZE)
        return 0 if row is None else int(row[0]) + 1

    def index_at(self, at: datetime) -> int:
        """Give the index of the earliest entry that tells a time not before `at`; the size where none does."""
        found = select(_entry.seq).where(_entry.occurred_at >= format_time(at))
        row = self.db.first(found.order_by(_entry.occurred_at, _entry.seq).limit(1))
        return self.size() if row is None else int(row[0])

    def pick(self, stretch: Stretch, wanted: Pick, limit: int) -> tuple[Entry, ...]:
        """List entries of a stretch, oldest first, at most `limit`."""
        chosen = _within(_narrowed(_ENTRY, wanted), stretch).order_by(_entry.seq)
        return _read(self.db.all(chosen.limit(limit)))

    def of_each(self, stretch: Stretch, wanted: Pick, limit: int, apart: str) -> tuple[Entry, ...]:
        """List entries of a stretch, oldest first, at most `limit` of each type and outcome.

        Those of the actor `apart` have a limit of their own. Numbered are places alone, and only the leaves of
        those within the limit are read.
        """
        place = func.row_number().over(
            partition_by=(_entry.event_type, _entry.outcome, func.coalesce(_entry.actor_id, "") == apart),
            order_by=_entry.seq,
        )
        numbered = _within(_narrowed(select(_entry.seq, place.label("place")), wanted), stretch).subquery()
        few = select(numbered.c.seq).where(numbered.c.place <= limit)
        return _read(self.db.all(_ENTRY.where(_entry.seq.in_(few)).order_by(_entry.seq)))

    def last(self, wanted: Pick, limit: int, below: int | None = None) -> tuple[Entry, ...]:
        """List the newest entries, newest first, at most `limit`; with `below`, of those before that index."""
        chosen = _narrowed(_ENTRY, wanted).order_by(_entry.seq.desc())
        if below is not None:
            chosen = chosen.where(_entry.seq < below)
        return _read(self.db.all(chosen.limit(limit)))

    def hours(self, stretch: Stretch, types: tuple[str, ...]) -> Mapping[tuple[str, int], int]:
        """Count entries of these types by type and hour of day (UTC)."""
        counted = select(_entry.event_type, _HOUR, _NUMBER).where(_entry.event_type.in_(types))
        rows = self.db.all(_within(counted, stretch).group_by(_entry.event_type, _HOUR))
        return {(row[0], int(row[1])): int(row[2]) for row in rows}

    def refusals(self, stretch: Stretch) -> int:
        """Count the entries whose outcome is a denial."""
        counted = select(_NUMBER).select_from(_entries).where(_entry.outcome == Result.DENIED.value)
        row = self.db.one(_within(counted, stretch))
        return 0 if row is None else int(row[0])

    def accounts(self, stretch: Stretch, type_: str, limit: int) -> tuple[tuple[str, int], ...]:
        """Count entries of one type by account, the most first."""
        counted = select(_entry.account_id, _NUMBER).where(
            _entry.event_type == type_, _entry.account_id.is_not(None)
        )
        grouped = _within(counted, stretch).group_by(_entry.account_id)
        rows = self.db.all(grouped.order_by(_NUMBER.desc(), _entry.account_id).limit(limit))
        return tuple((row[0], int(row[1])) for row in rows)


def _within(chosen: Select[Any], stretch: Stretch) -> Select[Any]:
    return chosen.where(_entry.seq >= stretch.first, _entry.seq < stretch.until)


def _narrowed(chosen: Select[Any], wanted: Pick) -> Select[Any]:
    if wanted.types is not None:
        chosen = chosen.where(_entry.event_type.in_(wanted.types))
    for place, value in (
        (_entry.outcome, wanted.outcome),
        (_entry.account_id, wanted.account_id),
        (_entry.actor_id, wanted.actor_id),
        (_entry.checkout_id, wanted.checkout_id),
    ):
        if value is not None:
            chosen = chosen.where(place == value)
    if wanted.not_types:
        chosen = chosen.where(func.coalesce(_entry.event_type, "").not_in(wanted.not_types))
    if wanted.not_outcomes:
        chosen = chosen.where(func.coalesce(_entry.outcome, "").not_in(wanted.not_outcomes))
    return chosen


def _read(rows: Iterable[AnyRow]) -> tuple[Entry, ...]:
    with translated():
        return tuple(
            Entry(row.seq, leaf_hash(row.leaf).hex(), bytes(row.leaf), decode(bytes(row.leaf)))
            for row in rows
        )
