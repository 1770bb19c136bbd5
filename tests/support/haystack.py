"""Searching bytes for a secret in every form that it could have been written down in.

Decided here: the forms. Base32 and base64 are looked for at every alignment, because a secret in the middle of a
longer text is shifted; what is looked for is only what does not depend on its neighbours.
"""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SHORTEST: Final = 8
"""Needles below this many bytes would be found by chance."""


@dataclass(frozen=True, slots=True)
class Found:
    """A secret that was found: whose, in which form, where."""

    secret: str
    form: str
    where: str
    at: int


def forms(secret: bytes) -> dict[str, bytes]:
    """Give every form of a secret, by name."""
    text = secret.decode("utf-8", "surrogateescape")
    found = {
        "raw": secret,
        "lower case": secret.lower(),
        "upper case": secret.upper(),
        "reversed": secret[::-1],
        "hex": secret.hex().encode(),
        "hex in capitals": secret.hex().upper().encode(),
        "per cent": "".join(f"%{byte:02X}" for byte in secret).encode(),
        "per cent in small letters": "".join(f"%{byte:02x}" for byte in secret).encode(),
        "url": quote(secret, safe="").encode(),
        "json": "".join(f"\\u{ord(each):04x}" for each in text).encode("ascii", "replace"),
    }
    if not any("\udc80" <= each <= "\udcff" for each in text):
        found |= {"utf-16 le": text.encode("utf-16-le"), "utf-16 be": text.encode("utf-16-be")}
    for name, encode, block in _BLOCKED:
        for shift in range(block):
            found[f"{name} shifted by {shift}"] = _core(encode, block, secret, shift)
    return {name: needle for name, needle in found.items() if len(needle) >= SHORTEST}


def search(secrets: Mapping[str, bytes], haystacks: Mapping[str, bytes]) -> list[Found]:
    """Find all secrets in all forms in all haystacks."""
    return list(_search(secrets, haystacks))


def _search(secrets: Mapping[str, bytes], haystacks: Mapping[str, bytes]) -> Iterator[Found]:
    for (name, secret), (where, hay) in itertools.product(secrets.items(), haystacks.items()):
        for needle, form in {needle: form for form, needle in forms(secret).items()}.items():
            at = hay.find(needle)
            if at >= 0:
                yield Found(name, form, where, at)


def _core(encode: Callable[[bytes], bytes], block: int, secret: bytes, shift: int) -> bytes:
    """Give the part of an encoded secret that is the same whatever stands before and after it."""
    after = -(shift + len(secret)) % block + block
    texts = [
        encode(bytes([before]) * shift + secret + bytes([behind]) * after)
        for before, behind in itertools.product((0x00, 0xFF), repeat=2)
    ]
    same = [len(set(column)) == 1 for column in zip(*texts, strict=True)]
    first, last = same.index(True), len(same) - 1 - same[::-1].index(True)
    return texts[0][first : last + 1]


_BLOCKED: Final[tuple[tuple[str, Callable[[bytes], bytes], int], ...]] = (
    ("base64", base64.b64encode, 3),
    ("base64 for urls", base64.urlsafe_b64encode, 3),
    ("base32", base64.b32encode, 5),
    ("base32 in small letters", lambda data: base64.b32encode(data).lower(), 5),
)
