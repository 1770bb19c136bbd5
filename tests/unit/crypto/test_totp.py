"""Codes are RFC 6238's, seeds are taken in as people copy them, and look-alikes are refused (S15)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto.totp import (
    Seed,
    code_at,
    generate_seed,
    matching_step,
    parse_seed,
    provisioning_uri,
    step_end,
    step_of,
)
from vault.domain.secret import Secret
from vault.errors import Invalid

RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The ASCII text 12345678901234567890 of RFC 6238 appendix B, in base32."""
AWS_LIKE = "JBSWY3DPEHPK3PXP" * 4
NOW = datetime(2026, 11, 20, 12, 0, 15, tzinfo=UTC)


def seed(text: str = RFC_SEED) -> Seed:
    return parse_seed(Secret(text))


@pytest.mark.parametrize(
    ("seconds", "last_six"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_of_rfc_6238_appendix_b(seconds: int, last_six: str) -> None:
    """The appendix lists eight digits; six are their last six."""
    time = datetime.fromtimestamp(seconds, UTC)

    assert code_at(seed(), step_of(time)).expose() == last_six
    assert matching_step(seed(), last_six, time) == seconds // 30


@pytest.mark.parametrize(
    "written",
    [
        AWS_LIKE,
        AWS_LIKE.lower(),
        f"  {AWS_LIKE}\n",
        "-".join(AWS_LIKE[at : at + 4] for at in range(0, 64, 4)),
        " ".join(AWS_LIKE[at : at + 4] for at in range(0, 64, 4)).lower(),
        f"otpauth://totp/Amazon%20Web%20Services:root-account-mfa-device@111122223333?secret={AWS_LIKE}",
        f"otpauth://totp/x?secret={AWS_LIKE}&issuer=AWS&digits=6&period=30&algorithm=SHA1",
        f"OTPAUTH://TOTP/x?SECRET={AWS_LIKE}&algorithm=sha1",
    ],
)
def test_a_seed_is_taken_in_however_it_was_copied(written: str) -> None:
    assert seed(written).secret.expose() == AWS_LIKE


def test_padding_is_taken_in_and_not_kept() -> None:
    data = bytes(range(21))

    assert seed(base64.b32encode(data).decode()).secret.expose() == base64.b32encode(data).decode().rstrip(
        "="
    )


@given(st.binary(min_size=14, max_size=64))
def test_whatever_bytes_a_seed_has_it_is_kept_canonically(data: bytes) -> None:
    text = base64.b32encode(data).decode().rstrip("=")

    assert seed(text.lower()).secret.expose() == text
    assert seed(seed(text).secret.expose()).secret.expose() == text


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("", "letters A to Z"),
        ("   ", "letters A to Z"),
        ("JBSWY3DPEHPK3PXP", "fewer than 112 bits"),
        (AWS_LIKE.replace("3", "0"), "letters A to Z"),
        (AWS_LIKE.replace("J", "\uff2a"), "letters A to Z"),
        (AWS_LIKE.replace("S", "\u017f"), "letters A to Z"),
        (AWS_LIKE[:-1] + "=" + AWS_LIKE[-1], "letters A to Z"),
        (AWS_LIKE + "A", "length"),
        (AWS_LIKE + "AAA", "length"),
        (AWS_LIKE * 5, "length"),
        (AWS_LIKE * 40, "too long"),
        (f"otpauth://hotp/x?secret={AWS_LIKE}", "time-based"),
        (f"otpauth://totp/x?secret={AWS_LIKE}&digits=8", "digits"),
        (f"otpauth://totp/x?secret={AWS_LIKE}&period=60", "period"),
        (f"otpauth://totp/x?secret={AWS_LIKE}&algorithm=SHA256", "algorithm"),
        (f"otpauth://totp/x?secret={AWS_LIKE}&secret={AWS_LIKE}", "twice"),
        ("otpauth://totp/x?secret=", "no secret"),
        ("otpauth://totp/x", "no secret"),
        ("otpauth://[", "cannot be read"),
        ("otpauth://totp/x?" + "&".join(f"a{n}=1" for n in range(20)), "cannot be read"),
    ],
)
def test_other_seeds_are_refused_with_the_next_step_and_without_the_text(written: str, hint: str) -> None:
    with pytest.raises(Invalid, match=hint) as refusal:
        seed(written)

    assert refusal.value.code == "seed.invalid"
    assert refusal.value.__cause__ is None
    assert not written.strip() or written not in str(refusal.value)


