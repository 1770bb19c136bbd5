"""What an examination says, and what it reads.

Decided here: the shapes. `audit.verify` fills them; its docstring tells the codes of findings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from audit.checkpoint import Checkpoint
from audit.errors import AuditError
from audit.storage import Filter, Storage
from audit.tile import Tile

MOST_FINDINGS: Final = 100


class Source(Protocol):
    """What is examined. Its methods may raise any `AuditError`."""

    def note(self) -> str:
        """Return the signed checkpoint, unverified."""
        ...

    def leaves(self, start: int, stop: int) -> dict[int, bytes]:
        """Return the entries of one tile that are there: index to leaf, in order."""
        ...

    def hashes(self, tile: Tile) -> list[bytes]:
        """Return the kept hashes of one tile."""
        ...

    def mistaken(self, start: int, stop: int) -> list[int]:
        """Return the indexes of entries that searches see as other than they are."""
        ...

    def has(self, index: int) -> bool:
        """Tell whether there is an entry outside of the first `index`, which are all that the checkpoint counts."""
        ...


class StorageSource(Source):
    """A stored log, examined where it is."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def note(self) -> str:
        """Return the stored head's checkpoint."""
        return self._storage.head().note

    def leaves(self, start: int, stop: int) -> dict[int, bytes]:
        """Return stored entries."""
        return {stored.seq: stored.leaf for stored in self._storage.leaves(start, stop)}

    def hashes(self, tile: Tile) -> list[bytes]:
        """Return stored hashes."""
        return self._storage.nodes(tile.coordinates())

    def mistaken(self, start: int, stop: int) -> list[int]:
        """Return entries whose search columns are wrong."""
        return self._storage.mistaken(start, stop)

    def has(self, index: int) -> bool:
        """Tell whether an entry is stored at that index, anywhere beyond it, or before the first."""
        newest = self._storage.page(Filter(), None, 1)
        return any(stored.seq >= index for stored in newest) or bool(self._storage.page(Filter(), 0, 1))


@dataclass(frozen=True, slots=True)
class Older:
    """A checkpoint of before, as it was kept elsewhere; with `source`, the whole log of then."""

    name: str
    note: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, and the index of the first entry it concerns, if that can be told."""

    code: str
    index: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """An entry by which the log changed its key: its index, and the new vkey as the entry says it."""

    index: int
    vkey: str


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account's entries: how many were read, and whether each names the one before, from the first on."""

    id: str
    entries: int
    is_unbroken: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What entries say of the whole, as far as they were read; worth as much as the log is sound.

    `began` and `ended` are the earliest and the latest time, None if there is none.
    """

    began: str | None = None
    ended: str | None = None
    accounts: int = 0
    rotations: tuple[Rotation, ...] = ()
    account: AccountFacts | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an examination found; `checkpoint` is None if there is none worth the name.

    `agreed` are the sizes of older checkpoints that this log continues. `bounds` is the smallest range, its last
    included, that older checkpoints prove the first bad entry to lie in; None if they contradict nothing.
    """

    checkpoint: Checkpoint | None
    examined: int
    agreed: tuple[int, ...]
    findings: tuple[Finding, ...]
    facts: Facts = Facts()
    bounds: tuple[int, int] | None = None

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    @property
    def first_bad(self) -> int | None:
        """The index of the first entry that a finding concerns."""
        return min((finding.index for finding in self.findings if finding.index is not None), default=None)


class Findings(list[Finding]):
    """Collects findings, as many as anybody reads."""

    @property
    def is_full(self) -> bool:
        """Tell whether nobody would read more."""
        return len(self) >= MOST_FINDINGS

    def add(self, code: str, index: int | None, words: str) -> None:
        """Note something that is wrong."""
        if not self.is_full:
            self.append(Finding(code, index, words))

    def add_error(self, error: AuditError, index: int | None) -> None:
        """Note what was refused."""
        self.add(error.code, index, error.words)

    def best(self, low: int, stop: int) -> int | None:
        """Return the first entry of a range that a finding names already, else the first of the range."""
        named = (each.index for each in self if each.index is not None and low <= each.index < stop)
        return min(named, default=low if low < stop else None)
