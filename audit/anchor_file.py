r"""The anchor file: published checkpoints, added to a file on another disk, better on another machine's.

    <origin>\n
    <size>\n
    <base64 of the root>\n
    \n
    — <key name> <base64>\n                one line a signature
    \n                                     an empty line ends the record

Each record is a signed checkpoint as it was published (`audit.checkpoint`) and an empty line. The newest is at the
end, for `tail`; the sizes go up. A checkpoint that is published again with more signatures is added again. The file
is only ever added to, so it may be on a disk that allows nothing else (`chattr +a`).

A record is whole once its empty line is there. What a crash left of one at the end stays: the next begins on a new
line after it, and readers pass over it.

Decided here: the form, and that a record is on disk when `add` returns. A file that holds more of the log than we
do, or another log of the same size, shows that the log was rolled back or rewritten: nothing is added and
`RolledBack` is raised. Never done here: verifying signatures (`audit.mark.check_kept` does, of what `last` gives).
"""

from __future__ import annotations

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.checkpoint import Checkpoint
from audit.durable import sync_directory
from audit.errors import NoteRefused, RolledBack
from audit.note import split

LARGEST_RECORD: Final = 65_536
"""Bytes of one record at most; so the last whole one lies within the last two of these."""

_RECORD: Final = re.compile(rb"^([^\n]+\n[1-9][0-9]*\n[^\n]+\n\n(?:\xe2\x80\x94 [^\n]+\n)+)\n", re.MULTILINE)
_BEGUN: Final = re.compile(
    rb"[^\n]*|[^\n]+\n[0-9]*|[^\n]+\n[0-9]+\n[^\n]*|[^\n]+\n[0-9]+\n[^\n]+\n"
    rb"|[^\n]+\n[0-9]+\n[^\n]+\n\n(?:\xe2\x80\x94 [^\n]+\n)*(?:\xe2[^\n]*)?"
)
_ADD: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Last:
    """The last whole record, None if there is none; `torn` if something that is no record follows it."""

    note: str | None
    torn: bool


class AnchorFile:
    """The anchor file at one path; many threads and processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self) -> Last:
        """Return what the file ends with; a file that is not there holds nothing.

        Raises `RolledBack` for a file that was written by something else, `OSError` if it cannot be read.
        """
        try:
            descriptor = os.open(self._path, _READ)
        except FileNotFoundError:
            return Last(None, torn=False)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            return self._last(descriptor)
        finally:
            os.close(descriptor)

    def add(self, note: str) -> Last:
        """Add a checkpoint of ours; durable when this returns. Adding the last one again changes nothing.

        Returns what the file ended with before: where that is `torn`, whoever looks after the machine should be
        told. Raises `RolledBack`, and adds nothing, where the file holds a larger checkpoint, another one of the
        same size, or one of another log; `OSError` if the disk refuses.
        """
        checkpoint = _checkpoint(note)
        record = note.encode("utf-8") + b"\n"
        if len(record) > LARGEST_RECORD:
            raise NoteRefused(
                "note.too_long", f"a record of the anchor file has at most {LARGEST_RECORD} bytes"
            )
        descriptor = os.open(self._path, _ADD, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            last = self._last(descriptor)
            if last.note is not None:
                self._hold_against(last.note, checkpoint)
            if last.torn:
                record = b"\n" + record
            if last.torn or last.note != note:
                while record:
                    record = record[os.write(descriptor, record) :]
            os.fsync(descriptor)  # also of what another wrote just now
        finally:
            os.close(descriptor)
        if last.note is None:
            sync_directory(self._path.parent)
        return last

    def _last(self, descriptor: int) -> Last:
        size = os.fstat(descriptor).st_size
        start = max(0, size - 2 * LARGEST_RECORD)
        content = os.pread(descriptor, size - start, start)
        records = list(_RECORD.finditer(content))
        if not records:
            if start or not _BEGUN.fullmatch(content):
                raise self._damaged()
            return Last(None, torn=bool(content))
        found = records[-1]
        try:
            return Last(found[1].decode("utf-8"), torn=found.end() != len(content))
        except UnicodeDecodeError:
            raise self._damaged() from None

    def _damaged(self) -> RolledBack:
        return RolledBack("anchor.damaged", f"{self._path} holds no checkpoints: restore it, then ask why")

    def _hold_against(self, last: str, ours: Checkpoint) -> None:
        try:
            kept = _checkpoint(last)
        except NoteRefused as error:
            words = f"{self._path} ends with what is no checkpoint ({error.words}): restore it, then ask why"
            raise RolledBack("anchor.damaged", words) from None
        if kept.origin != ours.origin:
            raise RolledBack("anchor.origin", f"{self._path} is of {kept.origin}, not of {ours.origin}")
        if kept.size > ours.size:
            raise RolledBack(
                "log.rolled_back",
                f"LOG ROLLED BACK: {self._path} has seen {kept.size} entries, the log has {ours.size}."
                " Nothing may be disclosed.",
            )
        if kept.size == ours.size and kept.root != ours.root:
            raise RolledBack(
                "log.forked",
                f"LOG FORKED: {self._path} has seen another log of {kept.size} entries. Nothing may be disclosed.",
            )


def _checkpoint(note: str) -> Checkpoint:
    return Checkpoint.parse(split(note)[0])
