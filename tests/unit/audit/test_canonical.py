"""The language of leaves, told a second time from the document with another parser, and held against ours.

`audit.entry` reads leaf by leaf, `audit.batch` a tile at once, the reference below by the standard library's
parser and what `docs/formats-log.md` says. All three must accept the same bytes.
"""

from __future__ import annotations

import json
import random
import re
import uuid
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit.batch import read_leaves
from audit.entry import check_members, decode
from audit.errors import EntryRefused
from audit.log import OPENED
from tests.unit.audit.world import ORIGIN, filled

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "100000000000"


def refuse(text: str) -> NoReturn:
    raise ValueError(text)


def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what a dict would forget: keys that come twice, or in another order."""
    names = [name for name, _ in found]
    if names != sorted(set(names)) or not all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names):
        raise ValueError(names)
    return dict(found)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def texts_of(value: object) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


def bounded(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > 2**53 - 1:
        raise ValueError(digits)
    return int(digits)


def is_canonical(leaf: bytes) -> bool:
    """Tell whether bytes are a leaf, by the standard library."""
    if not 2 <= len(leaf) <= 65_535:
        return False
    try:
        value = json.loads(
            leaf.decode("utf-8"),
            object_pairs_hook=pairs,
            parse_float=refuse,
            parse_constant=refuse,
            parse_int=bounded,
        )
        again = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return False
    in_bounds = isinstance(value, dict) and depth_of(value) <= 12
    return in_bounds and again == leaf and not any("\0" in text for text in texts_of(value))


def is_complete(leaf: bytes) -> bool:
    """Tell whether a canonical leaf has what each must have."""
    members = json.loads(leaf)

    def is_like(pattern: str, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None

    def is_count(value: object) -> bool:
        return type(value) is int and value >= 0

    account = members.get("account")
    if account is not None:
        if not isinstance(account, dict) or not is_count(account.get("seq")):
            return False
        wanted = ["id", "prev", "seq"] if account["seq"] else ["id", "seq"]
        if sorted(account) != wanted or not is_like("(?s).+", account["id"]):
            return False
        if not is_like("[0-9a-f]{64}", account.get("prev", "0" * 64)):
            return False
    reason = members.get("reason")
    text = reason.get("text") if isinstance(reason, dict) else None
    return (
        json.dumps(members.get("v")) == "1"
        and is_count(members.get("seq"))
        and all(is_like("(?s).+", members.get(name)) for name in ("log", "type", "outcome"))
        and is_like("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", members.get("id"))
        and is_like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", members.get("time"))
        and isinstance(members.get("actor"), dict)
        and not (isinstance(text, str) and len(text) > 2000)
    )


def is_decoded(leaf: bytes) -> bool:
    try:
        decode(leaf)
    except EntryRefused:
        return False
    return True


def is_checked(leaf: bytes) -> bool:
    try:
        check_members(decode(leaf))
    except EntryRefused:
        return False
    return True


def check(leaf: bytes, place: int = 7) -> None:
    """Hold the three readings of one leaf against each other."""
    accepted = is_canonical(leaf)
    assert is_decoded(leaf) == accepted, leaf
    accepted = accepted and is_complete(leaf)
    assert is_checked(leaf) == accepted, leaf
    if read_leaves([leaf], ORIGIN, place) is not None:
        assert accepted, leaf
        members = json.loads(leaf)
        assert (members["seq"], members["log"]) == (place, ORIGIN)


PIECES = st.sampled_from(
    (
        *(
            '{"a":',
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"',
            '"a"',
            '"b":',
            '"',
            '""',
            "\\u001f",
            "\\u001F",
            "\\u007f",
        ),
        *(
            "\x7f",
            "\\/",
            "/",
            "\\b",
            "\\n",
            "\\u000a",
            "\\u0000",
            "\\\\u0000",
            "\0",
            "\\ud800",
            "\\ud83d\\ude00",
        ),
        *("1", "-1", "0", "-0", "00", "1.0", "1e5", "1E5", "1e-5", "0.5", "-0.0", "1e400", "NaN", "Infinity"),
        *("9007199254740991", "9007199254740992", "-9007199254740992", "18446744073709551615"),
        *(
            "18446744073709551616",
            "-9223372036854775809",
            "9" * 400,
            "true",
            "false",
            "null",
            " ",
            "\n",
            "\ufeff",
        ),
        *("é", "\u2028", "\U0001f600", "\\u00e9", '"A":1', '"_":1', '"a1_":1', '"é":1', "\x1f", "{}", "[]"),
    )
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([2**53 - 1, 2**53, -(2**53), 2**64, 1.0, 1e16, 5e-324]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=12).map("".join))
@example('{"a":' * 12 + "1" + "}" * 12)
@example('{"a":' * 13 + "1" + "}" * 13)
@example('{"a":' + "[" * 11 + "]" * 11 + "}")
@example('{"a":' + "[" * 12 + "]" * 12 + "}")
@example("[" * 2_000 + "]" * 2_000)
@example('{"a":' + "[" * 300 + "]" * 300 + "}")
@example('{"a":"' + "x" * 65_527 + '"}')
@example('{"a":"' + "x" * 65_528 + '"}')
def test_pieces_of_json_are_read_alike(text: str) -> None:
    for each in (text, '{"a":' + text + "}", '{"a":[' + text + "]}", '{"a":"' + text + '"}'):
        check(each.encode("utf-8", "surrogatepass"))


@settings(max_examples=400)
@given(JSON, st.booleans(), st.booleans())
def test_any_json_is_read_alike(value: object, is_sorted: bool, is_ascii: bool) -> None:
    text = json.dumps({"a": value}, sort_keys=is_sorted, separators=(",", ":"), ensure_ascii=is_ascii)
    check(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=200)
@given(st.binary(max_size=60), st.binary(max_size=8))
def test_any_bytes_are_read_alike(content: bytes, wrapped: bytes) -> None:
    check(content)
    check(b'{"a":"' + wrapped + b'"}')


def leaf_at(index: int) -> bytes:
    return next(filled(index + 1).leaves(index, index + 1)).leaf


def test_leaves_that_somebody_mutated_are_read_alike() -> None:
    sound, chance = leaf_at(7), random.Random(7)
    alphabet = b'{}[]",:\\0123456789.eE-+ \n\x00\x1f\x7f\x80\xff\xed\xa0\xc3\xa9abuz_ABtrfn'
    check(sound)
    for _ in range(4_000):
        leaf = bytearray(sound)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            at = chance.randrange(len(leaf))
            leaf[at : at + chance.choice((0, 1, 1, 2))] = bytes(
                chance.choices(alphabet, k=chance.choice((0, 1, 1, 2)))
            )
        check(bytes(leaf))


def test_members_that_somebody_replaced_are_read_alike() -> None:
    sound = json.loads(leaf_at(7))
    values: tuple[object, ...] = (
        *(
            None,
            True,
            False,
            0,
            1,
            7,
            8,
            -1,
            "",
            "1",
            "x",
            "x\n",
            [],
            ["x"],
            {},
            {"id": "x"},
            ORIGIN,
            "é",
            1.0,
        ),
        *(str(uuid.uuid4()), str(uuid.uuid1()), str(uuid.uuid4()).upper(), f"{uuid.uuid4()}\n{uuid.uuid4()}"),
        *("2026-11-21T02:41:49.000007Z", "2026-11-21T02:41:49.000007z", "dddd-dd-ddTdd:dd:dd.ddddddZ"),
        *(
            "٢026-11-21T02:41:49.000007Z",
            "hhhhhhhh-hhhh-4hhh-8hhh-hhhhhhhhhhhh",
            "0" * 64,
            "0" * 63,
            "A" * 64,
        ),
        *(
            {"text": "x" * 2000},
            {"text": "x" * 2001},
            {"text": "é" * 2000},
            {"text": ["x" * 2001]},
            "x" * 2001,
        ),
        *({"id": ACCOUNT, "seq": 0}, {"id": ACCOUNT, "seq": True, "prev": "0" * 64}, {"id": "", "seq": 0}),
        *({"id": ACCOUNT, "seq": 1, "prev": "0" * 64}, {"id": ACCOUNT, "seq": 1, "prev": "g" * 64}),
        *({"id": ACCOUNT, "seq": 0, "prev": "0" * 64}, {"id": ACCOUNT, "seq": 2}, {"id": 5, "seq": 0}),
        *({"id": ACCOUNT, "seq": -1, "prev": "0" * 64}, {"id": ACCOUNT, "seq": 1.0, "prev": "0" * 64}),
    )
    for name in (*sound, "reason", "detail", "zzz"):
        for value in values:
            members = {**sound, name: value}
            check(json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
        check(json.dumps({k: v for k, v in sound.items() if k != name}, separators=(",", ":")).encode())


def test_a_tile_is_read_at_once_unless_one_leaf_is_not_as_it_should_be() -> None:
    leaves = [stored.leaf for stored in filled(40).leaves(0, 40)]
    read = read_leaves(leaves, ORIGIN, 0)
    assert read == [json.loads(leaf) for leaf in leaves]
    assert read_leaves(leaves[5:], ORIGIN, 5) is not None
    assert read_leaves(leaves, ORIGIN, 1) is None
    assert read_leaves(leaves, "other.example/log", 0) is None
    spoiled: tuple[Callable[[bytes], bytes], ...] = (
        lambda leaf: leaf.replace(b'"v":1', b'"v":2'),
        lambda leaf: leaf.replace(b'"v":1', b'"v":1.0'),
        lambda leaf: leaf.replace(b'"v":1', b'"v":true'),
        lambda leaf: leaf.replace(b'"name"', b'"Name"'),
        lambda leaf: leaf.replace(b"Ada", b"\\u0000"),
        lambda leaf: leaf.replace(b'"Ada"', b"[[[[[[[[[[[[1]]]]]]]]]]]]"),
        lambda leaf: leaf[:-1],
        lambda _: b"{}",
        lambda _: b"[]",
    )
    for spoil in spoiled:
        assert read_leaves([*leaves[:20], spoil(leaves[20]), *leaves[21:]], ORIGIN, 0) is None


def test_an_id_cannot_stand_for_two() -> None:
    """Ids are matched as lines of one text: two in one and none in another are as many lines."""
    leaves = [json.loads(stored.leaf) for stored in filled(3).leaves(0, 3)]
    leaves[1]["id"] = f"{leaves[1]['id']}\n{leaves[2]['id']}"
    for second in (leaves[2]["id"], ""):
        leaves[2]["id"] = second
        written = [
            json.dumps(each, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            for each in leaves
        ]
        assert read_leaves(written, ORIGIN, 0) is None


@pytest.mark.parametrize("index", [0, 1])
def test_the_opening_is_the_first_entry_alone(index: int) -> None:
    assert (json.loads(leaf_at(index))["type"] == OPENED) == (index == 0)
