"""Envelopes open in their place, under their key, unchanged; in no other way (SECURITY S10, S11)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.crypto.conftest import VAULT
from tests.vectors.envelopes_opener import NotAnEnvelopeError, open_by_specification
from vault.crypto import aead, padding
from vault.crypto.context import Context
from vault.crypto.envelope import (
    BODY_MAX,
    BODY_MIN,
    Envelope,
    decode_wraps,
    encode_wraps,
    open_envelope,
    seal,
)
from vault.domain.secret import Secret
from vault.errors import Invalid, Tampered
from vault.ports.keys import DataKey, Wrap

PLACE = Context(VAULT, "111122223333", "password", 7)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=600)
wraps_lists = st.lists(
    st.builds(
        Wrap,
        st.sampled_from(["aws-kms", "local"]),
        st.from_regex(r"\A[!-~]{1,80}\Z"),
        st.binary(min_size=1, max_size=200),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda wrap: (wrap.service, wrap.key_id),
).map(tuple)


def fresh() -> DataKey:
    return DataKey(Secret(os.urandom(32)), (Wrap("local", "test", b"wrapped"),), ())


@given(texts)
def test_opens_to_what_was_sealed_here_and_by_the_specification(text: str) -> None:
    key = fresh()
    envelope = seal(Secret(text), PLACE, key)

    assert open_envelope(envelope, PLACE, key.key).expose() == text
    assert open_by_specification(envelope.body, PLACE.pairs(), key.key.expose()) == text


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"vault": "7b0c9c2e-7a34-4f0a-9f10-1c7a4a1e4c12"},
        {"account": "111122223334"},
        {"kind": "mfa"},
        {"version": 6},
        {"version": 8},
    ],
)
def test_opens_nowhere_else(context: Context, data_key: DataKey, elsewhere: dict[str, Any]) -> None:
    envelope = seal(Secret("correct horse"), context, data_key)
    place = dataclasses.replace(context, **elsewhere)

    with pytest.raises(Tampered) as refusal:
        open_envelope(envelope, place, data_key.key)

    assert refusal.value.code == "envelope.tampered"
    with pytest.raises(NotAnEnvelopeError):
        open_by_specification(envelope.body, place.pairs(), data_key.key.expose())


@settings(max_examples=50)
@given(st.data())
def test_two_rows_swapped_do_not_open(data: st.DataObject) -> None:
    places = data.draw(
        st.lists(
            st.builds(
                Context,
                st.just(VAULT),
                st.sampled_from(["111122223333", "444455556666"]),
                st.sampled_from(["password", "mfa"]),
                st.integers(1, 3),
            ),
            min_size=2,
            max_size=6,
            unique=True,
        )
    )
    keys = [fresh() for _ in places]
    rows = [seal(Secret(str(place)), place, key) for place, key in zip(places, keys, strict=True)]

    for here, place in enumerate(places):
        for there, row in enumerate(rows):
            if here == there:
                assert open_envelope(row, place, keys[there].key).expose() == str(place)
            else:
                # even with the right key for the planted body
                with pytest.raises(Tampered):
                    open_envelope(row, place, keys[there].key)


def test_opens_under_no_other_key(context: Context, data_key: DataKey) -> None:
    envelope = seal(Secret("correct horse"), context, data_key)

    for other in (fresh().key, Secret(b""), Secret(data_key.key.expose()[:31])):
        with pytest.raises(Tampered):
            open_envelope(envelope, context, other)


def test_every_single_bit_of_the_body_counts(context: Context, data_key: DataKey) -> None:
    body = seal(Secret("correct horse"), context, data_key).body

    for position in range(len(body) * 8):
        changed = bytearray(body)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(Tampered):
            open_envelope(Envelope(bytes(changed), data_key.wraps), context, data_key.key)


def test_no_other_length_of_the_body_opens(context: Context, data_key: DataKey) -> None:
    body = seal(Secret("correct horse"), context, data_key).body

    for changed in [body[:end] for end in range(len(body))] + [body + b"\0", body + body, b"\0" + body]:
        with pytest.raises(Tampered):
            open_envelope(Envelope(changed, data_key.wraps), context, data_key.key)


def test_another_format_is_refused_by_name(context: Context, data_key: DataKey) -> None:
    body = seal(Secret("correct horse"), context, data_key).body

    for magic in (b"RVE\x00", b"RVE\x02", b"RVL\x01", b"rve\x01"):
        with pytest.raises(Tampered) as refusal:
            open_envelope(Envelope(magic + body[4:], data_key.wraps), context, data_key.key)
        assert refusal.value.code == "envelope.format"


def test_a_place_of_another_format_neither_seals_nor_opens(context: Context, data_key: DataKey) -> None:
    envelope = seal(Secret("correct horse"), context, data_key)
    later = dataclasses.replace(context, format=2)

    with pytest.raises(ValueError, match="format 1"):
        seal(Secret("correct horse"), later, data_key)
    with pytest.raises(Tampered) as refusal:
        open_envelope(envelope, later, data_key.key)
    assert refusal.value.code == "envelope.format"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes(255),
        bytes(257),
        bytes(512),
        (1).to_bytes(4, "big") + b"a" + b"\0" * 250 + b"\1",
        (253).to_bytes(4, "big") + b"a" * 252,
        (300).to_bytes(4, "big") + b"a" * 252,
        (2**32 - 1).to_bytes(4, "big") + b"a" * 252,
        (2).to_bytes(4, "big") + b"\xff\xfe" + bytes(250),
        (3).to_bytes(4, "big") + b"\xed\xa0\x80" + bytes(249),
    ],
)
def test_a_payload_that_sealing_would_not_write_is_refused(
    context: Context, data_key: DataKey, payload: bytes
) -> None:
    body = aead.seal(b"RVE\x01", data_key.key.expose(), context.associated_data(), payload)

    with pytest.raises(Tampered) as refusal:
        open_envelope(Envelope(body, data_key.wraps), context, data_key.key)

    assert refusal.value.__cause__ is None


def test_the_length_tells_only_the_bucket(context: Context) -> None:
    lengths = {len(seal(Secret("x" * size), context, fresh()).body) for size in range(253)}

    assert lengths == {BODY_MIN}
    assert len(seal(Secret("x" * 253), context, fresh()).body) == BODY_MIN + 256
    assert len(seal(Secret("x" * padding.TEXT_MAX), context, fresh()).body) == BODY_MAX


@pytest.mark.parametrize("text", ["x" * (padding.TEXT_MAX + 1), "\ud800"])
def test_what_cannot_be_sealed_is_refused_without_the_text(
    context: Context, data_key: DataKey, text: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        seal(Secret(text), context, data_key)

    assert refusal.value.code == "envelope.too_long"
    assert refusal.value.__cause__ is None
    assert text not in str(refusal.value)


def test_nothing_repeats_between_two_seals_of_one_text(context: Context, data_key: DataKey) -> None:
    one = seal(Secret("correct horse"), context, data_key).body
    other = seal(Secret("correct horse"), context, data_key).body

    for part in (slice(4, 36), slice(36, 68), slice(68, 80), slice(80, None)):
        assert one[part] != other[part]


def test_the_body_and_its_refusals_show_no_plaintext(context: Context, data_key: DataKey) -> None:
    secret = "correct horse battery staple"
    envelope = seal(Secret(secret), context, data_key)
    assert secret.encode() not in envelope.body
    assert secret not in repr(envelope)

    with pytest.raises(Tampered) as refusal:
        open_envelope(envelope, dataclasses.replace(context, version=8), data_key.key)
    assert secret not in f"{refusal.value}{refusal.value.facts}"
    assert data_key.key.expose().hex() not in f"{refusal.value}"


def test_the_hash_is_of_the_body_alone(context: Context, data_key: DataKey) -> None:
    envelope = seal(Secret("correct horse"), context, data_key)
    rewrapped = dataclasses.replace(envelope, wraps=(Wrap("aws-kms", "another", b"rewrapped"),))

    assert envelope.body_sha256 == hashlib.sha256(envelope.body).digest() == rewrapped.body_sha256
    assert open_envelope(rewrapped, context, data_key.key).expose() == "correct horse"


@given(wraps_lists)
def test_wraps_decode_to_what_was_encoded(wraps: tuple[Wrap, ...]) -> None:
    assert decode_wraps(encode_wraps(wraps)) == wraps


def test_wraps_are_written_canonically() -> None:
    assert encode_wraps((Wrap("aws-kms", 'a"b', b"\xff\xfe"),)) == (
        b'[{"blob":"//4=","key_id":"a\\"b","service":"aws-kms"}]'
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"{}",
        b"[]",
        b"[1]",
        b'["blob"]',
        b'[{"blob":"//4=","key_id":"k"}]',
        b'[{"blob":"//4=","key_id":"k","service":"local","more":1}]',
        b'[{"key_id":"k","blob":"//4=","service":"local"}]',
        b'[{"blob": "//4=","key_id":"k","service":"local"}]',
        b'[{"blob":"//4=","key_id":"k","service":"local"}]\n',
        b'[{"blob":"//5=","key_id":"k","service":"local"}]',
        b'[{"blob":"//4","key_id":"k","service":"local"}]',
        b'[{"blob":"","key_id":"k","service":"local"}]',
        b'[{"blob":"//4=","key_id":"","service":"local"}]',
        b'[{"blob":"//4=","key_id":"k","service":"Local"}]',
        b'[{"blob":1,"key_id":"k","service":"local"}]',
        b'[{"blob":"//4=","key_id":1,"service":"local"}]',
        b'[{"blob":"//4=","blob":"//4=","key_id":"k","service":"local"}]',
        b'[{"blob":"//4=","key_id":"k","service":"local"},{"blob":"//4=","key_id":"k","service":"local"}]',
        b'[{"blob":"//4=","key_id":"\xc3\xa4","service":"local"}]',
        b"[" * 100_000,
    ],
)
def test_wraps_of_any_other_form_are_refused(data: bytes) -> None:
    with pytest.raises(Tampered):
        decode_wraps(data)


def test_too_many_or_too_large_wraps_are_refused(context: Context, data_key: DataKey) -> None:
    many = tuple(Wrap("local", f"key-{n}", b"x") for n in range(9))
    large = (Wrap("local", "key", b"x" * 6145),)

    for wraps in ((), many, large):
        with pytest.raises(ValueError, match="wrap"):
            encode_wraps(wraps)
        with pytest.raises(ValueError, match="wrap"):
            seal(Secret("x"), context, dataclasses.replace(data_key, wraps=wraps))
    with pytest.raises(Tampered):
        decode_wraps(
            json.dumps([{"blob": "eA==", "key_id": f"key-{n}", "service": "local"} for n in range(9)])
            .replace(" ", "")
            .encode()
        )
