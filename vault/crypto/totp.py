"""One-time codes: six digits of RFC 6238 over SHA-1 and 30 seconds, which is what AWS speaks.

Decided here: what a seed is, how one is taken in, and when a typed code matches. The seed of an AWS
device is never shown (ARCHITECTURE rule 6); `Seed.secret` is there to be sealed. Never done here:
remembering used steps. The caller does, by the number that `matching_step` gives and never by the
typed text: two spellings of one code would be two texts.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import pyotp

from vault.domain.secret import Secret
from vault.errors import Invalid

PERIOD: Final = 30
DIGITS: Final = 6
SEED_BITS_MIN: Final = 112
"""RFC 4226 section 4, R6, asks for 128 bits; 112 is the least that authenticators accept."""
SEED_CHARACTERS_MAX: Final = 256
INPUT_MAX: Final = 2048
OWN_SEED_BYTES: Final = 20
"""RFC 4226 section 4: 160 bits are recommended."""

_BASE32: Final = re.compile(r"[A-Z2-7]+", re.ASCII)
_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
_IMPOSSIBLE_TAILS: Final = frozenset({1, 3, 6})
"""Lengths modulo 8 that no whole number of bytes has (RFC 4648 section 6)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Seed:
    """A shared secret in canonical base32: upper case, no blanks, no padding. Made by `parse_seed`."""

    secret: Secret[str]


def parse_seed(text: Secret[str]) -> Seed:
    """Take in a seed as people copy it: blanks, dashes, lower case, or an ``otpauth://`` URI.

    Raises `Invalid` (``seed.invalid``) that says what to do next, and never holds the text.
    """
    given = text.expose().strip()
    if len(given) > INPUT_MAX:
        raise _invalid("It is far too long. Paste only the secret key that AWS shows below the QR code.")
    if given[:8].lower() == "otpauth:":
        given = _from_uri(given)
    # checked before the case is folded: U+017F in upper case is an ASCII S
    canonical = re.sub(r"[ \t\r\n-]", "", given).rstrip("=").upper()
    if not given.isascii() or _BASE32.fullmatch(canonical) is None:
        raise _invalid(
            "It may hold only the letters A to Z and the digits 2 to 7. Choose 'Show secret key' at AWS and "
            "copy it whole; 0, 1, 8 and 9 never occur in one."
        )
    if len(canonical) % 8 in _IMPOSSIBLE_TAILS or len(canonical) > SEED_CHARACTERS_MAX:
        raise _invalid("No secret key has this length: characters are missing or doubled.")
    data = base64.b32decode(canonical + "=" * (-len(canonical) % 8))
    if len(data) * 8 < SEED_BITS_MIN:
        raise _invalid(
            f"It has fewer than {SEED_BITS_MIN} bits, too few to be safe. Replace the MFA device at AWS, "
            "whose own secret keys have 320, and take in the new one."
        )
    return Seed(Secret(base64.b32encode(data).decode("ascii").rstrip("=")))


def generate_seed() -> Seed:
    """Make a seed of 160 random bits for one of our own people (RFC 4226 section 4)."""
    return Seed(Secret(base64.b32encode(secrets.token_bytes(OWN_SEED_BYTES)).decode("ascii")))


def step_of(time: datetime) -> int:
    """Give the number of the 30-second step that holds `time` (RFC 6238 section 4.2); aware times only."""
    if time.utcoffset() is None:
        message = "a time without a zone has no step"
        raise ValueError(message)
    return (time - _EPOCH) // timedelta(seconds=PERIOD)


def step_end(step: int) -> datetime:
    """Give the first moment after the step: until then, and one step longer at AWS, its code is good."""
    return _EPOCH + timedelta(seconds=(step + 1) * PERIOD)


def code_at(seed: Seed, step: int) -> Secret[str]:
    """Give the six digits of one step (RFC 6238 section 4.2, RFC 4226 section 5.3)."""
    return Secret(pyotp.HOTP(seed.secret.expose(), digits=DIGITS).at(step))


def matching_step(seed: Seed, code: str, time: datetime, window: int = 1) -> int | None:
    """Give the step within ±`window` of `time` whose code was typed, or None.

    Only six ASCII digits are a code: look-alikes (full-width, mathematical) are refused, not folded
    (SECURITY S15). All steps are computed and compared in constant time. If two match, the later
    one counts, so that marking it used closes both.
    """
    if _CODE.fullmatch(code) is None:
        return None
    now = step_of(time)
    found: int | None = None
    for step in range(max(0, now - window), now + window + 1):
        if hmac.compare_digest(code_at(seed, step).expose(), code):
            found = step
    return found


def provisioning_uri(seed: Seed, issuer: str, person: str) -> Secret[str]:
    """Give the URI that an authenticator reads as a QR code, for our own people's seeds only."""
    return Secret(pyotp.TOTP(seed.secret.expose()).provisioning_uri(name=person, issuer_name=issuer))


def _from_uri(uri: str) -> str:
    """Give the secret of an ``otpauth://totp/`` URI whose other parameters are AWS's."""
    try:
        parts = urlsplit(uri)
        pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=16)
    except ValueError:
        raise _invalid("The otpauth address cannot be read. Paste the secret key instead.") from None
    parameters = {name.lower(): value for name, value in pairs}
    if len(parameters) != len(pairs):
        raise _invalid("The otpauth address names something twice. Paste the secret key instead.")
    if unquote(parts.netloc).lower() != "totp":
        raise _invalid("The otpauth address is not for time-based codes. Enrol a virtual MFA device.")
    expected = {"digits": "6", "algorithm": "SHA1", "period": "30"}
    for name, value in expected.items():
        if parameters.get(name, value).upper() != value:
            raise _invalid(
                f"The otpauth address asks for another {name} than {value}, which AWS does not use. Check "
                "that it is the one of the AWS root user."
            )
    if not parameters.get("secret"):
        raise _invalid("The otpauth address has no secret in it. Paste the secret key instead.")
    return parameters["secret"]


def _invalid(why: str) -> Invalid:
    return Invalid("seed.invalid", f"This is not an MFA seed that can be taken in. {why}")
