"""Wraps for the offline recipient: three shares open them, in one place only."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any, Final

import pyrage
import pytest

from tests.support.repository import ROOT
from tests.vectors.recovery_opener import open_by_page
from vault.crypto import recovery
from vault.crypto.context import Context
from vault.crypto.envelope import Envelope, open_envelope
from vault.domain.secret import Secret
from vault.errors import Refused, Tampered
from vault.ports.keys import Wrap

PLACE: Final = Context("6f1f4a6e-59a1-4b5c-9a55-0d6a2f5c1e11", "111122223333", "password", 1)
KEY: Final = Secret(b"k" * 32)
MADE: Final = recovery.new_recipient()
OTHER: Final = recovery.new_recipient()
FROZEN: Final[dict[str, Any]] = json.loads((ROOT / "tests/vectors/recovery.json").read_text("utf-8"))


def refused(shares: tuple[Secret[str], ...]) -> str:
    with pytest.raises(Refused) as caught:
        recovery.join(shares)
    assert caught.value.code == "recovery.shares"
    said = caught.value.detail
    for share in shares:  # single words of the list are plain English
        words = share.expose().split()
        assert not any(f"{one} {next_one}" in said for one, next_one in pairwise(words))
    return caught.value.detail


def test_any_three_shares_open_what_was_wrapped() -> None:
    wrap = recovery.wrap_for(MADE.recipient, KEY, PLACE.pairs())
    for three in combinations(MADE.shares, 3):
        identity = recovery.join(three)
        assert recovery.open_wrap(identity, (wrap,), PLACE.pairs()).expose() == KEY.expose()


def test_the_identity_is_written_as_age_writes_it() -> None:
    identity = recovery.join(MADE.shares[:3])
    assert str(pyrage.x25519.Identity.from_str(identity.expose())) == identity.expose()
    assert recovery.recipient_of(identity) == MADE.recipient


def test_two_shares_open_nothing_even_if_one_is_given_twice() -> None:
    first, second = MADE.shares[:2]
    assert "3 different shares are needed; here are 2" in refused((first, second))
    assert "here are 2" in refused((first, second, second))
    assert "here is 1" in refused((first, first, first))


def test_shares_of_two_recipients_do_not_mix() -> None:
    assert "different recipients" in refused((*MADE.shares[:2], OTHER.shares[2]))


def test_a_wrong_word_is_found_and_not_repeated() -> None:
    words = MADE.shares[1].expose().split()
    words[20] = "acid" if words[20] != "acid" else "acne"
    assert "A word of share 2 is wrong" in refused((MADE.shares[0], Secret(" ".join(words)), MADE.shares[2]))
    assert "32 words" in refused((Secret(" ".join(words[1:])),))


def test_shares_are_read_however_they_were_typed() -> None:
    typed = tuple(Secret(share.expose().upper().replace(" ", "\n  ")) for share in MADE.shares[:4])
    assert recovery.recipient_of(recovery.join(typed)) == MADE.recipient


def test_other_sets_are_refused() -> None:
    from shamir_mnemonic import generate_mnemonics  # noqa: PLC0415 - of this test alone

    (two_of_three,) = generate_mnemonics(1, [(2, 3)], b"m" * 32, iteration_exponent=0)
    assert "not made by" in refused(tuple(Secret(share) for share in two_of_three))


@pytest.mark.parametrize(
    "moved",
    [
        {"account": "444455556666"},
        {"kind": "mfa"},
        {"version": 2},
        {"vault": "6f1f4a6e-59a1-4b5c-9a55-0d6a2f5c1e12"},
    ],
)
def test_a_wrap_moved_to_another_place_does_not_open(moved: dict[str, Any]) -> None:
    wrap = recovery.wrap_for(MADE.recipient, KEY, PLACE.pairs())
    there = replace(PLACE, **moved)
    with pytest.raises(Tampered):
        recovery.open_wrap(recovery.join(MADE.shares[2:]), (wrap,), there.pairs())


def test_a_damaged_or_foreign_wrap_is_refused() -> None:
    identity = recovery.join(MADE.shares[:3])
    wrap = recovery.wrap_for(MADE.recipient, KEY, PLACE.pairs())
    damaged = Wrap(wrap.service, wrap.key_id, wrap.blob[:-1] + bytes((wrap.blob[-1] ^ 1,)))
    planted = Wrap(
        wrap.service,
        wrap.key_id,
        pyrage.encrypt(b"k" * 32, [pyrage.x25519.Recipient.from_str(MADE.recipient)]),
    )
    for bad in (damaged, planted):
        with pytest.raises(Tampered):
            recovery.open_wrap(identity, (bad,), PLACE.pairs())


def test_a_wrap_for_another_recipient_is_named() -> None:
    wrap = recovery.wrap_for(OTHER.recipient, KEY, PLACE.pairs())
    with pytest.raises(Refused) as caught:
        recovery.open_wrap(recovery.join(MADE.shares[:3]), (wrap,), PLACE.pairs())
    assert caught.value.code == "recovery.not_wrapped"
    assert OTHER.recipient in caught.value.detail
    with pytest.raises(Refused, match="no wrap for any"):
        recovery.open_wrap(recovery.join(MADE.shares[:3]), (), PLACE.pairs())


@pytest.mark.parametrize(
    "text",
    ["", "age1", MADE.recipient.upper(), MADE.recipient[:-1], f" {MADE.recipient}"],
    ids=["empty", "begun", "upper case", "short", "blank before"],
)
def test_only_a_whole_recipient_is_one(text: str) -> None:
    assert not recovery.is_recipient(text)
    with pytest.raises(ValueError, match="recipient"):
        recovery.wrap_for(text, KEY, PLACE.pairs())
    assert recovery.is_recipient(MADE.recipient)


def test_what_was_wrapped_once_opens_for_ever() -> None:
    wrap = Wrap("age", FROZEN["recipient"], base64.b64decode(FROZEN["wrap"]))
    identity = recovery.join(tuple(Secret(share) for share in FROZEN["shares"][1:4]))
    key = recovery.open_wrap(identity, (wrap,), FROZEN["place"])
    assert key.expose().hex() == FROZEN["data_key"]
    place = FROZEN["place"]
    context = Context(place["vault"], place["account"], place["kind"], int(place["version"]))
    opened = open_envelope(Envelope(base64.b64decode(FROZEN["body"]), (wrap,)), context, key)
    assert opened.expose() == FROZEN["secret"]


def test_another_reader_opens_it_by_the_page_alone() -> None:
    opened = open_by_page(
        FROZEN["shares"][2:],
        base64.b64decode(FROZEN["wrap"]),
        base64.b64decode(FROZEN["body"]),
        FROZEN["place"],
    )
    assert opened == FROZEN["secret"]
    with pytest.raises(ValueError, match="place"):
        open_by_page(
            FROZEN["shares"][:3],
            base64.b64decode(FROZEN["wrap"]),
            base64.b64decode(FROZEN["body"]),
            FROZEN["place"] | {"version": "4"},
        )


def test_a_text_is_encrypted_for_whoever_is_named() -> None:
    reader = pyrage.x25519.Identity.generate()
    armoured = recovery.encrypt_to(str(reader.to_public()), Secret("for one reader"))
    assert armoured.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")
    assert pyrage.decrypt(armoured, [reader]) == b"for one reader"
