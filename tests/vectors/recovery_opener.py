"""A second reader of wraps for the recovery recipient, written from docs/formats-envelope.md alone.

It imports nothing of the vault. The age file is read by pyrage, the shares by the reference code of SLIP-0039.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import pyrage
from shamir_mnemonic import combine_mnemonics

from tests.vectors.envelopes_opener import open_by_specification

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def open_by_page(shares: Sequence[str], wrap: bytes, body: bytes, place: Mapping[str, str]) -> str:
    """Join three shares, open the wrap, look at the place, open the body."""
    identity = pyrage.x25519.Identity.from_str(_bech32("age-secret-key-", combine_mnemonics(shares)).upper())
    plaintext: bytes = pyrage.decrypt(wrap, [identity])
    written = json.dumps({name: place[name] for name in sorted(place)}, separators=(",", ":")).encode("ascii")
    if plaintext[:4] != b"RVA\x01" or plaintext[4:36] != hashlib.sha256(written).digest():
        raise ValueError("not of this place")
    return open_by_specification(body, place, plaintext[36:])


def _bech32(prefix: str, data: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    spread = [ord(letter) // 32 for letter in prefix] + [0] + [ord(letter) % 32 for letter in prefix]
    check = 1
    for value in [*spread, *values, 0, 0, 0, 0, 0, 0]:
        high, check = check >> 25, (check & 0x1FFFFFF) * 32 ^ value
        for bit, number in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if high >> bit & 1:
                check ^= number
    check ^= 1
    return (
        prefix
        + "1"
        + "".join(_LETTERS[value] for value in [*values, *((check >> 5 * (5 - i)) & 31 for i in range(6))])
    )
