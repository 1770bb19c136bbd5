"""Tiles: the pieces in which a tree and its leaves are published (C2SP tlog-tiles).

    tile/<L>/<N>           256 hashes: the nodes at tree level 8 * L, numbers N * 256 up to N * 256 + 255
    tile/<L>/<N>.p/<W>     the first W (1 to 255) of them, while there are no more
    tile/entries/<N>       the leaves number N * 256 up to N * 256 + 255, each after its length in sixteen bits,
    tile/entries/<N>.p/<W> big-endian

N is written in groups of three digits, all but the last with an `x`: 1234067 is `x001/x234/067`. A full tile
never changes; a partial one is replaced by the next wider.

Decided here: paths, contents and which tiles a tree of a given size has. Never done here: reading them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.entry import LONGEST
from audit.errors import TileRefused
from audit.merkle import HASH_SIZE, LARGEST_SIZE, Coordinate

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
HIGHEST: Final = 63
LARGEST_HASHES: Final = WIDTH * HASH_SIZE
LARGEST_ENTRIES: Final = WIDTH * (2 + LONGEST)

_PATH: Final = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: `level` in tiles, None for the leaves themselves; `width` of 256 means full."""

    level: int | None
    n: int
    width: int = WIDTH

    @property
    def first(self) -> int:
        """The number of the tile's first hash in its level, or of its first leaf."""
        return self.n * WIDTH

    @property
    def path(self) -> str:
        """Where the tile is published."""
        groups = f"{self.n % 1000:03}"
        rest = self.n // 1000
        while rest:
            groups = f"x{rest % 1000:03}/{groups}"
            rest //= 1000
        kind = "entries" if self.level is None else str(self.level)
        return f"tile/{kind}/{groups}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read a path; raise `TileRefused` for whatever `path` would not have written."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise TileRefused("tile.path", "this is not the path of a tile")
        kind, groups, width = match.groups()
        tile = cls(
            None if kind == "entries" else int(kind),
            int(groups.replace("x", "").replace("/", "")),
            WIDTH if width is None else int(width),
        )
        if tile.path != path or (tile.level or 0) > HIGHEST or tile.width > WIDTH:
            raise TileRefused("tile.path", "this is not the path of a tile")
        return tile

    def coordinates(self) -> list[Coordinate]:
        """Return where the tile's hashes are in the tree."""
        level = HEIGHT * (self.level or 0)
        return [Coordinate(level, n) for n in range(self.first, self.first + self.width)]

    def is_in(self, size: int) -> bool:
        """Tell whether a tree of `size` has all of this tile."""
        return self.first + self.width <= size >> (HEIGHT * (self.level or 0))


def tiles(size: int) -> Iterator[Tile]:
    """Return the tiles of a tree: of each level the full ones, then the partial one; the leaves at last."""
    if not 0 <= size <= LARGEST_SIZE:
        raise TileRefused("tile.size", "a tree has at most 2**62 leaves")
    level, count = 0, size
    while count:
        yield from _row(level, count)
        level, count = level + 1, count >> HEIGHT
    yield from _row(None, size)


def encode_entries(leaves: Iterable[bytes]) -> bytes:
    """Write leaves as the content of a tile of entries."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def decode_entries(content: bytes) -> list[bytes]:
    """Read the leaves of a tile of entries; raise `TileRefused` if the lengths do not add up."""
    leaves: list[bytes] = []
    at, end = 0, len(content)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(content[at:start], "big")
        if start > end or at > end or len(leaves) == WIDTH:
            raise TileRefused("tile.entries", "the lengths in a tile of entries do not add up")
        leaves.append(content[start:at])
    return leaves


def encode_hashes(hashes: Sequence[bytes]) -> bytes:
    """Write hashes as the content of a tile."""
    return b"".join(hashes)


def decode_hashes(content: bytes) -> list[bytes]:
    """Read the hashes of a tile; raise `TileRefused` if they are not whole."""
    if len(content) % HASH_SIZE or not 0 < len(content) <= LARGEST_HASHES:
        raise TileRefused("tile.hashes", "a tile holds 1 to 256 hashes of 32 bytes")
    return [content[at : at + HASH_SIZE] for at in range(0, len(content), HASH_SIZE)]


def _row(level: int | None, count: int) -> Iterator[Tile]:
    for n in range(count // WIDTH):
        yield Tile(level, n)
    if count % WIDTH:
        yield Tile(level, count // WIDTH, count % WIDTH)
