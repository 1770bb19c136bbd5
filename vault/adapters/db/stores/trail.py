"""Searching the log: the statement that finds entries, and what a text is looked for in.

Decided here: filters and reach are the database's work, over `audit_entry`'s projection; entries come newest
first by index, never by OFFSET. A text is found literally and without case in the values of an entry, not in
its keys: the database only narrows down (LIKE over the leaf), the entry itself decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, LargeBinary, Select, Text, cast, column, func, select, type_coerce
from sqlalchemy import table as named

from audit.entry import format_time
from vault.adapters.db import tables
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.types import Key
from vault.domain.actor import Reach
from vault.ports.records import EntryFilter

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
_UNSURE: Final = re.compile(r"[^ !#-\[\]-~]+|%|_")
"""Characters that a leaf may hold in another form (escaped, or in another case), and LIKE's own."""


def entries_like(
    wanted: EntryFilter, reach: Reach, before: int | None, limit: int, *, is_sqlite: bool
) -> Select[Any]:
    """Give the statement for the newest entries below index `before`; with a text, perhaps some too many."""
    chosen = select(_entry.seq, _entry.leaf).order_by(_entry.seq.desc()).limit(limit)
    if not reach.everything:
        mine = within(select(_account.id), reach, _account.customer_id, _account.id)
        chosen = chosen.where(_entry.account_id.in_(mine))
    if wanted.of_accounts:
        chosen = chosen.where(_entry.account_id.is_not(None))
    for place, value in (
        (_named_account, wanted.account_id),
        (_entry.actor_id, wanted.actor_id),
        (_entry.checkout_id, wanted.checkout_id),
        (_entry.event_type, wanted.type),
        (_entry.outcome, wanted.outcome),
    ):
        if value is not None:
            chosen = chosen.where(place == value)
    if wanted.since is not None:
        chosen = chosen.where(_entry.occurred_at >= format_time(wanted.since))
    if wanted.until is not None:
        chosen = chosen.where(_entry.occurred_at < format_time(wanted.until))
    if before is not None:
        chosen = chosen.where(_entry.seq < before)
    if wanted.text:
        words = cast(_entry.leaf, Text) if is_sqlite else func.convert_from(_entry.leaf, "UTF8")
        chosen = chosen.where(func.lower(words).like(rough_pattern(wanted.text)))
    return chosen


def rough_pattern(text: str) -> str:
    """Give a LIKE pattern that finds every leaf that may hold `text`, whatever its case and escapes."""
    return f"%{_UNSURE.sub('%', text.lower())}%"


def found_in(content: Mapping[str, object], text: str) -> bool:
    """Say whether `text` is in one of an entry's values."""
    wanted = text.lower()
    return any(wanted in value.lower() for value in _values(content))


def _values(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, int) and not isinstance(content, bool):
        yield str(content)
    elif isinstance(content, Mapping | list):
        for inner in content.values() if isinstance(content, Mapping) else content:
            yield from _values(inner)
