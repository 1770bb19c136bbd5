"""The search index: which entries hold which three letters, and which values that people filter by.

The log is cut into parts of 4,096 entries. Of each full part the index holds one row for each *term* in it: the set
of entries that have it, as a list of 16-bit numbers while they are few, else as a bitmap of 512 bytes. A term is
three characters that follow each other in some value of an entry, in small letters; or a value that has a filter
(type, outcome, actor, account, reason, ticket). A search reads the rows of its terms and ands them: so it costs
the same for every combination of filters, however rare what they have in common.

Decided here: the index is fed behind the append, never in it, and is never believed. It only says where to look;
what is found is read from the leaves, and `differing` makes the whole index again to find what was hidden in it.
Whoever reads must also look at the entries behind the last indexed part. Never done here: deciding who sees what.

Two plain tables serve both databases alike, without extensions:

    audit_words_part   part, and the first and last time in it: a search in a time passes by whole parts
    audit_words        part, term, entries
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Integer,
    LargeBinary,
    Text,
    bindparam,
    column,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy import table as named

from vault.adapters.db.statements import Statements
from vault.ports.words import IndexPart

PART: Final = 4_096
"""Entries in a part. So many at most, and what the worker is behind, are looked through without the index."""
GRAM: Final = 3
"""The shortest text that the index finds."""
_FEW: Final = 128
_BITMAP: Final = PART // 8
_BITS: Final = 21

parts = named("audit_words_part", column("part", Integer), column("first_at", Text), column("last_at", Text))
rows = named(
    "audit_words", column("part", Integer), column("term", BigInteger), column("entries", LargeBinary)
)
_LEAVES: Final = text("SELECT seq, leaf FROM audit_entry WHERE seq >= :start AND seq < :stop ORDER BY seq")
_SIZE: Final = text("SELECT size FROM audit_head")
_INDEXED: Final = select(func.max(parts.c.part))
_ADD_PART: Final = insert(parts)
_ADD_ROWS: Final = insert(rows)
_OF_PART: Final = select(rows.c.term, rows.c.entries).where(rows.c.part == bindparam("at"))
_PART: Final = select(parts.c.first_at, parts.c.last_at).where(parts.c.part == bindparam("at"))


@dataclass(frozen=True, slots=True)
class Words:
    """Implements `WordStore`."""

    db: Statements

    def indexed(self) -> int:
        """Give how many entries from the first on are indexed."""
        row = self.db.one(_INDEXED)
        return 0 if row is None or row[0] is None else (int(row[0]) + 1) * PART

    def due(self) -> IndexPart | None:
        """Read the next part that is full and not indexed, None where there is none."""
        start = self.indexed()
        return self._read(start // PART) if start + PART <= self._size() else None

    def add(self, part: IndexPart) -> bool:
        """Keep a part; False where another worker has just done so."""
        if self.indexed() != part.number * PART:
            return False
        self.db.change(_ADD_PART, {"part": part.number, "first_at": part.first_at, "last_at": part.last_at})
        made = [
            {"part": part.number, "term": term, "entries": part.entries[term]}
            for term in sorted(part.entries)
        ]
        if made:
            self.db.change(_ADD_ROWS, made)
        return True

    def clear(self) -> None:
        """Forget the whole index; it is made again from the log."""
        self.db.change(delete(rows))
        self.db.change(delete(parts))

    def differing(self) -> Iterator[int]:
        """Make each indexed part again, and give the numbers of those that differ from what is kept."""
        for number in range(self.indexed() // PART):
            made = self._read(number)
            kept = {row.term: bytes(row.entries) for row in self.db.all(_OF_PART, {"at": number})}
            times = self.db.first(_PART, {"at": number})
            if kept != made.entries or times is None or tuple(times) != (made.first_at, made.last_at):
                yield number

    def _size(self) -> int:
        row = self.db.one(_SIZE)
        return 0 if row is None else int(row[0])

    def _read(self, number: int) -> IndexPart:
        start = number * PART
        found = self.db.all(_LEAVES, {"start": start, "stop": start + PART})
        return made_of(number, [(row.seq - start, bytes(row.leaf)) for row in found])


def made_of(number: int, leaves: list[tuple[int, bytes]]) -> IndexPart:
    """Make a part of its leaves, each with its place in the part; one that cannot be read has no terms."""
    having: defaultdict[str | int, list[int]] = defaultdict(list)
    times: list[str] = []
    for place, leaf in leaves:
        content = _content(leaf)
        for term in terms_of(content):
            having[term].append(place)
        time = content.get("time")
        if isinstance(time, str):
            times.append(time)
    entries = {
        gram_of(term) if isinstance(term, str) else term: encode(places) for term, places in having.items()
    }
    return IndexPart(number, min(times, default=""), max(times, default=""), entries)


def terms_of(content: Mapping[str, Any]) -> set[str | int]:
    """Give an entry's terms: the three letters of its values as text, the facets as numbers."""
    terms: set[str | int] = set()
    for value in values(content):
        folded = value.lower()
        terms.update([folded[at : at + GRAM] for at in range(len(folded) - GRAM + 1)])
    terms.update(facet(name, value) for name, value in facets(content))
    return terms


