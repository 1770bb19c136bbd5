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
for and is wrong refuses the whole note. A key either signs texts or swears to a time, never both (`Signer`,
`Cosigner`). Never done here: what a text means, or asking a clock.
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
from typing import ClassVar, Final, Self

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
_LATEST: Final = 2**63 - 1
_SPKI: Final = bytes.fromhex("302a300506032b6570032100")
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

    @classmethod
    def from_spki(cls, name: str, der: bytes) -> Verifier:
        """Make the verifier of an Ed25519 key that is given as SubjectPublicKeyInfo (RFC 8410), as key services do."""
        _check_name(name)
        if len(der) != len(_SPKI) + _KEY_SIZE or not der.startswith(_SPKI):
            raise NoteRefused("note.key", "the public key is not an Ed25519 key as RFC 8410 writes it")
        return cls(name, ED25519, der[len(_SPKI) :])

    def check(self, text: str, signature: bytes) -> Signature:
        """Verify what follows the key id in a signature line; raise `NoteRefused` if it is wrong."""
        message, time = text.encode("utf-8"), None
        if self.type == COSIGNATURE:
            time = int.from_bytes(signature[:_TIME_SIZE], "big")
            signature = signature[_TIME_SIZE:]
            message = _sworn(text, time)
            if time > _LATEST:
                raise NoteRefused("note.time", f"the time that {self.name} swore to cannot be")
        if len(signature) != _SIGNATURE_SIZE:
            raise NoteRefused("note.signature", f"the signature by {self.name} is not of 64 bytes")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            raise NoteRefused("note.signature", f"the signature by {self.name} is wrong") from None
        return Signature(self.name, self.key_id, time)


@dataclass(frozen=True, slots=True, eq=False)
class _Key:
    """A private Ed25519 key with a name; the key itself is never shown."""

    type: ClassVar[int]
    name: str
    _key: Ed25519PrivateKey = field(repr=False)
    _prefix: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        object.__setattr__(self, "_prefix", self.verifier.key_id)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Make the key of a 32-byte seed (RFC 8032 5.1.5)."""
        if len(seed) != _KEY_SIZE:
            raise NoteRefused("note.key", "the seed of a signing key has 32 bytes")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make a key that nobody has seen."""
        return cls(name, Ed25519PrivateKey.generate())

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.type, self._key.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The one line by which the public half is given to others."""
        return self.verifier.vkey


@dataclass(frozen=True, slots=True, eq=False)
class Signer(_Key):
    """The key of whoever writes a text."""

    type: ClassVar[int] = ED25519

    def line(self, text: str) -> str:
        """Return the signature line for a text. The same text gives the same line."""
        _check_text(text)
        return self._signed(text).format()

    def sign(self, text: str) -> str:
        """Return the note: the text, a blank line and one signature. The same text gives the same note."""
        return f"{text}\n{self.line(text)}"

    def is_own(self, note: str) -> bool:
        """Tell whether a note bears the line that `line` returns for its text, alone or among others.

        Ed25519 is deterministic (RFC 8032 5.1.6), so signing again answers this at a third of the cost of
        verifying. What was signed here is compared and dropped, never given out.
        """
        try:
            text, lines = split(note)
        except NoteRefused:
            return False
        named = [each for each in lines if each.name == self.name and each.key_id == self._prefix]
        return bool(named) and named[0] == self._signed(text)

    def _signed(self, text: str) -> Line:
        return Line(self.name, self._prefix, self._key.sign(text.encode("utf-8")))


@dataclass(frozen=True, slots=True, eq=False)
class Cosigner(_Key):
    """The key of a witness, who swears that a checkpoint was the largest it knew of a log at some time."""

    type: ClassVar[int] = COSIGNATURE

    def line(self, text: str, time: int) -> str:
        """Return the cosignature line for a checkpoint's text; `time` in seconds since 1970 (C2SP tlog-cosignature)."""
        _check_text(text)
        if not 0 < time <= _LATEST:
            raise NoteRefused("note.time", "the time of a cosignature is a number of seconds since 1970")
        signature = time.to_bytes(_TIME_SIZE, "big") + self._key.sign(_sworn(text, time))
        return Line(self.name, self._prefix, signature).format()


