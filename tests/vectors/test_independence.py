"""Exports against RFC 6962 as its section 2.1 says it, written from the text and by recursion, with nothing of ours.

The reference below reads the exported files by itself: leaves and hashes out of tiles, size and root out of the
checkpoint. Then what `audit` proves, from the hashes of the same files, must be what the RFC's definitions give.
"""

from __future__ import annotations

import base64
import functools
import itertools
import random
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit import merkle
from audit.bundle import write_bundle
from tests.unit.audit.world import ORIGIN, SIGNER, filled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit.merkle import Coordinate

SIZES = (1, 2, 70, 256, 257, 600)
ALL_PAIRS_UP_TO = 257
PAIRS = 20_000


class Reference:
    """The definitions of RFC 6962, section 2.1, over D[0], …, D[n - 1]; `start`, `stop` are k1, k2 of D[k1:k2]."""

    def __init__(self, data: Sequence[bytes]) -> None:
        self.data = data
        self.mth = functools.cache(self._mth)

    def _mth(self, start: int, stop: int) -> bytes:
        """MTH(D[start:stop]), 2.1."""
        n = stop - start
        if n == 0:
            return sha256().digest()
        if n == 1:
            return sha256(b"\x00" + self.data[start]).digest()
        k = self.k(n)
        return sha256(b"\x01" + self.mth(start, start + k) + self.mth(start + k, stop)).digest()

    def k(self, n: int) -> int:
        """Return the largest power of two smaller than n."""
        return max(1 << i for i in range(n.bit_length()) if 1 << i < n)

    def path(self, m: int, start: int, stop: int) -> list[bytes]:
        """PATH(m, D[start:stop]), 2.1.1."""
        n = stop - start
        if n == 1:
            return []
        k = self.k(n)
        if m < k:
            return [*self.path(m, start, start + k), self.mth(start + k, stop)]
        return [*self.path(m - k, start + k, stop), self.mth(start, start + k)]

    def proof(self, m: int, n: int) -> list[bytes]:
        """PROOF(m, D[n]), 2.1.2."""
        return self.subproof(m, 0, n, b=True)

    def subproof(self, m: int, start: int, stop: int, *, b: bool) -> list[bytes]:
        """SUBPROOF(m, D[start:stop], b), 2.1.2."""
        n = stop - start
        if m == n:
            return [] if b else [self.mth(start, stop)]
        k = self.k(n)
        if m <= k:
            return [*self.subproof(m, start, start + k, b=b), self.mth(start + k, stop)]
        return [*self.subproof(m - k, start + k, stop, b=False), self.mth(start, start + k)]


class Export:
    """The files of an export, read by what C2SP tlog-tiles says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        text, _, signature = (root / "checkpoint").read_text("utf-8").partition("\n\n")
        self.text = text + "\n"
        self.signature = base64.b64decode(signature.split(" ")[2])[4:]
        origin, size, encoded = text.split("\n")
        assert origin == ORIGIN
        self.size, self.tree_root = int(size), base64.b64decode(encoded)

    def row(self, kind: str, count: int) -> bytes:
        """Read all tiles of a row, one after the other."""
        names = [f"{n:03}" for n in range(count // 256)]
        names += [f"{count // 256:03}.p/{count % 256}"] if count % 256 else []
        return b"".join((self.root / "tile" / kind / name).read_bytes() for name in names)

    def leaves(self) -> list[bytes]:
        """Read the entries: each after its length in two bytes."""
        content, found = self.row("entries", self.size), []
        while content:
            length = content[0] << 8 | content[1]
            found.append(content[2 : 2 + length])
            content = content[2 + length :]
        return found

    def hashes(self, level: int) -> list[bytes]:
        """Read the hashes at tile level `level`."""
        content = self.row(str(level), self.size >> (8 * level))
        return [content[at : at + 32] for at in range(0, len(content), 32)]

    def read(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Give hashes of the tree as a client finds them: in a tile, or from the tile's hashes below it."""
        return [self.node(at.level, at.n) for at in coordinates]

    @functools.cache  # noqa: B019 - as long as the test that made it
    def node(self, level: int, n: int) -> bytes:
        if level % 8 == 0:
            return self.level(level // 8)[n]
        return sha256(b"\x01" + self.node(level - 1, 2 * n) + self.node(level - 1, 2 * n + 1)).digest()

    @functools.cache  # noqa: B019 - as above
    def level(self, level: int) -> list[bytes]:
        return self.hashes(level)


@pytest.fixture(scope="module", params=SIZES)
def export(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Export:
    directory = tmp_path_factory.mktemp("export") / "bundle"
    write_bundle(filled(request.param), directory)
    return Export(directory)


def test_the_signed_root_is_that_of_the_entries(export: Export) -> None:
    reference = Reference(export.leaves())
    assert len(reference.data) == export.size
    assert reference.mth(0, export.size) == export.tree_root
    Ed25519PublicKey.from_public_bytes(SIGNER.verifier.public).verify(export.signature, export.text.encode())


def test_every_hash_of_every_tile_is_that_of_its_entries(export: Export) -> None:
    reference = Reference(export.leaves())
    for level in range(3):
        span = 256**level
        expected = [reference.mth(n * span, (n + 1) * span) for n in range(export.size // span)]
        assert export.hashes(level) == expected
        assert (export.root / f"tile/{level}").exists() == bool(expected)


def test_every_entry_is_proven_as_the_rfc_says(export: Export) -> None:
    reference = Reference(export.leaves())
    for index in range(export.size):
        proof = reference.path(index, 0, export.size)
        assert merkle.prove_inclusion(index, export.size, export.read) == proof
        leaf = sha256(b"\x00" + reference.data[index]).digest()
        merkle.check_inclusion(index, export.size, leaf, proof, export.tree_root)


def test_the_trees_of_any_two_sizes_are_proven_as_the_rfc_says(export: Export) -> None:
    reference = Reference(export.leaves())
    pairs = list(itertools.combinations(range(1, export.size + 1), 2))
    if export.size > ALL_PAIRS_UP_TO:
        pairs = random.Random(6962).sample(pairs, PAIRS)
    for old, new in pairs:
        proof = reference.proof(old, new)
        assert merkle.prove_consistency(old, new, export.read) == proof
        merkle.check_consistency(old, new, proof, reference.mth(0, old), reference.mth(0, new))
