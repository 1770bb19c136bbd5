r"""Signed notes: a text and the signatures under it (C2SP signed-note), and the keys that make them.

    <text, ends with a newline, holds no other control characters>
    \n
    — <key name> <base64(key id[4] || signature)>\n          U+2014, space, name, space; one line a signature

The text is signed with its last newline. A key's public form is one line, its *vkey*:

    <key name>+<key id, 8 hex digits>+<base64(type byte || 32-byte public key)>
    key id = the first four bytes of SHA-256(key name || 0x0A || type byte || public key)

    type 0x01   Ed25519 over the text
    type 0x04   a witness's cosignature: Ed25519 over "cosignature/v1\ntime <t>\n" || text; its line holds
                key id[4] || t as eight bytes, big-endian || signature[64], t in seconds since 1970

    >>> signer = Signer.from_seed("log.example/audit", bytes(32))
    >>> note = signer.sign("hello\n")
    >>> open_note(note, [Verifier.parse(signer.vkey)]).text
    'hello\n'

Decided here: verify first, then parse. Signatures by keys that were not asked for are ignored, as the
specification wants, so that keys can be rotated and witnesses added; a signature by a key that was asked
for and is wrong refuses the whole note. Never done here: what a text means.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from audit.errors import NoteRefused

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
LONGEST: Final = 1_000_000
MOST_SIGNATURES: Final = 100

_ID_SIZE: Final = 4
_TIME_SIZE: Final = 8
_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_NAME: Final = re.compile(r"[^\s+]+")
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
_KEY_FILE_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Signature:
    """A verified signature; `time` is what a witness swore to, in seconds since 1970."""

    name: str
    key_id: bytes
    time: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A text whose `signatures`, one at least, were verified."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with a name: who may have signed."""

    name: str
    type: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that say which key a signature line is by."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:_ID_SIZE]

    @property
    def vkey(self) -> str:
        """The one line by which this key is given to others."""
        key = base64.b64encode(bytes([self.type]) + self.public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Read a vkey; raise `NoteRefused` unless its parts agree with each other."""
        name, key_id, key = (*vkey.split("+", 2), "", "")[:3]
        _check_name(name)
        raw = _base64(key, "the vkey's key")
        if not _KEY_ID.fullmatch(key_id) or len(raw) != 1 + _KEY_SIZE:
            raise NoteRefused("note.vkey", "a vkey is name+8 hex digits+base64 of a type and 32 bytes")
        if raw[0] not in {ED25519, COSIGNATURE}:
            raise NoteRefused("note.vkey", f"keys of type {raw[0]:#04x} are not known here")
        verifier = cls(name, raw[0], raw[1:])
        if verifier.key_id.hex() != key_id:
            raise NoteRefused("note.vkey", "the key id of the vkey is not that of its name and key")
        return verifier

    def check(self, text: str, signature: bytes) -> Signature:
        """Verify what follows the key id in a signature line; raise `NoteRefused` if it is wrong."""
        message, time = text.encode("utf-8"), None
        if self.type == COSIGNATURE:
            time = int.from_bytes(signature[:_TIME_SIZE], "big")
            signature = signature[_TIME_SIZE:]
            message = f"cosignature/v1\ntime {time}\n".encode("ascii") + message
        if len(signature) != _SIGNATURE_SIZE:
            raise NoteRefused("note.signature", f"the signature by {self.name} is not of 64 bytes")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            raise NoteRefused("note.signature", f"the signature by {self.name} is wrong") from None
        return Signature(self.name, self.key_id, time)


@dataclass(frozen=True, slots=True, eq=False)
class Signer:
    """A private Ed25519 key with a name; the key itself is never shown."""

    name: str
    _key: Ed25519PrivateKey = field(repr=False)
    _prefix: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        object.__setattr__(self, "_prefix", self.verifier.key_id)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Signer:
        """Make the key of a 32-byte seed (RFC 8032 5.1.5)."""
        if len(seed) != _KEY_SIZE:
            raise NoteRefused("note.key", "the seed of a signing key has 32 bytes")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def generate(cls, name: str) -> Signer:
        """Make a key that nobody has seen."""
        return cls(name, Ed25519PrivateKey.generate())

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, ED25519, self._key.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The one line by which the public half is given to others."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """Return the note: the text, a blank line and one signature. The same text gives the same note."""
        _check_text(text)
        signature = self._prefix + self._key.sign(text.encode("utf-8"))
        return f"{text}\n— {self.name} {base64.b64encode(signature).decode('ascii')}\n"

    def is_own(self, note: str) -> bool:
        """Tell whether a note is exactly what `sign` returned for its text.

        Ed25519 is deterministic (RFC 8032 5.1.6), so signing again answers this at a third of the cost of
        verifying. What was signed here is compared and dropped, never given out.
        """
        text, separator, _ = note.rpartition("\n\n")
        return bool(separator) and not _CONTROL.search(text) and self.sign(text + "\n") == note


def open_note(note: str, verifiers: Sequence[Verifier]) -> Note:
    """Verify a note and return its text; `NoteRefused` unless one of `verifiers` signed it and none wrongly.

    Nothing in the text is looked at before that. Of several lines by the same key the first counts.
    """
    if len(note) > LONGEST:
        raise NoteRefused("note.too_long", f"the note is longer than {LONGEST} characters")
    text, separator, tail = note.rpartition("\n\n")
    if not separator:
        raise NoteRefused("note.form", "the note has no blank line between text and signatures")
    text += "\n"
    _check_text(text)
    lines = tail.split("\n")
    if lines.pop() != "" or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise NoteRefused("note.form", f"a note ends with 1 to {MOST_SIGNATURES} whole signature lines")
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found: dict[tuple[str, bytes], Signature] = {}
    for line in lines:
        name, raw = _signature_line(line)
        key = name, raw[:_ID_SIZE]
        verifier = known.get(key)
        if verifier is not None and key not in found:
            found[key] = verifier.check(text, raw[_ID_SIZE:])
    if not found:
        raise NoteRefused("note.unsigned", "none of the note's signatures is by a key that was asked for")
    return Note(text, tuple(found.values()))


def write_key(path: Path, signer: Signer) -> None:
    """Keep a signer's key as PKCS #8 PEM in a new file that only its owner may read (0600)."""
    pem = signer._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # noqa: SLF001 - this module alone may
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path, name: str) -> Signer:
    """Read a signer's key: PKCS #8 PEM or the 32 bytes of a seed, in a regular file of mode 0600 or less.

    Raises `NoteRefused` for a file that others may read or write, and never says what the file holds.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
            raise NoteRefused("note.key_file", f"{path}: a key must be a regular file of mode 0600")
        content = file.read(_KEY_FILE_LONGEST)
    if len(content) == _KEY_SIZE:
        return Signer.from_seed(name, content)
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoteRefused("note.key_file", f"{path}: neither PEM nor a seed of 32 bytes") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoteRefused("note.key_file", f"{path}: not an Ed25519 key")
    return Signer(name, key)


def _signature_line(line: str) -> tuple[str, bytes]:
    """Split a signature line into the key's name and the raw bytes."""
    mark, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if mark != "—":
        raise NoteRefused("note.form", "a signature line begins with U+2014 and a space")
    _check_name(name)
    raw = _base64(encoded, "a signature")
    if len(raw) <= _ID_SIZE:
        raise NoteRefused("note.form", "a signature is too short to name its key")
    return name, raw


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or _CONTROL.search(name):
        raise NoteRefused("note.name", "a key's name is not empty and holds neither spaces nor '+'")


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteRefused(
            "note.text", "a note's text ends with a newline and holds no other control character"
        )


def _base64(encoded: str, what: str) -> bytes:
    """Decode canonical base64 (RFC 4648 section 4, with padding)."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteRefused("note.base64", f"{what} is not base64") from None
    if base64.b64encode(raw).decode("ascii") != encoded:
        raise NoteRefused("note.base64", f"{what} is not canonical base64")
    return raw
