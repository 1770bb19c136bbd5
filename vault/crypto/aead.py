"""Sealing of bytes with a committed key: the core that envelopes, local seals and local wraps share.

Decided here: the key schedule and the layout that `vault.crypto.envelope` specifies in its first
two sections, for any four-byte magic. Never decided here: what is sealed, its padding, its place.
"""

from __future__ import annotations

import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY: Final = 32
MAGIC: Final = 4
SALT: Final = 32
COMMITMENT: Final = 32
NONCE: Final = 12
TAG: Final = 16
HEAD: Final = MAGIC + SALT + COMMITMENT + NONCE
OVERHEAD: Final = HEAD + TAG


class OpeningError(Exception):
    """The bytes do not open under this key in this place. Why exactly is not said: all cases are one."""


def seal(magic: bytes, key: bytes, associated_data: bytes, payload: bytes) -> bytes:
    """Encrypt `payload` under a key derived freshly from `key`, and bind it to `associated_data`."""
    if len(magic) != MAGIC or len(key) != KEY:
        message = "magic is 4 bytes and a key is 32"
        raise ValueError(message)
    salt = os.urandom(SALT)
    nonce = os.urandom(NONCE)
    encryption_key, commitment = _schedule(magic, key, salt, associated_data)
    ciphertext = AESGCM(encryption_key).encrypt(nonce, payload, associated_data)
    return b"".join((magic, salt, commitment, nonce, ciphertext))


def unseal(magic: bytes, key: bytes, associated_data: bytes, body: bytes) -> bytes:
    """Give the payload of `body`, or raise `OpeningError`.

    The commitment is checked first and in constant time, so a body opens under one key and in one
    place only, which GCM alone does not promise (RFC 9771 section 4.3, key commitment).
    """
    if len(key) != KEY or len(body) < OVERHEAD or body[:MAGIC] != magic:
        raise OpeningError
    salt = body[MAGIC : MAGIC + SALT]
    claimed = body[MAGIC + SALT : MAGIC + SALT + COMMITMENT]
    nonce = body[HEAD - NONCE : HEAD]
    encryption_key, commitment = _schedule(magic, key, salt, associated_data)
    if not hmac.compare_digest(claimed, commitment):
        raise OpeningError
    try:
        return AESGCM(encryption_key).decrypt(nonce, body[HEAD:], associated_data)
    except InvalidTag:
        raise OpeningError from None


def random_key() -> bytes:
    """Give 32 fresh random bytes from the operating system."""
    return os.urandom(KEY)


def subkey(key: bytes, label: bytes) -> bytes:
    """Derive a 32-byte key for one purpose from a uniformly random key (RFC 5869, no salt)."""
    return HKDF(SHA256(), KEY, None, label).derive(key)


def _schedule(magic: bytes, key: bytes, salt: bytes, associated_data: bytes) -> tuple[bytes, bytes]:
    encryption_key = HKDF(SHA256(), KEY, salt, magic + b"encryption key\0" + associated_data).derive(key)
    commitment = HKDF(SHA256(), COMMITMENT, salt, magic + b"commitment\0" + associated_data).derive(key)
    return encryption_key, commitment
