"""Envelope, format 1: how one version of a secret is kept. This text is the specification.

Everything is in bytes; ``||`` joins; integers are big-endian; ``ascii(…)`` is a text's bytes.

Body
    ::

        magic       4   "RVE" and the format as one byte, 0x01
        salt       32   random, fresh for each body
        commitment 32   see Keys
        nonce      12   random, fresh for each body
        ciphertext  n   as long as the payload: 256, 512, 1024, … or 65536
        tag        16

    A body is at least 352 and at most 65632 bytes. A reader that finds another magic or another
    format refuses: which format a body must have comes from its place, never from the body alone.

Keys
    The data key is 32 random bytes, made for this version alone. With HKDF over SHA-256 (RFC 5869),
    `AD` as below, and 0x00 as one byte::

        encryption key = HKDF(key = data key, salt = salt, length = 32,
                              info = magic || ascii("encryption key") || 0x00 || AD)
        commitment     = HKDF(key = data key, salt = salt, length = 32,
                              info = magic || ascii("commitment") || 0x00 || AD)

    A reader computes the commitment and compares it, in constant time, before it decrypts: a body
    opens under one data key and in one place only.

Place
    `AD` is the canonical JSON (RFC 8785: names sorted, no blanks) of one object of six texts:
    ``account`` (12 digits), ``app`` (always ``root-vault``), ``format`` (``1``), ``kind``
    (lower-case word), ``vault`` (UUID), ``version`` (decimal, from 1). The same six pairs are the
    encryption context under which key services wrap the data key.

Payload
    ``length (4 bytes) || UTF-8 of the secret || zeros``, of the smallest bucket out of 256, 512,
    1024, … 65536 bytes that holds it. A reader refuses a wrong bucket, a byte other than zero after
    the secret, and what is not UTF-8.

Cipher
    AES-256-GCM with the encryption key, the nonce, the payload, and `AD` as associated data.

Wraps
    The data key, encrypted by each key service, is kept beside the body and is no part of it: it can
    be made anew under another key (re-wrapping) without touching the body or its hash. Written as
    canonical JSON: a list of 1 to 8 objects ``{"blob": base64, "key_id": text, "service": word}``,
    in the order in which they were made, no two for one key. Whatever would be written differently
    is refused.

Hash
    ``body_sha256``, the SHA-256 of the body alone, is what the account's promotion entry in the log
    holds: an older or planted envelope is found by it (SECURITY S10).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.crypto import aead, padding
from vault.domain.secret import Secret
from vault.errors import Invalid, Tampered
from vault.ports.keys import DataKey, Wrap

if TYPE_CHECKING:
    from vault.crypto.context import Context

MAGIC: Final = b"RVE"
FORMAT: Final = 1
BODY_MIN: Final = aead.OVERHEAD + padding.SMALLEST
BODY_MAX: Final = aead.OVERHEAD + padding.LARGEST

WRAPS_MAX: Final = 8
BLOB_MAX: Final = 6144
"""Longest ciphertext that KMS takes (Decrypt, CiphertextBlob)."""
KEY_ID_MAX: Final = 2048

_SERVICE: Final = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_KEY_ID: Final = re.compile(r"[!-~]{1,2048}", re.ASCII)
_WRAPS_MAX_BYTES: Final = WRAPS_MAX * (BLOB_MAX * 2 + KEY_ID_MAX * 2 + 128)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed secret as it is stored: the body, and the data key's wraps beside it."""

    body: bytes
    wraps: tuple[Wrap, ...]

    @property
    def body_sha256(self) -> bytes:
        """The hash that names this body in the log; re-wrapping does not change it."""
        return hashlib.sha256(self.body).digest()


