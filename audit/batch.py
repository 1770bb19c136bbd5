"""Many leaves at once: the plain case of an examination, which is nearly every case, without a call for each.

Decided here: nothing. What is accepted here is what `audit.entry` accepts, and what is not is read again there,
one leaf after the other, to say which it is and why. So a mistake here could cost time, or accept too much; a
test holds both readings, and a third one that is written from the document, against each other.

How: all leaves of a tile are parsed and written again in one go; keys, kinds and depths are looked at level by
level, all objects of a level together; ids, times and hashes are matched as one text with a line for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from audit.entry import (
    DEEPEST,
    LONGEST,
    REASON_LONGEST,
    VERSION,
    JsonObject,
    check_reason,
    is_key,
    parse,
    write,
)
from audit.errors import EntryRefused

_PLAIN: Final = frozenset({int, bool, type(None), dict, list})  # and text; what is missing is a fraction
_MEMBERS: Final = itemgetter("v", "seq", "log", "id", "time", "type", "outcome", "actor")
_FIRST: Final = {"id", "seq"}
_LATER: Final = {"id", "seq", "prev"}
_UUID: Final = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh\n"
_VERSION_AT: Final = 14
_VARIANT_AT: Final = 19
_TIME: Final = b"dddd-dd-ddTdd:dd:dd.ddddddZ\n"
_HASH: Final = b"h" * 64 + b"\n"


def _classes(kept: bytes, **classes: bytes) -> bytes:
    """Return a table for `bytes.translate`: each class as its letter, what is kept as it is, the rest as `?`."""
    letters = {byte: ord(letter) for letter, members in classes.items() for byte in members}
    return bytes(letters.get(byte, byte if byte in kept else ord("?")) for byte in range(256))


_HEX: Final = _classes(b"-\n", h=b"0123456789abcdef")
_DIGITS: Final = _classes(b"-:.TZ\n", d=b"0123456789")


def read_leaves(leaves: Sequence[bytes], log: str, first: int) -> list[JsonObject] | None:
    """Return the members of consecutive leaves, None if one of them may be wrong.

    Of those returned each is canonical, has the members of every leaf, is of this `log`, and says that it is in
    the place it has, from `first` on. Nothing is said of accounts' chains.
    """
    try:
        read: list[Any] = [parse(leaf) for leaf in leaves]
        if [write(members) for members in read] != leaves:
            return None
        rows = [_MEMBERS(members) for members in read]
        is_plain = _are_plain(read) and _are_in_bounds(leaves, read) and _are_complete(rows, log, first)
        return read if is_plain and _have_places([members.get("account") for members in read]) else None
    except (EntryRefused, ValueError, TypeError, KeyError):
        return None


def _are_plain(level: list[Any]) -> bool:
    """Tell whether keys are of the alphabet, values neither fractions nor too deep; of a parser's objects."""
    lists: list[Any] = []
    for _ in range(DEEPEST):
        if not all(map(is_key, set[str]().union(*level))):
            return False
        inner = [value for each in level for value in each.values() if value.__class__ is not str]
        if lists:
            inner += [value for each in lists for value in each if value.__class__ is not str]
        kinds = set(map(type, inner))
        if not kinds <= _PLAIN:
            return False
        level = [value for value in inner if value.__class__ is dict] if dict in kinds else []
        lists = [value for value in inner if value.__class__ is list] if list in kinds else []
        if not level and not lists:
            return True
    return False


def _are_in_bounds(leaves: Sequence[bytes], read: list[Any]) -> bool:
    """Tell whether no leaf is too long, nor its reason, nor may a text hold U+0000; raise for a long reason."""
    longest = max(map(len, leaves))
    if longest > REASON_LONGEST:
        for leaf, members in zip(leaves, read, strict=True):
            if len(leaf) > REASON_LONGEST:
                check_reason(members)
    escaped = [leaf for leaf in leaves if b"\\" in leaf]
    return longest <= LONGEST and not any(b"\\u0000" in leaf for leaf in escaped)


def _are_complete(rows: list[tuple[Any, ...]], log: str, first: int) -> bool:
    """Tell whether the members that every leaf has are what they must be."""
    versions, places, logs, ids, times, types, outcomes, actors = zip(*rows, strict=True)
    return (
        set(map(type, versions)) == set(map(type, places)) == {int}
        and set(versions) == {VERSION}
        and places == tuple(range(first, first + len(rows)))
        and set(logs) == {log}
        and set(map(type, types)) == set(map(type, outcomes)) == {str}
        and "" not in types
        and "" not in outcomes
        and set(map(type, actors)) == {dict}
        and _lines(times).translate(_DIGITS) == _TIME * len(times)
        and _are_uuids(_lines(ids), len(ids))
    )


def _have_places(accounts: list[Any]) -> bool:
    """Tell whether what leaves say of their account has the form of a place; None is the place of none."""
    kept = [account for account in accounts if account is not None]
    later = [account for account in kept if account["seq"]]
    return (
        set(map(type, map(itemgetter("seq"), kept))) <= {int}
        and all(account["id"].__class__ is str and account["id"] for account in kept)
        and all(account["seq"] > 0 and account.keys() == _LATER for account in later)
        and (len(later) == len(kept) or all(account["seq"] or account.keys() == _FIRST for account in kept))
        and _lines([account["prev"] for account in later]).translate(_HEX) == _HASH * len(later)
    )


def _are_uuids(lines: bytes, count: int) -> bool:
    """Tell whether lines are random UUIDs (version 4)."""
    step = len(_UUID)
    return (
        lines.translate(_HEX) == _UUID * count
        and lines[_VERSION_AT::step] == b"4" * count
        and set(lines[_VARIANT_AT::step]) <= set(b"89ab")
    )


def _lines(texts: Sequence[str]) -> bytes:
    """Join texts, a newline after each; one that brings its own makes more lines than there are texts."""
    return "\n".join([*texts, ""]).encode()
