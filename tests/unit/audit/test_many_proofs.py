"""Proofs of many entries at once are those of each alone, read by one statement."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from audit import merkle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.merkle import Coordinate

SIZE = 300


@pytest.fixture(scope="module")
def nodes() -> dict[Coordinate, bytes]:
    """Grow a tree and keep every hash that was completed."""
    kept: dict[Coordinate, bytes] = {}
    frontier: list[bytes] = []
    for index in range(SIZE):
        made, frontier = merkle.complete(index, sha256(b"%d" % index).digest(), frontier)
        for level, node in enumerate(made):
            kept[merkle.Coordinate(level, index >> level)] = node
    return kept


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, SIZE])
def test_many_proofs_are_each_ones_own(nodes: dict[Coordinate, bytes], size: int) -> None:
    asked: list[int] = []

    def read(coordinates: Sequence[Coordinate]) -> list[bytes]:
        asked.append(len(coordinates))
        return [nodes[each] for each in coordinates]

    indexes = [each for each in range(size) if each % 3 or each == size - 1]
    found = merkle.prove_inclusions(indexes, size, read)
    assert len(asked) == 1
    root = merkle.root(size, lambda coordinates: [nodes[each] for each in coordinates])
    for index, proof in zip(indexes, found, strict=True):
        assert proof == merkle.prove_inclusion(index, size, read)
        merkle.check_inclusion(index, size, nodes[merkle.Coordinate(0, index)], proof, root)


def test_what_is_shared_is_read_once(nodes: dict[Coordinate, bytes]) -> None:
    asked: list[Coordinate] = []

    def read(coordinates: Sequence[Coordinate]) -> list[bytes]:
        asked.extend(coordinates)
        return [nodes[each] for each in coordinates]

    merkle.prove_inclusions(range(256), SIZE, read)
    assert len(asked) < 2 * 256 + 32
