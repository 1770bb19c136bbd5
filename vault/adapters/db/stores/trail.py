"""Searching the log: the statements that find entries, and what makes an entry fit.

Decided here: filters and reach are the database's work, over `audit_entry`'s projection; entries come newest
first by index, never by OFFSET. A text is found literally and without case in the values of an entry, not in
its keys: the database only narrows down (LIKE over the leaf), the entry itself decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy import table as named

from audit.entry import decode, format_time
from audit.merkle import leaf_hash
from vault.adapters.db import tables, tenures
from vault.adapters.db.errors import translated
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.stores.words import values
from vault.adapters.db.types import Key
from vault.domain.actor import Reach
from vault.ports.records import Entry, EntryFilter

_entries = named(
    "audit_entry",
    column("seq", BigInteger),
    column("leaf", LargeBinary),
    column("occurred_at", Text),
    column("event_type", Text),
    column("outcome", Text),
    column("actor_id", Text),
    column("account_id", Key),
    column("checkout_id", Text),
)
_entry = _entries.c
_named_account = type_coerce(_entry.account_id, Text)
"""Compared as the log's own indexes compare: a `Key`'s collation would make PostgreSQL pass them by."""
_account = tables.account.c
_tenure = tenures.account_tenure.c
_UNSURE: Final = re.compile(r"[^ !#-\[\]-~]+|%|_")
"""Characters that a leaf may hold in another form (escaped, or in another case), and LIKE's own."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where to look: indexes from `start` on and below `stop` (None: no end), or only among `seqs`."""

    start: int = 0
    stop: int | None = None
    seqs: Sequence[int] | None = None


def entries_like(
    wanted: EntryFilter, reach: Reach, span: Span, limit: int, *, is_sqlite: bool, once: bool
) -> Select[Any]:
    """Give the statement for the newest entries of a span; by text, reason and ticket perhaps some too many.

    `once`: some accounts were once of a customer within reach (`moved_away`), and their entries of that time are meant.
    """
    chosen = select(_entry.seq, _entry.leaf).order_by(_entry.seq.desc()).limit(limit)
    if not reach.everything:
        mine = within(select(_account.id), reach, _account.customer_id, _account.id)
        near = _entry.account_id.in_(mine)
        chosen = chosen.where(or_(near, _was_theirs(reach, is_sqlite=is_sqlite)) if once else near)
    if wanted.of_accounts:
        chosen = chosen.where(_entry.account_id.is_not(None))
    for place, value in (
        (_named_account, wanted.account_id),
        (_entry.actor_id, wanted.actor_id),
        (_entry.checkout_id, wanted.checkout_id),
    ):
        if value is not None:
            chosen = chosen.where(place == value)
    for place, several in ((_entry.event_type, wanted.any_type), (_entry.outcome, wanted.any_outcome)):
        if several:
            chosen = chosen.where(place == several[0] if len(several) == 1 else place.in_(several))
    if wanted.not_types:
        chosen = chosen.where(_entry.event_type.not_in(wanted.not_types))
    if wanted.since is not None:
        chosen = chosen.where(_entry.occurred_at >= format_time(wanted.since))
    if wanted.until is not None:
        chosen = chosen.where(_entry.occurred_at < format_time(wanted.until))
    for text in (wanted.text, wanted.reason, wanted.ticket):
        if text:
            words = cast(_entry.leaf, Text) if is_sqlite else func.convert_from(_entry.leaf, "UTF8")
            chosen = chosen.where(func.lower(words).like(rough_pattern(text)))
    return _spanned(chosen, span)


def _spanned(chosen: Select[Any], span: Span) -> Select[Any]:
    if span.start > 0:
        chosen = chosen.where(_entry.seq >= span.start)
    if span.stop is not None:
        chosen = chosen.where(_entry.seq < span.stop)
    if span.seqs is not None:
        chosen = chosen.where(_entry.seq.in_(span.seqs))
    return chosen


def rough_pattern(text: str) -> str:
    """Give a LIKE pattern that finds every leaf that may hold `text`, whatever its case and escapes."""
    return f"%{_UNSURE.sub('%', text.lower())}%"


def fits(content: Mapping[str, object], wanted: EntryFilter) -> bool:
    """Say whether an entry is what was asked for by text, reason and ticket: its own words decide."""
    reason = content.get("reason")
    stated: Mapping[str, object] = reason if isinstance(reason, Mapping) else {}
    return (
        (not wanted.text or found_in(content, wanted.text))
        and (wanted.reason is None or wanted.reason == stated.get("code"))
        and (wanted.ticket is None or wanted.ticket == stated.get("ticket"))
    )


def found_in(content: Mapping[str, object], text: str) -> bool:
    """Say whether `text` is in one of an entry's values."""
    wanted = text.lower()
    return any(wanted in value.lower() for value in values(content))


def accounts_in(reach: Reach, most: int, *, once: bool) -> Select[Any]:
    """Give the statement for the accounts of a reach, with `once` also those that moved away; at most so many."""
    mine = within(select(_account.id), reach, _account.customer_id, _account.id)
    if not once:
        return mine.limit(most)
    gone = select(_tenure.account_id).where(_tenure.customer_id.in_(sorted(reach.customers)))
    return select(mine.union(gone).subquery().c[0]).limit(most)


def moved_away(db: Statements, reach: Reach) -> bool:
    """Say whether any account was once of a customer within reach: of few customers, so that others pay nothing."""
    if reach.everything or not reach.customers:
        return False
    chosen = select(_tenure.account_id).where(_tenure.customer_id.in_(sorted(reach.customers))).limit(1)
    return db.one(chosen) is not None


def _was_theirs(reach: Reach, *, is_sqlite: bool) -> ColumnElement[bool]:
    """Say that an entry is of the time in which its account was of one of a reach's customers (D1)."""
    since, until = (_as_leaf(each, is_sqlite=is_sqlite) for each in (_tenure.since, _tenure.until))
    return exists().where(
        _tenure.account_id == _entry.account_id,
        _tenure.customer_id.in_(sorted(reach.customers)),
        _entry.occurred_at >= since,
        _entry.occurred_at <= until,
    )


def _as_leaf(moment: ColumnElement[Any], *, is_sqlite: bool) -> ColumnElement[str]:
    """Write a time as leaves have it, in the database."""
    if is_sqlite:
        return cast(moment, Text)
    return func.to_char(func.timezone("UTC", moment), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')


def entry_of(index: int, leaf: bytes) -> Entry:
    """Read an entry of its exact bytes."""
    with translated():
        return Entry(index, leaf_hash(leaf).hex(), leaf, decode(leaf))
