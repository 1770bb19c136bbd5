"""Leaves: one canonical form, and nothing else is read."""

from __future__ import annotations

import dataclasses
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.entry import LARGEST, LONGEST, Draft, check_members, decode, encode
from audit.errors import EntryRefused
from tests.unit.audit.world import ORIGIN, draft

if TYPE_CHECKING:
    from audit.entry import JsonValue

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
PREVIOUS = bytes(range(32))


def leaf_of(members: dict[str, object]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_leaf_holds_what_the_draft_says_and_its_place() -> None:
    event = Draft(
        id="0b5f2c1e-7a40-4c1e-9d7e-1f2a3b4c5d6e",
        time=datetime(2026, 11, 21, 2, 41, 49, 7, tzinfo=UTC),
        type="secret.reveal.authorized",
        outcome="success",
        actor={"id": "person-1"},
        account="100000000000",
        kms=[{"purpose": "reveal", "request_id": ""}],
    )
    assert encode(event, "log.example/audit", 9, 4, PREVIOUS) == (
        b'{"account":{"id":"100000000000","prev":"' + PREVIOUS.hex().encode() + b'","seq":4},'
        b'"actor":{"id":"person-1"},"id":"0b5f2c1e-7a40-4c1e-9d7e-1f2a3b4c5d6e",'
        b'"kms":[{"purpose":"reveal","request_id":""}],"log":"log.example/audit","outcome":"success","seq":9,'
        b'"time":"2026-11-21T02:41:49.000007Z","type":"secret.reveal.authorized","v":1}'
    )


def test_what_a_draft_leaves_out_is_not_in_the_leaf() -> None:
    members = decode(encode(draft(), ORIGIN, 0, None, None))
    assert members.keys() == {"v", "log", "seq", "id", "time", "type", "outcome", "actor"}


def test_the_first_entry_of_an_account_has_no_previous() -> None:
    members = decode(encode(draft(account="100000000000"), ORIGIN, 0, 0, None))
    assert members["account"] == {"id": "100000000000", "seq": 0}


@given(detail=st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_is_encoded_is_decoded(detail: dict[str, JsonValue]) -> None:
    event = dataclasses.replace(draft(), detail=detail)
    assert decode(encode(event, ORIGIN, 3, None, None)).get("detail", {}) == detail


@given(st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_is_read_is_canonical_or_refused(content: bytes) -> None:
    try:
        members = decode(content)
    except EntryRefused:
        return
    assert leaf_of(dict(members)) == content


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"1",
        b"[]",
        b'"text"',
        b"null",
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b' {"a":1}',
        b'{"a":1}\n',
        b'{"a":1}{"a":1}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":01}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"A":1}',
        b'{"":1}',
        b'{"1a":1}',
        b'{"a-b":1}',
        '{"é":1}'.encode(),
        b'{"a":{"B":1}}',
        b'{"a":[{"B":1}]}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\u000A"}',
        b'{"a":"\\u001F"}',
        b'{"a":"\\u00e9"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\ud83d\\ude00"}',
        b'{"a":"\\u0000"}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\x80"}',
        b'{"a":"\x01"}',
        b'{"a":' + b"[" * 12 + b"]" * 12 + b"}",
        b'{"a":' * 13 + b"1" + b"}" * 13,
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"a":"' + b"x" * LONGEST + b'"}',
    ],
)
def test_another_form_than_the_canonical_is_refused(leaf: bytes) -> None:
    with pytest.raises(EntryRefused):
        decode(leaf)


@pytest.mark.parametrize(
    "leaf",
    [
        b"{}",
        b'{"a":[]}',
        b'{"a":9007199254740991,"b":-9007199254740991}',
        b'{"a":"\\\\u0000"}',
        b'{"a":"\\u0001\\b\\t\\n\\f\\r\\"\\\\/"}',
        '{"a":"é\u2028\U0001f600\x7f"}'.encode(),
        b'{"a":' + b"[" * 11 + b"]" * 11 + b"}",
    ],
)
def test_the_canonical_form_is_read(leaf: bytes) -> None:
    assert leaf_of(dict(decode(leaf))) == leaf


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"detail": {"text": "half \ud800"}}, "entry.text"),
        ({"detail": {"text": "nought \0"}}, "entry.text"),
        ({"detail": {"ratio": 0.5}}, "entry.kind"),
        ({"detail": {"nan": float("nan")}}, "entry.kind"),
        ({"detail": {"raw": b"bytes"}}, "entry.kind"),
        ({"detail": {"count": 2**53}}, "entry.number"),
        ({"detail": {"Key": 1}}, "entry.key"),
        ({"actor": {"id": "a", "": 1}}, "entry.key"),
        ({"reason": {"text": "x" * 2001}}, "entry.reason_too_long"),
        ({"detail": {"text": "x" * LONGEST}}, "entry.too_long"),
        ({"time": datetime(2026, 11, 21)}, "entry.time"),  # noqa: DTZ001 - a naive time is the point
        ({"time": datetime(2026, 11, 21, tzinfo=timezone(timedelta(hours=1)))}, "entry.time"),
        ({"id": str(uuid.uuid1())}, "entry.member"),
        ({"id": str(uuid.uuid4()).upper()}, "entry.member"),
        ({"type": ""}, "entry.member"),
    ],
)
def test_a_draft_that_no_leaf_can_hold_is_refused(change: dict[str, object], code: str) -> None:
    refused = dataclasses.replace(draft(), **change)  # type: ignore[arg-type]  # wrong types are the point
    with pytest.raises(EntryRefused) as caught:
        encode(refused, ORIGIN, 0, None, None)
    assert caught.value.code == code


def test_a_refusal_never_quotes_the_text() -> None:
    with pytest.raises(EntryRefused) as caught:
        encode(dataclasses.replace(draft(), detail={"text": "hunter2\0"}), ORIGIN, 0, None, None)
    assert "hunter2" not in str(caught.value)


def test_nesting_is_bounded_in_drafts_as_in_leaves() -> None:
    value: JsonValue = "deep"
    for _ in range(10):
        value = [value]
    decode(encode(dataclasses.replace(draft(), detail={"nested": value}), ORIGIN, 0, None, None))
    with pytest.raises(EntryRefused, match=r"entry\.too_deep"):
        encode(dataclasses.replace(draft(), detail={"nested": [value]}), ORIGIN, 0, None, None)


@pytest.mark.parametrize("name", ["v", "log", "seq", "id", "time", "type", "outcome", "actor"])
def test_a_leaf_without_a_member_that_all_have_is_refused(name: str) -> None:
    members = decode(encode(draft(), ORIGIN, 0, None, None))
    check_members(members)
    del members[name]
    with pytest.raises(EntryRefused, match=f"'{name}'"):
        check_members(members)


@pytest.mark.parametrize(
    "account",
    [
        "100000000000",
        {"id": "100000000000"},
        {"id": "", "seq": 0},
        {"id": "100000000000", "seq": -1},
        {"id": "100000000000", "seq": True},
        {"id": "100000000000", "seq": 0, "prev": "00" * 32},
        {"id": "100000000000", "seq": 1},
        {"id": "100000000000", "seq": 1, "prev": "00" * 31},
        {"id": "100000000000", "seq": 1, "prev": "AB" * 32},
        {"id": "100000000000", "seq": 0, "other": 1},
    ],
)
def test_a_malformed_place_in_an_account_is_refused(account: JsonValue) -> None:
    members = decode(encode(draft(), ORIGIN, 0, None, None))
    with pytest.raises(EntryRefused, match="'account'"):
        check_members({**members, "account": account})
