"""The server's own key: what must work while KMS is down is sealed or signed under it.

Decided here: how one 32-byte key becomes one key a purpose, so that a value made for one purpose is
noise for another (HKDF, RFC 5869), and the format of values sealed under it. Used for people's OTP
seeds, the HMAC of request bodies, the browser session's signature, the pepper of token hashes
(ARCHITECTURE rule 13, SECURITY S8, S23). Never used for root credentials: those are under a key
service. Never done here: reading the key file.

Sealed value: as `vault.crypto.envelope`, sections Body, Keys, Payload and Cipher, with the magic
``RVL`` 0x01, the subkey of the purpose in place of the data key, and as `AD` the canonical JSON of
``{"app": "root-vault", "owner": …, "purpose": …}``. Each value has its own salt, so one key may
seal any number of values.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.crypto import aead, padding
from vault.crypto.context import APP, canonical_pairs
from vault.domain.secret import Secret
from vault.errors import Invalid, Tampered
from vault.ports.keys import Wrap

if TYPE_CHECKING:
    from collections.abc import Mapping

SEAL_MAGIC: Final = b"RVL\x01"
WRAP_MAGIC: Final = b"RVW\x01"
KEY_BYTES: Final = aead.KEY

_LABEL: Final = b"root-vault server key\0"
_PURPOSE: Final = re.compile(r"[a-z][a-z0-9.-]{0,63}", re.ASCII)
_OWNER: Final = re.compile(r"[!-~]{1,254}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class ServerKey:
    """One server's 32-byte key. Purposes are short lower-case words such as ``person.otp``."""

    key: Secret[bytes]

    def __post_init__(self) -> None:
        if len(self.key.expose()) != KEY_BYTES:
            message = f"a server key is {KEY_BYTES} bytes"
            raise ValueError(message)

    def derive(self, purpose: str) -> bytes:
        """Derive the key of one purpose, for use outside this module (a cookie's signature, a pepper)."""
        return self._subkey(b"derive", purpose)

    def mac(self, purpose: str, data: bytes) -> bytes:
        """Give the HMAC-SHA-256 of `data` under the purpose's key (RFC 2104)."""
        return hmac.digest(self._subkey(b"mac", purpose), data, hashlib.sha256)

    def seal(self, purpose: str, owner: str, plaintext: Secret[str]) -> bytes:
        """Seal a text for one purpose and one owner (a person's id, say): no other place opens it."""
        associated_data = _owner_data(purpose, owner)
        try:
            payload = padding.pad(plaintext.expose())
        except (padding.TooLongError, UnicodeEncodeError):
            raise Invalid(
                "envelope.too_long",
                f"The text is not Unicode or is longer than {padding.TEXT_MAX} bytes; seal a shorter one.",
            ) from None
        return aead.seal(SEAL_MAGIC, self._subkey(b"seal", purpose), associated_data, payload)

    def open(self, purpose: str, owner: str, sealed: bytes) -> Secret[str]:
        """Open what `seal` made for the same purpose and owner; raise `Tampered` otherwise."""
        associated_data = _owner_data(purpose, owner)
        try:
            payload = aead.unseal(SEAL_MAGIC, self._subkey(b"seal", purpose), associated_data, sealed)
            return Secret(padding.unpad(payload))
        except (aead.OpeningError, padding.PaddingError):
            raise Tampered(
                "envelope.tampered",
                f"The sealed {purpose} of {owner} does not open under this server's key: it was changed, "
                "or the key file is not the one it was sealed with. Restore the key file, or enrol again.",
            ) from None

    def _subkey(self, use: bytes, purpose: str) -> bytes:
        if _PURPOSE.fullmatch(purpose) is None:
            message = "a purpose is a short lower-case word"
            raise ValueError(message)
        return aead.subkey(self.key.expose(), _LABEL + use + b"\0" + purpose.encode("ascii"))


def wrap_key(
    master: Secret[bytes], service: str, key_id: str, key: Secret[bytes], context: Mapping[str, str]
) -> Wrap:
    """Encrypt a data key under a local master key, bound to the encryption context as KMS does it.

    The blob is a Body with the magic ``RVW`` 0x01 and the 32 bytes of the data key as payload.
    """
    blob = aead.seal(WRAP_MAGIC, master.expose(), _context_data(context), _sized(key).expose())
    return Wrap(service, key_id, blob)


def unwrap_key(master: Secret[bytes], wrap: Wrap, context: Mapping[str, str]) -> Secret[bytes]:
    """Decrypt what `wrap_key` made in the same context; raise `Tampered` otherwise."""
    associated_data = _context_data(context)
    try:
        return _sized(Secret(aead.unseal(WRAP_MAGIC, master.expose(), associated_data, wrap.blob)))
    except (aead.OpeningError, ValueError):
        raise Tampered(
            "envelope.tampered",
            f"The data key wrapped under {wrap.key_id} does not open in its place: it is damaged, changed or "
            "another one's. Treat this as an incident, and restore the wraps from a backup.",
        ) from None


def new_key() -> Secret[bytes]:
    """Make a fresh 256-bit key from the operating system's generator."""
    return Secret(aead.random_key())


def _sized(key: Secret[bytes]) -> Secret[bytes]:
    if len(key.expose()) != KEY_BYTES:
        message = f"a data key is {KEY_BYTES} bytes"
        raise ValueError(message)
    return key


def _context_data(context: Mapping[str, str]) -> bytes:
    if not context:
        message = "a data key is never wrapped without a context"
        raise ValueError(message)
    return canonical_pairs(context)


def _owner_data(purpose: str, owner: str) -> bytes:
    if _OWNER.fullmatch(owner) is None:
        message = "an owner is 1 to 254 printable ASCII characters"
        raise ValueError(message)
    return canonical_pairs({"app": APP, "owner": owner, "purpose": purpose})
