"""Padding of a text to a bucket, so that the length of what is stored tells nothing of the secret.

The layout is specified in `vault.crypto.envelope`, section "Payload".
"""

from __future__ import annotations

from typing import Final

LENGTH: Final = 4
SMALLEST: Final = 256
LARGEST: Final = 65536
TEXT_MAX: Final = LARGEST - LENGTH


class PaddingError(Exception):
    """The bytes are not what `pad` writes."""


class TooLongError(Exception):
    """The text does not fit into the largest bucket."""


def pad(text: str) -> bytes:
    """Write the UTF-8 length, the UTF-8 bytes and zeros up to the smallest bucket that fits."""
    data = text.encode("utf-8")
    if len(data) > TEXT_MAX:
        raise TooLongError
    return (len(data).to_bytes(LENGTH, "big") + data).ljust(bucket(len(data)), b"\0")


def unpad(payload: bytes) -> str:
    """Read what `pad` wrote; refuse whatever it would not have written."""
    length = int.from_bytes(payload[:LENGTH], "big")
    if length > TEXT_MAX or len(payload) != bucket(length) or any(payload[LENGTH + length :]):
        raise PaddingError
    try:
        return payload[LENGTH : LENGTH + length].decode("utf-8")
    except UnicodeDecodeError:
        # the cause would carry the plaintext
        raise PaddingError from None


def bucket(length: int) -> int:
    """Give the size of the smallest bucket for `length` bytes of text: 256, 512, … 65536."""
    size = SMALLEST
    while size < LENGTH + length:
        size *= 2
    return size
