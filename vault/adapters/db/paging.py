"""Pages by key: a cursor is the last item's key, as opaque text.

Decided here: pages are found by keyset, never by OFFSET or rank, so that each costs the same. A cursor that this
list did not give out is refused. The text of a search is found literally and without case.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, literal, tuple_

from vault.adapters.db.types import Key, Moment, format_moment
from vault.errors import Invalid
from vault.ports.records import Page

T = TypeVar("T")

LIMIT_MAX: Final = 500
CURSOR_MAX: Final = 1024
LARGEST: Final = 2**63
ESCAPE: Final = "\\"


def encode_cursor(key: Sequence[str | int]) -> str:
    """Write a key as a cursor."""
    text = json.dumps(list(key), separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type[str | int]) -> tuple[Any, ...] | None:
    """Read a cursor into a key of these kinds; raise `Invalid` cursor.invalid for whatever else."""
    if cursor is None:
        return None
    if len(cursor) > CURSOR_MAX:
        raise _refused()
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = json.loads(text)
        known = isinstance(key, list) and tuple(type(each) for each in key) == kinds
        if not known or not all(_is_kept(each) for each in key) or encode_cursor(key) != cursor:
            raise _refused()
    except (ValueError, binascii.Error, RecursionError):
        raise _refused() from None
    return tuple(key)


def decode_dated(cursor: str | None) -> tuple[datetime, str] | None:
    """Read the cursor of a list that is ordered by a time and an id."""
    key = decode_cursor(cursor, str, str)
    if key is None:
        return None
    try:
        at = datetime.fromisoformat(key[0])
        again = format_moment(at)
    except (ValueError, OverflowError):
        raise _refused() from None
    if again != key[0]:
        raise _refused()
    return at, key[1]


def encode_dated(at: datetime, name: str) -> tuple[str, str]:
    """Give the key of such a list."""
    return format_moment(at), name


def before(
    at: ColumnElement[Any], name: ColumnElement[Any], key: tuple[datetime, str]
) -> ColumnElement[bool]:
    """Give the condition of rows that come after `key` where the newest come first."""
    return tuple_(at, name) < tuple_(literal(key[0], Moment), literal(key[1], Key))


def after(at: ColumnElement[Any], name: ColumnElement[Any], key: tuple[datetime, str]) -> ColumnElement[bool]:
    """Give the condition of rows that come after `key` where the oldest come first."""
    return tuple_(at, name) > tuple_(literal(key[0], Moment), literal(key[1], Key))


def limited(limit: int) -> int:
    """Give how many rows to read: one more than the page, which says whether there is a next."""
    return max(1, min(limit, LIMIT_MAX)) + 1


def page(items: Sequence[T], limit: int, key: Callable[[T], Sequence[str | int]]) -> Page[T]:
    """Cut what was read to a page with its cursor."""
    most = limited(limit) - 1
    shown = tuple(items[:most])
    return Page(shown, encode_cursor(key(shown[-1])) if len(items) > most else None)


def fold(*texts: str) -> str:
    """Give the form in which text is searched: without case, its parts on lines of their own."""
    return "\n".join(text.replace("\n", " ") for text in texts).casefold()


def pattern(wanted: str) -> str:
    """Give the LIKE pattern that finds `wanted` literally in folded text (escape with `ESCAPE`)."""
    folded = fold(wanted)
    for special in (ESCAPE, "%", "_"):
        folded = folded.replace(special, ESCAPE + special)
    return f"%{folded}%"


def _is_kept(each: str | int) -> bool:
    """Say whether a database can hold a value at all: no NUL, no number beyond 64 bits."""
    return "\0" not in each if isinstance(each, str) else abs(each) < LARGEST


def _refused() -> Invalid:
    return Invalid("cursor.invalid", "This cursor was not given out by this list; begin without one.")
