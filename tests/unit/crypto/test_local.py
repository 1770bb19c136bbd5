"""What is sealed under the server's own key opens for its purpose and owner only."""

from __future__ import annotations

import hashlib
import hmac
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto.local import ServerKey, new_key, unwrap_key, wrap_key
from vault.domain.secret import Secret
from vault.errors import Invalid, Tampered
from vault.ports.keys import Wrap

KEY = ServerKey(Secret(bytes(range(32))))
CONTEXT = {"app": "root-vault", "version": "1"}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_opens_to_what_was_sealed(text: str) -> None:
    assert KEY.open("person.otp", "p-1", KEY.seal("person.otp", "p-1", Secret(text))).expose() == text


@pytest.mark.parametrize(
    ("key", "purpose", "owner"),
    [
        (KEY, "person.otp", "p-2"),
        (KEY, "person.mail", "p-1"),
        (ServerKey(Secret(bytes(32))), "person.otp", "p-1"),
    ],
)
def test_opens_for_nobody_and_nothing_else(key: ServerKey, purpose: str, owner: str) -> None:
    sealed = KEY.seal("person.otp", "p-1", Secret("JBSWY3DPEHPK3PXP"))

    with pytest.raises(Tampered) as refusal:
        key.open(purpose, owner, sealed)

    assert refusal.value.code == "envelope.tampered"


def test_every_byte_of_a_sealed_value_counts() -> None:
    sealed = KEY.seal("person.otp", "p-1", Secret("JBSWY3DPEHPK3PXP"))

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Tampered):
            KEY.open("person.otp", "p-1", bytes(changed))
    for end in range(len(sealed)):
        with pytest.raises(Tampered):
            KEY.open("person.otp", "p-1", sealed[:end])


def test_seals_of_one_text_differ_and_have_one_length() -> None:
    sealed = {KEY.seal("person.otp", "p-1", Secret("x" * size)) for size in (0, 1, 1, 64, 252)}

    assert len(sealed) == 5
    assert {len(value) for value in sealed} == {352}


def test_macs_and_derived_keys_differ_by_purpose_and_from_each_other() -> None:
    values = {
        KEY.mac("request.body", b"data"),
        KEY.mac("request.body", b"datb"),
        KEY.mac("token", b"data"),
        KEY.derive("request.body"),
        KEY.derive("token"),
        ServerKey(Secret(bytes(32))).derive("token"),
    }

    assert len(values) == 6
    assert {len(value) for value in values} == {32}
    assert KEY.derive("token") == KEY.derive("token")


def test_the_schedule_is_frozen() -> None:
    """Changing the derivation would make every stored value unreadable (RFC 5869, written out)."""

    def subkey(use: bytes, purpose: bytes) -> bytes:
        extracted = hmac.digest(bytes(32), bytes(range(32)), "sha256")
        label = b"root-vault server key\0" + use + b"\0" + purpose
        return hmac.digest(extracted, label + b"\x01", "sha256")

    assert KEY.derive("session") == subkey(b"derive", b"session")
    assert KEY.mac("body", b"data") == hmac.new(subkey(b"mac", b"body"), b"data", hashlib.sha256).digest()


@pytest.mark.parametrize(
    ("purpose", "owner"), [("", "p"), ("Person", "p"), ("a\0b", "p"), ("p", ""), ("p", "ä")]
)
def test_malformed_purposes_and_owners_are_refused(purpose: str, owner: str) -> None:
    with pytest.raises(ValueError, match="is"):
        KEY.seal(purpose, owner, Secret("x"))


def test_too_long_and_broken_texts_are_refused() -> None:
    for text in ("x" * 65533, "\udfff"):
        with pytest.raises(Invalid):
            KEY.seal("person.otp", "p-1", Secret(text))


def test_a_key_has_32_bytes_and_shows_none() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ServerKey(Secret(b"short"))
    assert repr(KEY) == "ServerKey(key=<secret>)"


def test_a_wrapped_key_opens_in_its_context_only() -> None:
    master, key = new_key(), new_key()
    wrap = wrap_key(master, "local", "k", key, CONTEXT)

    assert unwrap_key(master, wrap, dict(reversed(CONTEXT.items()))).expose() == key.expose()
    for context in ({"app": "root-vault"}, {**CONTEXT, "more": ""}, {"app": "root-vaultversion", "1": ""}):
        with pytest.raises(Tampered):
            unwrap_key(master, wrap, context)
    with pytest.raises(Tampered):
        unwrap_key(new_key(), wrap, CONTEXT)
    with pytest.raises(Tampered):
        unwrap_key(master, Wrap("local", "k", os.urandom(len(wrap.blob))), CONTEXT)
    with pytest.raises(ValueError, match="context"):
        wrap_key(master, "local", "k", key, {})
    with pytest.raises(ValueError, match="32 bytes"):
        wrap_key(master, "local", "k", Secret(b"short"), CONTEXT)
