r"""What a log sends to a witness, as bytes (C2SP tlog-witness, add-checkpoint).

    old <size that the witness has, decimal>\n
    <base64 of each hash of the consistency proof>\n      at most 63; none where the size is 0
    \n
    <signed checkpoint>

Decided here: the form and its bounds. Never done here: believing any of it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from audit.errors import NoteRefused, ProofRefused
from audit.merkle import HASH_SIZE

LARGEST_REQUEST: Final = 16_384
"""Bytes of a request's body at most, and of an answer's."""

ADD: Final = "/add-checkpoint"
PLAIN: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"
MOST_HASHES: Final = 63

_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint for a witness that has the log's first `old` entries, and the proof that it continues them."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def format(self) -> bytes:
        """Write the body of the request."""
        hashes = "".join(base64.b64encode(each).decode("ascii") + "\n" for each in self.proof)
        return f"old {self.old}\n{hashes}\n{self.note}".encode()

    @classmethod
    def parse(cls, body: bytes) -> Submission:
        """Read the body; raise `NoteRefused` or `ProofRefused` for whatever `format` would not have written."""
        try:
            top, separator, note = body.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError:
            raise NoteRefused("witness.form", "the request is not UTF-8") from None
        first, *lines = top.split("\n")
        old = _OLD.fullmatch(first)
        if not separator or old is None or len(lines) > MOST_HASHES:
            raise NoteRefused(
                "witness.form", "a request begins with 'old', a size, at most 63 hashes and a blank line"
            )
        return cls(int(old[1]), tuple(_hash(line) for line in lines), note)


def place_of(origin: str) -> str:
    """Return the name under which a witness keeps and shows a log: SHA-256 of its origin, in hex."""
    return sha256(origin.encode("utf-8")).hexdigest()


def size_of(body: bytes) -> int | None:
    """Read the size that a witness answers a conflict with; None if it is none."""
    old = _OLD.fullmatch("old " + body.decode("ascii", "replace").removesuffix("\n"))
    return None if old is None else int(old[1])


def _hash(line: str) -> bytes:
    try:
        raw = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise ProofRefused("proof.hash", "a hash of the proof is not base64") from None
    if len(raw) != HASH_SIZE or base64.b64encode(raw).decode("ascii") != line:
        raise ProofRefused("proof.hash", "a hash of the proof is not the base64 of 32 bytes")
    return raw
