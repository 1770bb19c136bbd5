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

from collections.abc import Mapping, Sequence

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.entry import JsonValue, check_members, decode
from audit.errors import AuditError, EntryRefused
from audit.log import OPENED
from audit.note import Verifier
from audit.progress import Progress, silent
from audit.receipt import open_checkpoint
from audit.report import Finding, Findings, Older, Report, Source, StorageSource
from audit.tile import WIDTH, Tile

__all__ = ["Finding", "Older", "Report", "Source", "StorageSource", "examine"]


def examine(
    source: Source, verifier: Verifier, since: Sequence[Older] = (), progress: Progress = silent
) -> Report:
    """Examine a whole log against a public key and older checkpoints."""
    findings = Findings()
    checkpoint = _checkpoint(source, verifier, findings)
    if checkpoint is None:
        return Report(None, 0, (), tuple(findings))
    olds = _older(since, checkpoint, verifier, findings)
    pass_ = _Pass(source, checkpoint, olds, findings)
    pass_.run(progress)
    agreed = pass_.conclude()
    return Report(checkpoint, pass_.examined, agreed, tuple(findings))


class _Old:
    """An older checkpoint on its way through the pass."""

    def __init__(self, older: Older, checkpoint: Checkpoint) -> None:
        self.name = older.name
        self.checkpoint = checkpoint
        self.source = older.source
        self.root: bytes | None = None
        self.differs_at: int | None = None

    def compare(self, first: int, hashes: Sequence[bytes], findings: Findings) -> None:
        """Look, tile by tile, for the first entry that is not what it was then."""
        width = min(len(hashes), self.checkpoint.size - first)
        if self.source is None or self.differs_at is not None or width <= 0:
            return
        kept_width = min(WIDTH, self.checkpoint.size - first)
        try:
            kept = self.source.hashes(Tile(0, first // WIDTH, kept_width))
        except AuditError as error:
            self.source = None
            findings.add("since.unreadable", first, f"{self.name}: {error.words}")
            return
        self.differs_at = _first_difference(first, hashes[:width], kept[:width])


def _checkpoint(source: Source, verifier: Verifier, findings: Findings) -> Checkpoint | None:
    """Open the checkpoint; if its signature is wrong, say so and go on with what it claims."""
    try:
        note = source.note()
    except AuditError as error:
        findings.add_error(error, None)
        return None
    try:
        return open_checkpoint(note, verifier.name, verifier)
    except AuditError as error:
        findings.add_error(error, None)
    try:
        return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
    except AuditError:
        return None


def _older(
    since: Sequence[Older], checkpoint: Checkpoint, verifier: Verifier, findings: Findings
) -> list[_Old]:
    """Open the older checkpoints and drop, with a finding, those that the log has not even reached."""
    olds = []
    for older in since:
        try:
            old = open_checkpoint(older.note, verifier.name, verifier)
        except AuditError as error:
            findings.add("since.refused", None, f"{older.name}: {error.words}")
            continue
        if old.size > checkpoint.size:
            words = (
                f"{older.name}: the log had {old.size} entries then and has {checkpoint.size} now:"
                f" its end was cut off, or it was put back to an older state"
            )
            findings.add("since.truncated", checkpoint.size, words)
            continue
        olds.append(_Old(older, old))
    return sorted(olds, key=lambda old: old.checkpoint.size)


class _Pass:
    """One pass over all entries, from the first to the last."""

    def __init__(
        self, source: Source, checkpoint: Checkpoint, olds: Sequence[_Old], findings: Findings
    ) -> None:
        self.examined = 0
        self._source = source
        self._checkpoint = checkpoint
        self._olds = olds
        self._findings = findings
        self._accounts: dict[str, tuple[int, str]] = {}
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
                return
            progress(stop, size)
        self._close(size)

    def conclude(self) -> tuple[int, ...]:
        """Compare roots, now that they are known, and return the sizes at which older checkpoints agree."""
        agreed = [old.checkpoint.size for old in self._olds if old.root == old.checkpoint.root]
        low = max(agreed, default=0)
        for old in self._olds:
            if old.root not in {None, old.checkpoint.root}:
                self._differs(old, low)
                break
        if self._root is not None and self._root != self._checkpoint.root:
            words = (
                f"the root of the {self._checkpoint.size} entries is not the signed one:"
                f" an entry from {low} on was changed, added or removed after it was signed"
            )
            self._findings.add("root.differs", self._best(low, self._checkpoint.size), words)
        return tuple(agreed)

    def _differs(self, old: _Old, low: int) -> None:
        size = old.checkpoint.size
        if old.differs_at is not None:
            words = f"{old.name}: entry {old.differs_at} is not what it was when the log had {size} entries"
            self._findings.add("since.differs", old.differs_at, words)
            return
        words = (
            f"{old.name}: one of the entries {low} to {size - 1} is not what it was when the log had {size}"
        )
        self._findings.add("since.differs", self._best(low, size), words)

    def _best(self, low: int, stop: int) -> int | None:
        """Return the first entry of a range that a finding names already, else the first of the range."""
        named = (each.index for each in self._findings if each.index is not None and low <= each.index < stop)
        return min(named, default=low if low < stop else None)

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
        for (index, leaf), leaf_hash in zip(stored.items(), hashes, strict=True):
            self._leaf(index, leaf, leaf_hash)
        for index in mistaken:
            words = f"entry {index} is not found, or found as another, by searches in the database"
            self._findings.add("entry.search", index, words)
        self.examined += len(stored)
        if self._is_whole:
            self._grow(first, hashes)
        return True

    def _leaf(self, index: int, leaf: bytes, leaf_hash: bytes) -> None:
        """Examine one entry by itself and in its account's chain."""
        try:
            members = decode(leaf)
            check_members(members)
        except EntryRefused as error:
            self._findings.add(error.code, index, f"entry {index}: {error.words}")
            return
        if members["seq"] != index:
            words = f"the entry at {index} says that it is another: entries were exchanged or removed"
            self._findings.add("entry.place", index, words)
        if members["log"] != self._checkpoint.origin:
            self._findings.add("entry.log", index, f"entry {index} belongs to another log")
        if (members["type"] == OPENED) != (index == 0):
            self._findings.add(
                "entry.opened", index, f"{OPENED} is the first entry of a log, and only the first"
            )
        account = members.get("account")
        if isinstance(account, Mapping):
            self._chain(index, account, leaf_hash)

    def _chain(self, index: int, account: Mapping[str, JsonValue], leaf_hash: bytes) -> None:
        """Hold an entry against the one before it of the same account."""
        name, seq = str(account["id"]), int(str(account["seq"]))
        last_seq, last_hash = self._accounts.get(name, (-1, None))
        if seq != last_seq + 1:
            words = f"entry {index} is number {seq} of its account, but number {last_seq + 1} is due"
            self._findings.add("account.gap", index, words)
        elif account.get("prev") != last_hash:
            words = f"the entry before entry {index} in its account is not the one that it followed"
            self._findings.add("account.prev", index, words)
        self._accounts[name] = seq, leaf_hash.hex()

    def _grow(self, first: int, hashes: list[bytes]) -> None:
        """Add a tile's hashes to the tree, and compare what is kept of them and of what they complete."""
        for old in self._olds:
            old.compare(first, hashes, self._findings)
            if first < old.checkpoint.size <= first + len(hashes):
                old.root = self._root_with(hashes[: old.checkpoint.size - first])
        if len(hashes) < WIDTH:
            self._rows[0] = hashes
            return
        root = self._compare(0, first // WIDTH, hashes)
        _, self._frontier = merkle.complete(first // WIDTH, root, self._frontier)
        level, n = 1, first // WIDTH
        while True:
            if level == len(self._rows):
                self._rows.append([])
            self._rows[level].append(root)
            if len(self._rows[level]) < WIDTH:
                return
            n //= WIDTH
            root = self._compare(level, n, self._rows[level])
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
            self._findings.add(
                "entry.beyond", size, f"there is an entry {size} that the checkpoint does not count"
            )

    def _root_with(self, hashes: Sequence[bytes]) -> bytes:
        """Return the root of all whole tiles and some more leaf hashes."""
        edge = [merkle.fold_complete(hashes[start:stop]) for start, stop in _pieces(len(hashes))]
        return merkle.fold([*self._frontier, *edge])

    def _compare(self, level: int, n: int, hashes: list[bytes]) -> bytes:
        """Compare hashes with the kept tile and return their root (of no meaning for a partial tile)."""
        tile = Tile(level, n, len(hashes))
        span = 1 << (8 * level)
        try:
            differs = _first_difference(0, hashes, self._source.hashes(tile))
        except AuditError as error:
            self._findings.add(error.code, tile.first * span, error.words)
            differs = None
        if differs is not None:
            index = (tile.first + differs) * span
            if level:
                words = f"the kept hash over the entries {index} to {index + span - 1} is not theirs"
                self._findings.add("tile.differs", self._best(index, index + span), words)
            else:
                self._findings.add("entry.changed", index, f"entry {index} is not the one whose hash is kept")
        return merkle.fold_complete(hashes) if len(hashes) == WIDTH else b""


def _pieces(count: int) -> list[tuple[int, int]]:
    """Split `count` hashes into complete subtrees, from left to right."""
    return [(at.n << at.level, (at.n + 1) << at.level) for at in merkle.subtrees(0, count)]


def _first_difference(first: int, found: Sequence[bytes], kept: Sequence[bytes]) -> int | None:
    if found == kept:
        return None
    pairs = enumerate(zip(found, kept, strict=False))
    return first + next((n for n, (one, other) in pairs if one != other), min(len(found), len(kept)))
