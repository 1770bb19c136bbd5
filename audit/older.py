"""Older checkpoints, as they were kept elsewhere, and what they say of the log of now.

Decided here: each older checkpoint gets a verdict of its own, several of one size as well. One that is not rightly
signed by the log's keys is refused; one of a log that was longer shows a cut; one whose root is not that of the log's
first entries shows another past. Where the first difference is: exactly, if the whole log of then was kept, and if
its hashes are those that its own checkpoint signs; else between the last checkpoint that agrees and the first
that does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.errors import AuditError, NoteRefused
from audit.note import Verifier, open_note
from audit.receipt import open_checkpoint
from audit.report import Findings, Older
from audit.tile import WIDTH, Tile


class Old:
    """An older checkpoint on its way through the pass; `root` is this log's at that size, once it is known."""

    def __init__(self, older: Older, checkpoint: Checkpoint) -> None:
        self.name = older.name
        self.checkpoint = checkpoint
        self.root: bytes | None = None
        self.differs_at: int | None = None
        self.compared = 0  # so many first entries are those of then
        self._source = older.source
        self._next = 0  # the tile that is to be read
        self._frontier: list[bytes] = []  # of the kept log, over whole tiles
        self._edge: list[bytes] = []

    def compare(self, hashes: Sequence[bytes], root: bytes | None, findings: Findings) -> None:
        """Look, tile by tile, for the first entry that is not what it was then; `root` is that of a whole tile."""
        first = self._next * WIDTH
        width = min(WIDTH, self.checkpoint.size - first)
        if self._source is None or width <= 0:
            return
        try:
            kept = self._source.hashes(Tile(0, self._next, width))
        except AuditError as error:
            self._let_go(error.words, findings)
            return
        common = min(len(hashes), width)
        if self.differs_at is None and common > 0:
            self.differs_at = first_difference(first, hashes[:common], kept[:common])
            self.compared = first + common if self.differs_at is None else self.differs_at
        if width < WIDTH:
            self._edge = kept
        else:
            node = root if root is not None and kept == hashes else merkle.fold_complete(kept)
            _, self._frontier = merkle.complete(self._next, node, self._frontier)
        self._next += 1

    def finish(self, findings: Findings) -> None:
        """Read what is left of the kept log; it may tell where the difference is only if its own root is right."""
        while self._source is not None and self._next * WIDTH < self.checkpoint.size:
            self.compare([], None, findings)
        if self._source is not None:
            root = merkle.fold([*self._frontier, *merkle.edge(self._edge)])
            if root != self.checkpoint.root:
                self._let_go("its hashes are not those that its checkpoint signs", findings)

    @property
    def agrees(self) -> bool:
        """Tell whether the log of now begins with the log of then."""
        return self.root == self.checkpoint.root

    @property
    def differs(self) -> bool:
        """Tell whether it is known that it does not."""
        return self.differs_at is not None or (self.root is not None and not self.agrees)

    def _let_go(self, words: str, findings: Findings) -> None:
        findings.add("since.unreadable", None, f"{self.name} does not tell where it differs: {words}")
        self._source = None
        self.differs_at = None
        self.compared = 0


def check_signers(since: Sequence[Older], verifiers: Sequence[Verifier]) -> None:
    """Raise `NoteRefused` since.unsigned if none of the keys can tell whose an older checkpoint is.

    That says nothing of the log: it is asked before an examination. A signature by one of the keys that is wrong, or
    what is no checkpoint at all, is a finding of it.
    """
    for older in since:
        try:
            open_note(older.note, verifiers)
        except NoteRefused as error:
            if error.code == "note.unsigned":
                words = f"{older.name} is signed by none of the keys given: give the log's older key too"
                raise NoteRefused("since.unsigned", words) from None


def open_olds(since: Sequence[Older], verifiers: Sequence[Verifier], findings: Findings) -> list[Old]:
    """Open the older checkpoints, the smallest first; those that cannot be believed become findings."""
    olds = []
    for older in since:
        try:
            olds.append(Old(older, open_checkpoint(older.note, verifiers[0].name, *verifiers)))
        except AuditError as error:
            findings.add("since.refused", None, f"{older.name}: {error.words}")
    return sorted(olds, key=lambda old: old.checkpoint.size)


def judge(
    olds: Sequence[Old], checkpoint: Checkpoint, findings: Findings
) -> tuple[tuple[int, ...], tuple[int, int] | None]:
    """Give each older checkpoint its verdict, after the pass.

    Returns the sizes at which they agree, and the smallest range, its last included, that the first bad entry
    provably lies in as far as older checkpoints tell.
    """
    for old in olds:
        old.finish(findings)
    agreed = tuple(old.checkpoint.size for old in olds if old.agrees)
    ranges = []
    for old in sorted(olds, key=lambda old: (old.differs_at is None, old.checkpoint.size)):
        size = old.checkpoint.size
        low = max((each for each in agreed if each < size), default=0)
        if old.differs_at is not None:
            words = f"{old.name}: entry {old.differs_at} is not what it was when the log had {size} entries"
            findings.add("since.differs", old.differs_at, words)
            ranges.append((old.differs_at, old.differs_at))
        elif old.differs:
            words = f"{old.name}: one of the entries {low} to {size - 1} is not what it was when the log had {size}"
            findings.add("since.differs", findings.best(low, size), words)
            ranges.append((low, size - 1))
        if size > checkpoint.size:
            words = (
                f"{old.name}: the log had {size} entries then and has {checkpoint.size} now:"
                f" its end was cut off, or it was put back to an older state"
            )
            findings.add("since.truncated", checkpoint.size, words)
            ranges.append((max(low, old.compared), checkpoint.size))
    return agreed, min(ranges, key=lambda each: (each[1], -each[0]), default=None)


def first_difference(first: int, found: Sequence[bytes], kept: Sequence[bytes]) -> int | None:
    """Return where two rows of hashes differ for the first time, counted from `first`; None if nowhere."""
    if found == kept:
        return None
    pairs = enumerate(zip(found, kept, strict=False))
    return first + next((n for n, (one, other) in pairs if one != other), min(len(found), len(kept)))
