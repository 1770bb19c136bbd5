"""The high-water mark: the highest checkpoint we have seen, in a file outside the database.

A database put back to an older state looks perfect from inside: its entries, tree and signature were all once
true. Only something that was not put back with it can tell. This file is the nearest such thing; witnesses
and anchors on other machines are farther, and better.

The file holds one signed checkpoint as text, nothing else. It only ever moves forward, under a lock that all
processes of this machine share, and can be read at any moment. A checkpoint as long as the one before it, and no
longer than a disk's sector, is written over it: a sector is written whole or not at all (PostgreSQL trusts its
pg_control to that), and it costs one wait for the disk. Any other replaces the file by a rename of a whole, synced
one, which costs several. Should a disk break its promise, the mark is damaged, which refuses and never passes.

A second file, `<mark>.held`, is there once somebody else was found to keep a checkpoint that the log does not
continue. While it is there, whatever it holds, the mark is neither read nor moved: both raise `RolledBack`. It is put
there under the lock under which the mark moves, so an append that looked before it was there and commits after it
cannot move the mark, and discloses nothing. No program takes it away in passing: a person does, who found out why.

Decided here: what counts as forward. Never done here: going on after `RolledBack`. The only way on is a new log
with a new origin, whose first entry tells of the last checkpoint of this one.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from audit import durable, merkle
from audit.checkpoint import Checkpoint
from audit.errors import AuditError, NoteRefused, RolledBack
from audit.note import LONGEST, Verifier
from audit.receipt import open_checkpoint
from audit.storage import Storage

_SECTOR: Final = 512


class MarkFile:
    """The mark at one path; many threads and processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """Return the signed checkpoint, None if there never was one; raise `RolledBack` if one is held."""
        self._refuse_held()
        try:
            with self._path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)  # never half of what is just being written
                content = file.read(LONGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            words = f"{self._path} cannot be read ({error.strerror}): give access to it, or ask why"
            raise RolledBack("mark.unreadable", words) from None
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise RolledBack(
                "mark.damaged", f"{self._path} is not a checkpoint: restore it, then ask why"
            ) from None

    def held(self) -> str | None:
        """Return what `hold` put beside the mark, for who examines it; None if nothing was."""
        try:
            with self._held.open("rb") as file:
                return file.read(LONGEST).decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            words = f"{self._held} cannot be read ({error.strerror}): give access to it, or ask why"
            raise RolledBack("mark.unreadable", words) from None

    def advance(self, note: str) -> None:
        """Move the mark to a checkpoint of ours, or leave it where it is farther; durable when this returns.

        Called after the commit that wrote the checkpoint. Raises `RolledBack` if the mark stands at another
        tree of the same size or at another log, or if a checkpoint is held.
        """
        wanted = _parse(note)
        if self._is_behind(wanted):
            with durable.locked(self._path.with_name(self._path.name + ".lock")):
                if self._is_behind(wanted) and not self._overwrite(note.encode("utf-8")):
                    durable.replace(self._path, note.encode("utf-8"))
        # not under the lock, so that many wait for the disk together; and also for what another wrote just now
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def check(self, storage: Storage, *verifiers: Verifier) -> None:
        """Raise `RolledBack` unless the stored log is the marked one, or has grown out of it.

        `verifiers` are the keys of the log, one or several (`Log.verifiers`). Without a mark there is nothing to
        compare with and nothing is refused: who expects one asks `read`.
        """
        note = self.read()
        if note is not None:
            self.check_note(note, storage, *verifiers)

    def check_note(self, note: str, storage: Storage, *verifiers: Verifier) -> None:
        """As `check`, against the mark as it was read.

        The mark is read before the head is, unless the head is locked: else others may commit and move the mark
        between the two, and a log that only grew looks rolled back.
        """
        check_kept(note, str(self._path), storage, *verifiers)

    def hold(self, note: str) -> None:
        """Stop everything that looks at the mark, for a checkpoint that the log does not continue; durable.

        For a checkpoint of this log that somebody else kept: it is put beside the mark, which stays as it is. The first
        one that is held stays. Raises `RolledBack` if the note, or the mark that is there, is of another log.
        """
        wanted = _parse(note)
        with durable.locked(self._path.with_name(self._path.name + ".lock")):
            if self._is_held():
                return
            present = self.read()
            if present is not None and _parse(present).origin != wanted.origin:
                raise RolledBack("mark.origin", f"{self._path} is not the mark of {wanted.origin}")
            durable.replace(self._held, note.encode("utf-8"))

    @property
    def _held(self) -> Path:
        return held_beside(self._path)

    def _is_held(self) -> bool:
        """Say whether there is anything at all under that name; one `lstat`."""
        try:
            self._held.lstat()
        except FileNotFoundError:
            return False
        except OSError as error:
            words = f"{self._held} cannot be looked for ({error.strerror}): give access to it, or ask why"
            raise RolledBack("mark.unreadable", words) from None
        return True

    def _refuse_held(self) -> None:
        if self._is_held():
            raise RolledBack(
                "mark.held",
                f"LOG ROLLED BACK: {self._held} holds a checkpoint that bears this log's own signature, and that the"
                " log did not continue when it was found. Nothing may be disclosed until a person found out why."
                " See docs/operations.md, 'The log is rolled back'",
            )

    def _is_behind(self, wanted: Checkpoint) -> bool:
        note = self.read()
        if note is None:
            return True
        present = _parse(note)
        if present.origin != wanted.origin:
            raise RolledBack("mark.origin", f"{self._path} marks {present.origin}, not {wanted.origin}")
        if present.size == wanted.size and present.root != wanted.root:
            words = f"LOG FORKED: there are two different logs of {wanted.size} entries. Nothing may be disclosed."
            raise RolledBack("log.forked", words)
        return present.size < wanted.size

    def _overwrite(self, content: bytes) -> bool:
        """Write over the present mark if that is safe; tell whether it was."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            if not len(content) == os.fstat(descriptor).st_size <= _SECTOR:
                return False
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            return os.pwrite(descriptor, content, 0) == len(content)
        finally:
            os.close(descriptor)


def held_beside(mark: Path) -> Path:
    """Give the name of the file that holds a mark."""
    return mark.with_name(mark.name + ".held")


def check_kept(note: str, place: str, storage: Storage, *verifiers: Verifier) -> None:
    """Raise `RolledBack` unless the stored log is, or grew out of, the one whose checkpoint is kept in `place`.

    The note was read before the head is. `verifiers` are the keys of one log: one good signature is enough, none
    may be wrong.
    """
    origin = verifiers[0].name
    try:
        kept = open_checkpoint(note, origin, *verifiers)
    except AuditError as error:
        raise RolledBack("mark.damaged", f"{place} holds no checkpoint of this log: {error.words}") from None
    head = storage.head()
    if head.size < kept.size:
        raise RolledBack(
            "log.rolled_back",
            f"LOG ROLLED BACK: the database ends at {head.size} entries, but {kept.size} were there before."
            " The database was replaced by an older copy, or its end was cut off. Nothing may be disclosed.",
        )
    try:
        current = open_checkpoint(head.note, origin, *verifiers)
        proof = merkle.prove_consistency(kept.size, current.size, storage.nodes)
        merkle.check_consistency(kept.size, current.size, proof, kept.root, current.root)
    except AuditError as error:
        raise RolledBack(
            "log.forked",
            f"LOG REWRITTEN: the log in the database does not continue the one of {kept.size} entries that"
            f" was there before ({error.words}). Nothing may be disclosed.",
        ) from None


def _parse(note: str) -> Checkpoint:
    try:
        return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
    except NoteRefused as error:
        raise RolledBack("mark.damaged", f"the mark is not a checkpoint: {error.words}") from None
