"""A second opener of envelopes, written from the specification alone (`vault/crypto/envelope.py`).

It imports nothing of the vault, so that a change of both sides of the vault's own code at once, which
no round trip would notice, is noticed here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC


class NotAnEnvelopeError(Exception):
    """The bytes do not open under this key in this place."""


def open_by_specification(body: bytes, pairs: Mapping[str, str], data_key: bytes) -> str:
    """Open a body of format 1 step by step as the specification's sections name them."""
    magic, salt, commitment, nonce = body[:4], body[4:36], body[36:68], body[68:80]
    ciphertext, tag = body[80:-16], body[-16:]
    if magic != b"RVE\x01" or set(pairs) != {"account", "app", "format", "kind", "vault", "version"}:
        raise NotAnEnvelopeError
    place = json.dumps({name: pairs[name] for name in sorted(pairs)}, separators=(",", ":")).encode("ascii")
    if _hkdf(data_key, salt, magic + b"commitment\x00" + place) != commitment:
        raise NotAnEnvelopeError
    key = _hkdf(data_key, salt, magic + b"encryption key\x00" + place)
    decryptor = Cipher(AES(key), GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(place)
    payload = decryptor.update(ciphertext) + decryptor.finalize()
    length = int.from_bytes(payload[:4], "big")
    secret, zeros = payload[4 : 4 + length], payload[4 + length :]
    sizes = [size for size in (256 << step for step in range(9)) if size >= 4 + length]
    if not sizes or len(payload) != sizes[0] or zeros != bytes(len(zeros)):
        raise NotAnEnvelopeError
    return secret.decode("utf-8")


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF over SHA-256 for one block of output (RFC 5869 sections 2.2 and 2.3)."""
    return _hmac(_hmac(salt, key), info + b"\x01")


def _hmac(key: bytes, data: bytes) -> bytes:
    code = HMAC(key, SHA256())
    code.update(data)
    return code.finalize()