def test_our_own_seeds_have_160_bits_and_differ() -> None:
    seeds = {generate_seed().secret.expose() for _ in range(50)}

    assert len(seeds) == 50
    assert {len(base64.b32decode(text)) for text in seeds} == {20}
    assert all(seed(text).secret.expose() == text for text in seeds)


def test_a_code_matches_in_its_step_and_one_either_side() -> None:
    here = step_of(NOW)

    for offset in range(-5, 6):
        found = matching_step(seed(), code_at(seed(), here + offset).expose(), NOW)
        assert found == (here + offset if abs(offset) <= 1 else None)
    assert matching_step(seed(), code_at(seed(), here + 1).expose(), NOW, window=0) is None


def test_the_window_does_not_reach_before_the_epoch() -> None:
    assert matching_step(seed(), code_at(seed(), 0).expose(), datetime(1970, 1, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    "spell",
    [
        lambda code: code.translate({ord(str(n)): 0xFF10 + n for n in range(10)}),
        lambda code: code.translate({ord(str(n)): 0x1D7CE + n for n in range(10)}),
        lambda code: code.translate({ord(str(n)): 0x0660 + n for n in range(10)}),
        lambda code: code[:5] + chr(0xFF10 + int(code[5])),
        lambda code: f" {code}",
        lambda code: f"{code}\n",
        lambda code: f"{code}\xe4",
        lambda code: f"{code[:3]} {code[3:]}",
        lambda code: code + "0",
        lambda code: "0" + code,
        lambda code: code[:5],
        lambda code: "+" + code[1:],
        lambda code: "",
        lambda code: "000000" if code != "000000" else "000001",
    ],
)
def test_nothing_but_the_six_ascii_digits_matches(spell: object) -> None:
    assert callable(spell)
    code = code_at(seed(), step_of(NOW)).expose()
    assert matching_step(seed(), code, NOW) == step_of(NOW)

    assert matching_step(seed(), spell(code), NOW) is None


def test_when_two_steps_have_one_code_the_later_is_found() -> None:
    """Marking the later step as used closes both, as `last_step < :s` does."""
    step = 910_738  # the first of this seed's steps whose code is that of the step before
    code = code_at(seed(), step).expose()
    assert code == code_at(seed(), step - 1).expose()

    assert matching_step(seed(), code, step_end(step - 1)) == step


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_steps_are_thirty_seconds_in_every_zone(naive: datetime) -> None:
    time = naive.replace(tzinfo=UTC)
    step = step_of(time)

    assert step_end(step) - timedelta(seconds=30) <= time < step_end(step)
    assert step_of(time.astimezone(timezone(timedelta(hours=5, minutes=45)))) == step


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        step_of(NOW.replace(tzinfo=None))


def test_the_provisioning_uri_is_read_back_as_the_same_seed() -> None:
    own = generate_seed()
    uri = provisioning_uri(own, "Root Vault", "ann@msp.example").expose()

    assert parse_seed(Secret(uri)).secret.expose() == own.secret.expose()
    assert parse_qs(urlsplit(uri).query)["issuer"] == ["Root Vault"]
    assert "ann%40msp.example" in uri


def test_seeds_and_codes_show_nothing() -> None:
    assert repr(seed()) == "Seed(secret=<secret>)"
    assert str(code_at(seed(), 1)) == "<secret>"