def seal(plaintext: Secret[str], context: Context, data_key: DataKey) -> Envelope:
    """Seal `plaintext` in its place under a fresh `data_key`, which must not be used again (S11).

    Raises `Invalid` (``envelope.too_long``) above 65532 bytes of UTF-8.
    """
    if context.format != FORMAT:
        message = f"envelopes are written in format {FORMAT} only"
        raise ValueError(message)
    check_wraps(data_key.wraps)
    try:
        payload = padding.pad(plaintext.expose())
    except (padding.TooLongError, UnicodeEncodeError):
        raise Invalid(
            "envelope.too_long",
            f"The text is not Unicode or is longer than {padding.TEXT_MAX} bytes; seal a shorter one.",
        ) from None
    body = aead.seal(_magic(), data_key.key.expose(), context.associated_data(), payload)
    return Envelope(body, data_key.wraps)


def open_envelope(envelope: Envelope, context: Context, key: Secret[bytes]) -> Secret[str]:
    """Open the body with its unwrapped data key, in exactly the place it was sealed for.

    Raises `Tampered`: ``envelope.format`` for a format other than the place's, else
    ``envelope.tampered``.
    """
    if context.format != FORMAT or envelope.body[: aead.MAGIC] != _magic():
        raise Tampered(
            "envelope.format",
            f"The sealed {_place(context)} is not in format {FORMAT}. Do not convert it: find out who wrote "
            "it, and restore that version from a backup.",
        )
    try:
        return Secret(_open_body(envelope.body, context, key))
    except (aead.OpeningError, padding.PaddingError):
        raise Tampered(
            "envelope.tampered",
            f"The sealed {_place(context)} does not open in its place: it is damaged, changed or another "
            "one's. Treat this as an incident; compare its hash with the log and restore that version from "
            "a backup.",
        ) from None


def encode_wraps(wraps: tuple[Wrap, ...]) -> bytes:
    """Write wraps as canonical JSON, see "Wraps" above."""
    check_wraps(wraps)
    rows = [
        {"blob": base64.b64encode(wrap.blob).decode("ascii"), "key_id": wrap.key_id, "service": wrap.service}
        for wrap in wraps
    ]
    return json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def decode_wraps(data: bytes) -> tuple[Wrap, ...]:
    """Read wraps; raise `Tampered` for anything that `encode_wraps` would not have written."""
    try:
        return _parse_wraps(data)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Tampered(
            "envelope.tampered",
            "The wrapped keys of a sealed value are not in canonical form: they were damaged or changed "
            "outside the vault. Restore them from a backup.",
        ) from None


def check_wraps(wraps: tuple[Wrap, ...]) -> None:
    """Raise `ValueError` unless there are 1 to 8 well-formed wraps of different keys."""
    if not 1 <= len(wraps) <= WRAPS_MAX or len({(wrap.service, wrap.key_id) for wrap in wraps}) != len(wraps):
        message = f"an envelope has 1 to {WRAPS_MAX} wraps, each under another key"
        raise ValueError(message)
    for wrap in wraps:
        if (
            _SERVICE.fullmatch(wrap.service) is None
            or _KEY_ID.fullmatch(wrap.key_id) is None
            or not 1 <= len(wrap.blob) <= BLOB_MAX
        ):
            message = "a wrap names its service and key in printable ASCII and has 1 to 6144 bytes"
            raise ValueError(message)


def _open_body(body: bytes, context: Context, key: Secret[bytes]) -> str:
    if not BODY_MIN <= len(body) <= BODY_MAX:
        raise aead.OpeningError
    return padding.unpad(aead.unseal(_magic(), key.expose(), context.associated_data(), body))


def _parse_wraps(data: bytes) -> tuple[Wrap, ...]:
    if len(data) > _WRAPS_MAX_BYTES:
        raise ValueError("longer than any list of wraps")
    wraps = tuple(
        Wrap(row["service"], row["key_id"], base64.b64decode(row["blob"], validate=True))
        for row in json.loads(data.decode("ascii"))
    )
    if encode_wraps(wraps) != data:
        raise ValueError("not canonical")
    return wraps


def _magic() -> bytes:
    return MAGIC + bytes((FORMAT,))


def _place(context: Context) -> str:
    return f"{context.kind}, version {context.version}, of account {context.account}"
