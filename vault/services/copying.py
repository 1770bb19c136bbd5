"""How a copy is read and written, from the first byte to the last: in pieces, each of its own short transaction.

Decided here: a copy is of one state, because entries below its size never change, so no transaction has to
stay open and no more than a page is ever in memory. Whoever reads slowly holds nothing back. A failure in the
middle breaks the connection off: every format ends with something that is then missing.

Never done here: who may have a copy, and the entry that tells of it (`vault.services.exports`).
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from audit.merkle import HASH_SIZE
from audit.receipt import format_receipt
from audit.tile import Tile, tiles
from vault.domain.formats import Copied, Trailer, cef, lines, ocsf, sheet
from vault.errors import FieldError, Invalid, Unavailable
from vault.ports.records import EntryFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vault.domain.actor import Reach
    from vault.ports.store import Units

_TILES: Final = 8
"""Tiles a transaction: up to 2048 entries."""

WRITERS: Final[dict[str, tuple[Callable[[Copied], str], Callable[[Trailer], str]]]] = {
    "csv": (sheet.line, sheet.trailer),
    "ocsf": (ocsf.line, ocsf.trailer),
    "cef": (cef.line, cef.trailer),
}
"""How each format without proofs of its own writes an entry, and how it ends."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which entries: those of a filter within a reach, after index `after` and below `stop`, at most `limit`."""

    wanted: EntryFilter
    reach: Reach
    after: int
    stop: int
    limit: int | None
    is_complete: bool
    """Whether all entries of its accounts are among them."""


@dataclass(slots=True)
class _Progress:
    entries: int = 0
    next: int = 0
    before: int = 0
    accounts: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Copier:
    """Reads one copy; `note` is the signed checkpoint of `size` that everything in it is proven under."""

    units: Units
    note: str
    size: int

    def lines(self, part: Part) -> Iterator[bytes]:
        """Write entries as JSON lines, each with its proof, and how it ended."""
        state = _Progress(next=part.after + 1)
        for page, proofs in self._pages(part, state, proven=True):
            yield "".join(map(lines.line, page, proofs)).encode("ascii")
        self._count_before(part, state)
        yield lines.trailer(self._trailer(part, state)).encode("ascii")

    def plain(self, part: Part, format_: str) -> Iterator[bytes]:
        """Write entries in a format that has no place for proofs, and how it ended."""
        line, trailer = WRITERS[format_]
        state = _Progress(next=part.after + 1)
        if format_ == "csv" and part.after < 0:
            yield sheet.head().encode()
        for page, _ in self._pages(part, state, proven=False):
            yield "".join(map(line, page)).encode()
        self._count_before(part, state)
        yield trailer(self._trailer(part, state)).encode()

    def proven(self, part: Part, format_: str) -> Iterator[bytes]:
        """Write a tar: the same lines in several files, beside them a proof for each entry, and the checkpoint."""
        line, trailer = WRITERS[format_]
        state = _Progress(next=part.after + 1)
        written = 0
        first = sheet.head() if format_ == "csv" and part.after < 0 else ""
        for page, proofs in self._pages(part, state, proven=True):
            name = f"entries/{page[0].index:020}.{format_}"
            members = [member(name, (first + "".join(map(line, page))).encode())]
            members += [
                member(f"proofs/{entry.index:020}.tlog-proof", proof.encode())
                for entry, proof in zip(page, proofs, strict=True)
            ]
            first, chunk = "", b"".join(members)
            written += len(chunk)
            yield chunk
        self._count_before(part, state)
        end = (first + trailer(self._trailer(part, state))).encode()
        last = member(f"entries/end.{format_}", end) + member("checkpoint", self.note.encode())
        yield last + _end_of_tar(written + len(last))

    def bundle(self, offset: int) -> Iterator[bytes]:
        """Write the whole log as one tar from byte `offset` on, as `python -m audit verify` reads it."""
        written, left = 0, tiles(self.size)
        while group := tuple(islice(left, _TILES)):
            chunk = b""
            with self.units.read() as unit:
                for tile in group:
                    length = _length(tile)
                    if length is not None and written + length <= offset:
                        written += length
                        continue
                    content = unit.log.tile(tile.path)
                    if content is None:
                        words = f"The log has no {tile.path}; run rootvault doctor."
                        raise Unavailable("log.unavailable", words)
                    piece = member(tile.path, content)
                    chunk += piece[max(0, offset - written) :]
                    written += len(piece)
            if chunk:
                yield chunk
        last = member("checkpoint", self.note.encode())
        last += _end_of_tar(written + len(last))
        if offset > written + len(last):  # the first piece, so this is still an answer of its own
            words = f"This bundle has {written + len(last)} bytes; begin anew, or give how many have arrived."
            raise Invalid("input.invalid", words, errors=(FieldError("/offset", words),))
        yield last[max(0, offset - written) :]

    def _count_before(self, part: Part, state: _Progress) -> None:
        """Count what came before this part, so that the end tells of the copy from its beginning, as if uncut."""
        stop = min(part.after + 1, part.stop)
        if part.wanted == EntryFilter() and part.reach.everything:
            state.before = stop
            return
        start, earlier = 0, dict[str, tuple[int, str]]()
        while start < stop:
            with self.units.read() as unit:
                found = unit.copies.leaves(part.wanted, part.reach, start, stop)
            start = found.read_to
            state.before += len(found.entries)
            if part.is_complete:
                earlier |= dict(_place(Copied(index, leaf, self.size)) for index, leaf in found.entries)
        state.accounts = earlier | state.accounts

    def _pages(
        self, part: Part, state: _Progress, *, proven: bool
    ) -> Iterator[tuple[list[Copied], list[str]]]:
        while state.next < part.stop and (part.limit is None or state.entries < part.limit):
            with self.units.read() as unit:
                found = unit.copies.leaves(part.wanted, part.reach, state.next, part.stop)
                room = None if part.limit is None else part.limit - state.entries
                chosen = found.entries[:room]
                hashes = unit.copies.proofs([index for index, _ in chosen], self.size) if proven else []
            state.next = found.read_to if len(chosen) == len(found.entries) else chosen[-1][0] + 1
            state.entries += len(chosen)
            page = [Copied(index, leaf, self.size) for index, leaf in chosen]
            if part.is_complete:
                state.accounts |= dict(map(_place, page))
            if page:
                yield (
                    page,
                    [
                        format_receipt(each.index, proof, self.note)
                        for each, proof in zip(page, hashes, strict=True)
                    ]
                    if proven
                    else [],
                )

    def _trailer(self, part: Part, state: _Progress) -> Trailer:
        following = None if state.next >= part.stop else state.next - 1
        accounts = dict(sorted(state.accounts.items())) if part.is_complete else None
        return Trailer(state.before + state.entries, following, part.stop, self.note, accounts)


def member(name: str, content: bytes) -> bytes:
    """Write one file of a tar, with none of this machine's times, owners or modes."""
    told = tarfile.TarInfo(name)
    told.size, told.mode = len(content), 0o644
    return told.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _end_of_tar(written: int) -> bytes:
    end = 2 * tarfile.BLOCKSIZE
    return bytes(end + -(written + end) % tarfile.RECORDSIZE)


def _length(tile: Tile) -> int | None:
    """Give the bytes of a tile's member without reading it; None for leaves, whose lengths differ."""
    return None if tile.level is None else len(member(tile.path, bytes(tile.width * HASH_SIZE)))


def _place(entry: Copied) -> tuple[str, tuple[int, str]]:
    return entry.text("account", "id"), (int(entry.text("account", "seq") or "0") + 1, entry.leaf_hash)
