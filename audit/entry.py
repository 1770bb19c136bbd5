"""The canonical bytes of one event: what is hashed, signed for, stored and exported, byte for byte.

A leaf is one JSON object in the form of RFC 8785 (keys sorted, no white space, shortest escapes, UTF-8),
restricted so that no two parsers can differ on it:

    keys      [a-z][a-z0-9_]*, so that sorting by bytes and by UTF-16 units is the same
    values    text, integers of at most 2**53 - 1 in size, true, false, null, arrays, objects; no fractions
    text      any Unicode scalar values but U+0000, which PostgreSQL's JSON cannot hold
    time      YYYY-MM-DDTHH:MM:SS.ffffffZ
    bounds    2 to 65,535 bytes (an entry bundle counts them in sixteen bits), 12 levels deep

Members; those without a value are left out, never null:

    v         1                                 log       the log's origin
    seq       index of the leaf, from 0         id        a random UUID (version 4): it also blinds the hash
    time      when it happened                  type      what happened, as `secret.reveal.released`
    outcome   how it ended                      actor     who: an object
    account   {"id", "seq", "prev"}: `seq` counts the account's own entries from 0, `prev` is the hex leaf
              hash of the account's entry before this one and is absent in the first. An extract of one
              account is therefore provably complete.
    checkout, req                               text
    reason, approval, secret, policy, app, detail   objects
    changes   [{"entity", "id", "from", "to"}]: state changes, so that state can be replayed from the log
    kms       [{"purpose", "operation", "key", "request_id", "outcome"}]: calls of a key service

Decided here: these bytes. Never in a leaf: a secret, a seed, a code, a session token, or any function of a
password; a leaf names a secret by version and ciphertext hash. Nothing ever re-encodes a leaf in order to
prove something: `decode` re-encodes only to refuse what `encode` would not have written.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import orjson

from audit.errors import EntryRefused

JsonValue: TypeAlias = "str | int | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"

VERSION: Final = 1
LONGEST: Final = 65_535
DEEPEST: Final = 12
LARGEST: Final = 2**53 - 1
REASON_LONGEST: Final = 2_000

_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")
_UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_FORM: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
parse: Final[Callable[[bytes], Any]] = orjson.loads


@dataclass(frozen=True, slots=True)
class Draft:
    """One event before it has a place in a log; `time` is aware and in UTC."""

    id: str
    time: datetime
    type: str
    outcome: str
    actor: Mapping[str, JsonValue]
    account: str | None = None
    checkout: str | None = None
    reason: Mapping[str, JsonValue] | None = None
    approval: Mapping[str, JsonValue] | None = None
    secret: Mapping[str, JsonValue] | None = None
    policy: Mapping[str, JsonValue] | None = None
    req: str | None = None
    app: Mapping[str, JsonValue] | None = None
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    changes: Sequence[Mapping[str, JsonValue]] = ()
    kms: Sequence[Mapping[str, JsonValue]] = ()


def encode(draft: Draft, log: str, seq: int, account_seq: int | None, account_prev: bytes | None) -> bytes:
    """Give a draft its place and return its leaf.

    `account_seq` and `account_prev` (the 32-byte leaf hash before) are the place among the account's own
    entries; both are ignored for a draft without an account. Raises `EntryRefused`, before anything was
    written, for whatever a leaf cannot hold.
    """
    members: dict[str, object] = {
        "v": VERSION,
        "log": log,
        "seq": seq,
        "id": draft.id,
        "time": format_time(draft.time),
        "type": draft.type,
        "outcome": draft.outcome,
        "actor": draft.actor,
    }
    if draft.account is not None:
        account: dict[str, object] = {"id": draft.account, "seq": account_seq}
        if account_prev is not None:
            account["prev"] = account_prev.hex()
        members["account"] = account
    for name in ("checkout", "reason", "approval", "secret", "policy", "req", "app"):
        value = getattr(draft, name)
        if value is not None:
            members[name] = value
    for name in ("detail", "changes", "kms"):
        value = getattr(draft, name)
        if value:
            members[name] = value
    plain = {name: _plain(value, name, 2) for name, value in members.items()}
    check_members(plain)
    leaf = write(plain)
    if len(leaf) > LONGEST:
        raise EntryRefused(
            "entry.too_long", f"the entry has {len(leaf)} bytes, at most {LONGEST} are allowed"
        )
    return leaf


def decode(leaf: bytes) -> JsonObject:
    """Read a leaf, or raise `EntryRefused` if `encode` would have written other bytes.

    Refuses duplicate or unsorted keys, white space, fractions, NaN, lone surrogates, other escapes than the
    shortest, other keys than the alphabet's, too great numbers, depth and length. Says nothing about which
    members there are: that is `check_members`.
    """
    if len(leaf) > LONGEST:
        raise EntryRefused("entry.too_long", f"the leaf has {len(leaf)} bytes, at most {LONGEST} are allowed")
    try:
        value = parse(leaf)
    except (
        ValueError
    ):  # not JSON, not UTF-8, half of a surrogate pair, or nested beyond the parser's own limit
        raise EntryRefused("entry.not_canonical", "the leaf is not JSON of the allowed kind") from None
    if not isinstance(value, dict):
        raise EntryRefused("entry.not_canonical", "the leaf is not one JSON object")
    _check(value, 1)
    if b"\\u0000" in leaf:  # rare, and then perhaps only an escaped backslash: look closely
        _plain(value, "the leaf", 1)
    again = write(value)
    if again != leaf:
        raise EntryRefused("entry.not_canonical", "the leaf is JSON, but not in its one canonical form")
    return value


def check_members(members: Mapping[str, JsonValue]) -> None:
    """Raise `EntryRefused` unless the members that every leaf has are there and of their kind."""
    for name, is_sound in _MEMBERS.items():
        if not is_sound(members.get(name)):
            raise EntryRefused("entry.member", f"the member {name!r} is missing or not of its kind")
    check_reason(members)


def check_reason(members: Mapping[str, JsonValue]) -> None:
    """Raise `EntryRefused` if the text of the reason is too long; another kind of reason is none."""
    reason = members.get("reason")
    text = reason.get("text") if isinstance(reason, Mapping) else None
    if isinstance(text, str) and len(text) > REASON_LONGEST:
        words = f"the reason has {len(text)} characters, at most {REASON_LONGEST} are allowed"
        raise EntryRefused("entry.reason_too_long", words)


def format_time(time: datetime) -> str:
    """Write a moment with six decimals and Z; raise `EntryRefused` if it is naive or not in UTC."""
    if time.utcoffset() != timedelta(0):
        raise EntryRefused("entry.time", "the time of an entry must be aware and in UTC")
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def write(members: Mapping[str, object]) -> bytes:
    """Write canonical JSON; the caller checks the values, but for halves of surrogate pairs and great numbers."""
    try:
        return orjson.dumps(members, None, _FORM)
    except TypeError:
        raise EntryRefused("entry.text", "a text of the entry holds half of a surrogate pair") from None


def _plain(value: object, place: str, depth: int) -> JsonValue:
    """Copy a value into the types that JSON has, refusing what a leaf cannot hold."""
    if isinstance(value, str):
        if "\0" in value:
            raise EntryRefused("entry.text", f"a text in {place} holds the character U+0000")
        return str(value)  # an enumeration's member becomes the plain text it stands for
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -LARGEST <= value <= LARGEST:
            raise EntryRefused("entry.number", f"a number in {place} is beyond 2**53 - 1")
        return int(value)
    if depth > DEEPEST:
        raise EntryRefused("entry.too_deep", f"{place} is nested deeper than {DEEPEST} levels")
    if isinstance(value, (list, tuple)):
        return [_plain(inner, place, depth + 1) for inner in value]
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and is_key(key) for key in value):
            raise EntryRefused("entry.key", f"a key in {place} is outside [a-z][a-z0-9_]*")
        return {str(key): _plain(inner, place, depth + 1) for key, inner in value.items()}
    raise EntryRefused("entry.kind", f"a value in {place} is of a type that a leaf cannot hold")


def _check(value: JsonValue, depth: int) -> None:
    """Refuse, in what a parser made of a leaf, what `_plain` would not have let through; text aside."""
    if isinstance(value, dict):
        if depth > DEEPEST:
            raise EntryRefused("entry.too_deep", f"the leaf is nested deeper than {DEEPEST} levels")
        for key, inner in value.items():
            if not is_key(key):
                raise EntryRefused("entry.key", "a key of the leaf is outside [a-z][a-z0-9_]*")
            if not isinstance(inner, str):
                _check(inner, depth + 1)
    elif isinstance(value, list):
        if depth > DEEPEST:
            raise EntryRefused("entry.too_deep", f"the leaf is nested deeper than {DEEPEST} levels")
        for inner in value:
            if not isinstance(inner, str):
                _check(inner, depth + 1)
    elif isinstance(value, float):
        raise EntryRefused("entry.not_canonical", "a number of the leaf is a fraction, or beyond 2**53 - 1")
    elif isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        raise EntryRefused("entry.number", "a number of the leaf is beyond 2**53 - 1")


@functools.lru_cache(maxsize=4096)
def is_key(key: str) -> bool:
    """Tell whether a key is in the alphabet; remembered, because a log uses the same few over and over."""
    return _KEY.fullmatch(key) is not None


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_object(value: JsonValue) -> bool:
    return isinstance(value, dict)


def _is_account(value: JsonValue) -> bool:
    """Accept {"id", "seq", "prev"} where `prev` is there exactly if `seq` is not nought; or nothing."""
    if value is None:
        return True
    if not isinstance(value, dict) or not _is_text(value.get("id")) or not _is_count(value.get("seq")):
        return False
    if value["seq"] == 0:
        return value.keys() == {"id", "seq"}
    return value.keys() == {"id", "seq", "prev"} and _matches(_HASH, value["prev"])


def _matches(pattern: re.Pattern[str], value: JsonValue) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_MEMBERS: Final[Mapping[str, Callable[[JsonValue], bool]]] = {
    "v": lambda value: value == VERSION and not isinstance(value, bool),
    "log": _is_text,
    "seq": _is_count,
    "id": functools.partial(_matches, _UUID4),
    "time": functools.partial(_matches, _TIME),
    "type": _is_text,
    "outcome": _is_text,
    "actor": _is_object,
    "account": _is_account,
}