@dataclass(frozen=True, slots=True)
class Line:
    """A signature line, unverified: who is said to have signed, and what follows the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def time(self) -> int | None:
        """What a witness says that it swore to, None for a line that does not have a cosignature's length."""
        if len(self.signature) != _TIME_SIZE + _SIGNATURE_SIZE:
            return None
        return int.from_bytes(self.signature[:_TIME_SIZE], "big")

    def format(self) -> str:
        """Write the line with its newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode('ascii')}\n"

    @classmethod
    def parse(cls, line: str) -> Line:
        """Read a line without its newline; raise `NoteRefused` for whatever `format` would not have written."""
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if mark != "—":
            raise NoteRefused("note.form", "a signature line begins with U+2014 and a space")
        _check_name(name)
        raw = _base64(encoded, "a signature")
        if len(raw) <= _ID_SIZE:
            raise NoteRefused("note.form", "a signature is too short to name its key")
        return cls(name, raw[:_ID_SIZE], raw[_ID_SIZE:])


def split(note: str) -> tuple[str, list[Line]]:
    """Return a note's text and its signature lines, none verified; raise `NoteRefused` if it is not a note."""
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
    return text, [Line.parse(line) for line in lines]


def open_note(note: str, verifiers: Sequence[Verifier]) -> Note:
    """Verify a note and return its text; `NoteRefused` unless one of `verifiers` signed it and none wrongly.

    Nothing in the text is looked at before that. Of several lines by the same key the first counts.
    """
    text, lines = split(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found: dict[tuple[str, bytes], Signature] = {}
    for line in lines:
        key = line.name, line.key_id
        verifier = known.get(key)
        if verifier is not None and key not in found:
            found[key] = verifier.check(text, line.signature)
    if not found:
        raise NoteRefused("note.unsigned", "none of the note's signatures is by a key that was asked for")
    return Note(text, tuple(found.values()))


def write_key(path: Path, key: Signer | Cosigner) -> None:
    """Keep a key as PKCS #8 PEM in a new file that only its owner may read (0600).

    A witness's file begins with its vkey, as text before PEM may (RFC 7468 section 2): it holds the name.
    """
    pem = key._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # noqa: SLF001 - this module alone may
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(f"{key.vkey}\n".encode() + pem if isinstance(key, Cosigner) else pem)
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path, name: str) -> Signer:
    """Read a signer's key: PKCS #8 PEM or the 32 bytes of a seed, in a regular file of mode 0600 or less.

    Raises `NoteRefused` for a file that others may read or write, and never says what the file holds.
    """
    return Signer(name, _private(path, _private_file(path)))


def read_cosigner(path: Path) -> Cosigner:
    """Read a witness's key as `write_key` wrote it, under the same conditions as `read_key`."""
    content = _private_file(path)
    try:
        named = Verifier.parse(content.partition(b"\n")[0].decode("utf-8"))
    except (UnicodeDecodeError, NoteRefused):
        raise NoteRefused("note.key_file", f"{path}: does not begin with a witness's vkey") from None
    cosigner = Cosigner(named.name, _private(path, content))
    if cosigner.verifier != named:
        raise NoteRefused("note.key_file", f"{path}: its vkey is not that of its key")
    return cosigner


def _private_file(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
            raise NoteRefused("note.key_file", f"{path}: a key must be a regular file of mode 0600")
        return file.read(_KEY_FILE_LONGEST)


def _private(path: Path, content: bytes) -> Ed25519PrivateKey:
    if len(content) == _KEY_SIZE:
        return Ed25519PrivateKey.from_private_bytes(content)
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoteRefused("note.key_file", f"{path}: neither PEM nor a seed of 32 bytes") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoteRefused("note.key_file", f"{path}: not an Ed25519 key")
    return key


def _sworn(text: str, time: int) -> bytes:
    """Return what a witness signs (C2SP tlog-cosignature, Ed25519)."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


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
