"""The examination of a whole log, by somebody who believes nothing but a public key and their own old notes.

What is examined, in one pass with a few tiles in memory (and one line an account):

    the checkpoint's signature, form and origin
    each leaf: canonical, complete, of this log, in its place, in its account's unbroken chain
    the tree: each kept hash, and the root that was signed
    older checkpoints: their signature, and that the log they saw is where this one began

Decided here: what is found, and where. A `Finding` has a stable code, the index of the first entry it
concerns as far as that can be told, and plain words that never quote an entry. Whatever the input is, the
answer is findings and not an exception. Where the bad entry is comes from the best witness at hand: an entry
that contradicts its own place or its kept hash is named; what contradicts only older checkpoints lies between
the last that agrees and the first that does not; an older bundle names it exactly.

Never said here: that nothing is wrong beyond that. Somebody with the signing key and the database can write
another past, and only an older checkpoint kept elsewhere contradicts it (`since`).

| code | meaning |
| --- | --- |
| note.*, checkpoint.*, log.origin | the checkpoint is not signed by this key, malformed, or of another log |
| bundle.*, tile.* | a file of the bundle is missing, too short, too long or malformed |
| bundle.changed | the files were others when they were read again |
| served.* | the server that serves the log does not answer, or not with the log |
| tile.differs | a kept hash is not that of the entries below it |
| entry.missing, entry.beyond | there is no such entry, or one that the checkpoint does not count |
| entry.changed | the entry is not the one whose hash is kept |
| entry.search | the search columns of the database do not say what the entry says |
| entry.place, entry.log, entry.opened | the entry says that it belongs elsewhere |
| entry.* | the entry is not canonical, or lacks what every entry has |
| account.gap, account.prev | an entry of the account before this one is missing, or another |
| root.differs | the entries are not those whose root was signed |
| since.* | an older checkpoint is not of this log, or contradicts it |
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.contents import Contents
from audit.errors import AuditError
from audit.helper import SHARE, WORTH_IT, Helper
from audit.note import Verifier
from audit.older import Old, first_difference, judge, open_olds
from audit.progress import Progress, silent
from audit.receipt import open_checkpoint
from audit.report import Finding, Findings, Older, Report, Source, StorageSource
from audit.tile import WIDTH, Tile

__all__ = ["Finding", "Older", "Report", "Source", "StorageSource", "examine"]


def examine(
    source: Source,
    keys: Verifier | Sequence[Verifier],
    since: Sequence[Older] = (),
    progress: Progress = silent,
    account: str | None = None,
    *,
    with_helper: bool = False,
) -> Report:
    """Examine a whole log against the public keys that it had, and older checkpoints.

    Of several keys the signature of one is enough, on the checkpoint and on each older one. With an `account`,
    the report tells how many entries it has. With a helper, a process beside this one does a part of a long
    log: for a source that two processes may read at once, in a program without threads.
    """
    verifiers = (keys,) if isinstance(keys, Verifier) else tuple(keys)
    findings = Findings()
    checkpoint = _checkpoint(source, verifiers, findings)
    if checkpoint is None:
        return Report(None, 0, (), tuple(findings))
    olds = open_olds(since, verifiers, findings)
    contents = Contents(checkpoint.origin, findings, account)
    helper = None
    if with_helper and checkpoint.size >= WORTH_IT:
        first = int(checkpoint.size * SHARE) // WIDTH * WIDTH
        make = functools.partial(Contents, checkpoint.origin, account=account, first=first)
        helper = Helper(source, make, first, checkpoint.size)
    pass_ = _Pass(source, checkpoint, olds, contents, findings, helper)
    pass_.run(progress)
    agreed, bounds = judge(olds, checkpoint, findings)
    pass_.conclude(agreed)
    return Report(checkpoint, pass_.examined, agreed, tuple(findings), contents.facts(), bounds)


def _checkpoint(source: Source, verifiers: Sequence[Verifier], findings: Findings) -> Checkpoint | None:
    """Open the checkpoint; if its signature is wrong, say so and go on with what it claims."""
    try:
        note = source.note()
    except AuditError as error:
        findings.add_error(error, None)
        return None
    try:
        return open_checkpoint(note, verifiers[0].name, *verifiers)
    except AuditError as error:
        findings.add_error(error, None)
    try:
        return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
    except AuditError:
        return None


class _Pass:
    """One pass over all entries, from the first to the last."""

    def __init__(
        self,
        source: Source,
        checkpoint: Checkpoint,
        olds: Sequence[Old],
        contents: Contents,
        findings: Findings,
        helper: Helper | None = None,
    ) -> None:
        self.examined = 0
        self._source = source
        self._checkpoint = checkpoint
        self._olds = olds
        self._contents = contents
        self._findings = findings
        self._helper = helper
        self._frontier: list[bytes] = []  # over whole tiles
        self._rows: list[list[bytes]] = [[]]  # by level of tiles: the hashes of the tile that is being filled
        self._is_whole = True  # no entry was missing so far
        self._root: bytes | None = None

    def run(self, progress: Progress) -> None:
        """Read tile after tile until the end, or until going on could tell nothing."""
        size = self._checkpoint.size
        for first in range(0, size, WIDTH):
            stop = min(first + WIDTH, size)
            if not self._tile(first, stop) or self._findings.is_full:
                self._join(first)
                return
            progress(stop, size)
        self._join(size)
        self._close(size)

    def _join(self, reached: int) -> None:
        """Take over what the helper found, if the pass came as far as the helper's part."""
        if self._helper is None:
            return
        if reached > self._helper.first:
            self._helper.join(self._contents, self._findings)
        else:
            self._helper.stop()

    def conclude(self, agreed: Sequence[int]) -> None:
        """Hold the root, now that it is known, against the signed one, given the sizes that are known to be good."""
        if self._root is None or self._root == self._checkpoint.root:
            return
        low = max(agreed, default=0)
        words = (
            f"the root of the {self._checkpoint.size} entries is not the signed one:"
            f" an entry from {low} on was changed, added or removed after it was signed"
        )
        self._findings.add("root.differs", self._findings.best(low, self._checkpoint.size), words)

    def _tile(self, first: int, stop: int) -> bool:
        """Examine the entries of one tile; tell whether it makes sense to go on."""
        try:
            stored = self._source.leaves(first, stop)
            mistaken = self._source.mistaken(first, stop)
        except AuditError as error:
            self._findings.add_error(error, first)
            return False
        if not stored:
            self._findings.add("entry.missing", first, f"the entries from {first} on are not there")
            return False
        if len(stored) != stop - first:
            self._is_whole = False
            missing = next(index for index in range(first, stop) if index not in stored)
            self._findings.add("entry.missing", missing, f"entry {missing} is not there")
        hashes = merkle.leaf_hashes(list(stored.values()))
        if self._helper is None or first < self._helper.first:
            self._contents.read(stored, hashes)
        else:
            self._helper.saw(hashes)
        for index in mistaken:
            words = f"entry {index} is not found, or found as another, by searches in the database"
            self._findings.add("entry.search", index, words)
        self.examined += len(stored)
        if self._is_whole:
            self._grow(first, hashes)
        return True

    def _grow(self, first: int, hashes: list[bytes]) -> None:
        """Add a tile's hashes to the tree, and compare what is kept of them and of what they complete."""
        root = merkle.fold_complete(hashes) if len(hashes) == WIDTH else None
        for old in self._olds:
            old.compare(hashes, root, self._findings)
            if first < old.checkpoint.size <= first + len(hashes):
                old.root = self._root_with(hashes[: old.checkpoint.size - first])
        if root is None:
            self._rows[0] = hashes
            return
        self._compare(0, first // WIDTH, hashes)
        _, self._frontier = merkle.complete(first // WIDTH, root, self._frontier)
        level, n = 1, first // WIDTH
        while True:
            if level == len(self._rows):
                self._rows.append([])
            self._rows[level].append(root)
            if len(self._rows[level]) < WIDTH:
                return
            n //= WIDTH
            self._compare(level, n, self._rows[level])
            root = merkle.fold_complete(self._rows[level])
            self._rows[level] = []
            level += 1

    def _close(self, size: int) -> None:
        """Compare what is at the right edge, and take the root."""
        if not self._is_whole:
            return
        self._root = self._root_with(self._rows[0])
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level, size >> (8 * level) >> 8, row)
        if self._source.has(size):
            words = f"there is an entry beside the {size} that the checkpoint counts"
            self._findings.add("entry.beyond", size, words)

    def _root_with(self, hashes: Sequence[bytes]) -> bytes:
        """Return the root of all whole tiles and some more leaf hashes."""
        return merkle.fold([*self._frontier, *merkle.edge(hashes)])

    def _compare(self, level: int, n: int, hashes: list[bytes]) -> None:
        """Compare hashes with the kept tile."""
        tile = Tile(level, n, len(hashes))
        span = 1 << (8 * level)
        try:
            differs = first_difference(0, hashes, self._source.hashes(tile))
        except AuditError as error:
            self._findings.add(error.code, tile.first * span, error.words)
            differs = None
        if differs is not None:
            index = (tile.first + differs) * span
            if level:
                words = f"the kept hash over the entries {index} to {index + span - 1} is not theirs"
                self._findings.add("tile.differs", self._findings.best(index, index + span), words)
            else:
                self._findings.add("entry.changed", index, f"entry {index} is not the one whose hash is kept")
