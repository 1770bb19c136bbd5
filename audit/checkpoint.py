r"""A checkpoint: origin, size and root of a log as the text of a signed note (C2SP tlog-checkpoint).

    <origin>\n
    <size, decimal, no leading nought>\n
    <base64 of the 32-byte root>\n

Decided here: no extension lines, so that a checkpoint has one form; and no size 0, because nothing can be
proven from it. The signature around the text is `audit.note`.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from audit.errors import NoteRefused
from audit.merkle import HASH_SIZE, LARGEST_SIZE

_SIZE: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_LINES: Final = 4


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its first `size` entries have `root`."""

    origin: str
    size: int
    root: bytes

    def format(self) -> str:
        """Write the note's text, as it is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a note's text; raise `NoteRefused` for whatever `format` would not have written."""
        lines = text.split("\n")
        if len(lines) != _LINES or lines[-1] != "" or lines[0] == "":
            raise NoteRefused("checkpoint.form", "a checkpoint is three lines: origin, size and root")
        if not _SIZE.fullmatch(lines[1]) or int(lines[1]) > LARGEST_SIZE:
            raise NoteRefused("checkpoint.size", "the size of a checkpoint is a decimal from 1 to 2**62")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (binascii.Error, ValueError):
            raise NoteRefused("checkpoint.root", "the root of a checkpoint is not base64") from None
        checkpoint = cls(lines[0], int(lines[1]), root)
        if len(root) != HASH_SIZE or checkpoint.format() != text:
            raise NoteRefused("checkpoint.root", "the root of a checkpoint is not the base64 of 32 bytes")
        return checkpoint