def grams(wanted: str, most: int) -> list[int]:
    """Give the terms of a text that is searched, at most so many, from all over it."""
    folded = wanted.lower()
    found = list(dict.fromkeys(folded[at : at + GRAM] for at in range(len(folded) - GRAM + 1)))
    step = max(1, -(-len(found) // most))
    return [gram_of(each) for each in found[::step]]


def gram_of(gram: str) -> int:
    """Give three characters as one number; no two have the same."""
    first, second, third = map(ord, gram)
    return (first << 2 * _BITS) | (second << _BITS) | third


@lru_cache(maxsize=20_000)
def facet(name: str, value: str) -> int:
    """Give the term of a value that has a filter: below nought, so that it is never three letters'."""
    digest = hashlib.sha256(f"{name}={value}".encode("utf-8", "surrogatepass")).digest()
    return -1 - (int.from_bytes(digest[:8], "big") >> 2)


def facets(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give what can be filtered by, as (name, value); "account" alone says that there is one."""
    for name in ("type", "outcome"):
        yield name, str(content.get(name))
    actor, account, reason = (content.get(name) for name in ("actor", "account", "reason"))
    if isinstance(actor, Mapping):
        yield "actor", str(actor.get("id"))
    if isinstance(account, Mapping):
        yield "account", str(account.get("id"))
        yield "account", ""
    if isinstance(reason, Mapping):
        yield "reason", str(reason.get("code"))
        yield "ticket", str(reason.get("ticket"))


def values(content: object) -> Iterator[str]:
    """Give an entry's values, not its keys: texts, and whole numbers as they are written."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, int) and not isinstance(content, bool):
        yield str(content)
    elif isinstance(content, Mapping | list):
        for inner in content.values() if isinstance(content, Mapping) else content:
            yield from values(inner)


def encode(places: list[int]) -> bytes:
    """Write a set of places in a part: few as numbers of 16 bits, many as a bitmap."""
    if len(places) <= _FEW:
        return struct.pack(f"<{len(places)}H", *places)
    bitmap = bytearray(_BITMAP)
    for place in places:
        bitmap[place >> 3] |= 1 << (place & 7)
    return bytes(bitmap)


def mask(written: bytes) -> int:
    """Read a set of places as a number with those bits set; what cannot be read is the empty set."""
    if len(written) == _BITMAP:
        return int.from_bytes(written, "little")
    bitmap = bytearray(_BITMAP)
    for (place,) in struct.iter_unpack("<H", written[: len(written) & ~1]):
        if place < PART:
            bitmap[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(bitmap, "little")


def _content(leaf: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(leaf)
    except (ValueError, RecursionError):  # the examination of the log tells of it
        return {}
    return content if isinstance(content, Mapping) else {}
