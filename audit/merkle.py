"""The mathematics of the tree: RFC 6962 section 2 (the same as RFC 9162 section 2.1), over SHA-256.

    leaf hash   SHA-256(0x00 || leaf)
    node hash   SHA-256(0x01 || left || right)
    the root of n leaves splits them at the largest power of two smaller than n

Pure functions on ints and 32-byte hashes. A complete subtree has the coordinate (level, n): it covers the
leaves n * 2**level up to (n + 1) * 2**level, and its hash never changes once its last leaf is there. Which
hashes a proof needs is decided here (`Coordinate`); fetching them is one function of the caller, asked once
per proof with all coordinates.

The hashes that leaf number `index` completes, its own first, are the `nodes` of that leaf: the hash at
(level, n) is the one number `level` among the nodes of leaf (n + 1) * 2**level - 1.

Never done here: storage, signatures, trust. A fetched hash is believed only as far as the root that it
leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias

from audit.errors import ProofRefused

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
LARGEST_SIZE: Final = 2**62


class Coordinate(NamedTuple):
    """The place of a complete subtree: `n` counts the subtrees of 2**level leaves from the left."""

    level: int
    n: int

    @property
    def completed_by(self) -> int:
        """The index of the leaf whose arrival completed this subtree."""
        return ((self.n + 1) << self.level) - 1


Read: TypeAlias = Callable[[Sequence[Coordinate]], Sequence[bytes]]
"""Gives the hashes at some coordinates, in their order."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf (RFC 6962 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def leaf_hashes(leaves: Sequence[bytes]) -> list[bytes]:
    """Hash many leaves; written out, because nothing is done more often in an examination."""
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into their parent (RFC 6962 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def complete(index: int, leaf: bytes, frontier: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Add the leaf hash `leaf` as number `index`; return the hashes it completes and the new frontier.

    A frontier of a tree are the hashes of its maximal complete subtrees, the largest first: as many as
    its size has ones in binary.
    """
    edge = list(frontier)
    if len(edge) != index.bit_count():
        raise ProofRefused("tree.frontier", f"a tree of {index} leaves does not have {len(edge)} edge hashes")
    nodes = [leaf]
    while index & 1:
        nodes.append(node_hash(edge.pop(), nodes[-1]))
        index >>= 1
    return nodes, [*edge, nodes[-1]]


def fold(frontier: Sequence[bytes]) -> bytes:
    """Return the root over a frontier; the empty one gives the hash of nothing (RFC 6962 2.1)."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def fold_complete(hashes: Sequence[bytes]) -> bytes:
    """Return the root of a complete subtree, given a power of two of hashes; written out as `leaf_hashes`."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]


def edge(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the frontier of a tree of these few leaf hashes."""
    return [
        fold_complete(hashes[at.n << at.level : (at.n + 1) << at.level]) for at in subtrees(0, len(hashes))
    ]


def subtrees(start: int, stop: int) -> Iterator[Coordinate]:
    """Split the leaves from `start` up to `stop` into maximal complete subtrees, from left to right."""
    while start < stop:
        level = (stop - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield Coordinate(level, start >> level)
        start += 1 << level


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose roots prove leaf `index` in a tree of `size` (RFC 6962 2.1.1)."""
    if not 0 <= index < size <= LARGEST_SIZE:
        raise ProofRefused("proof.range", f"there is no entry {index} in a tree of {size}")
    ranges: list[tuple[int, int]] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose roots prove that `old` leaves begin a tree of `new` (2.1.2)."""
    if not 0 < old <= new <= LARGEST_SIZE:
        raise ProofRefused("proof.range", f"there is no proof from size {old} to size {new}")
    ranges: list[tuple[int, int]] = []
    start, stop, on_left_edge = 0, new, True
    while stop != old:
        middle = start + _split(stop - start)
        if old <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start, on_left_edge = middle, False
    if not on_left_edge:
        ranges.append((start, stop))
    return ranges[::-1]


def prove_inclusion(index: int, size: int, read: Read) -> list[bytes]:
    """Return the hashes, leaf to root, that prove leaf `index` in the tree of the first `size` leaves."""
    return _roots(inclusion_ranges(index, size), read)


def prove_inclusions(indexes: Sequence[int], size: int, read: Read) -> list[list[bytes]]:
    """Return the proof of each of many leaves; `read` is called once, and what they share is computed once."""
    wanted = [inclusion_ranges(index, size) for index in indexes]
    parts = {each: list(subtrees(*each)) for each in {each for ranges in wanted for each in ranges}}
    found = iter(read([coordinate for part in parts.values() for coordinate in part]))
    roots = {each: fold([next(found) for _ in part]) for each, part in parts.items()}
    return [[roots[each] for each in ranges] for ranges in wanted]


def prove_consistency(old: int, new: int, read: Read) -> list[bytes]:
    """Return the hashes that prove the tree of `old` leaves to be a prefix of the tree of `new`."""
    return _roots(consistency_ranges(old, new), read)


def root(size: int, read: Read) -> bytes:
    """Return the root of the first `size` leaves."""
    return fold(read(list(subtrees(0, size))))


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> None:
    """Raise `ProofRefused` unless `proof` leads from the leaf hash to the root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size <= LARGEST_SIZE:
        raise ProofRefused("proof.range", f"there is no entry {index} in a tree of {size}")
    _check_lengths([leaf, *proof])
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofRefused("proof.length", "the inclusion proof is too long")
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofRefused("proof.length", "the inclusion proof is too short")
    if found != expected:
        raise ProofRefused("proof.root", f"the proof of entry {index} does not lead to the root of {size}")


def check_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise `ProofRefused` unless `proof` shows the old tree to begin the new one (RFC 9162 2.1.4.2).

    From size 0 everything follows and nothing is proven, so it is refused.
    """
    if not 0 < old <= new <= LARGEST_SIZE:
        raise ProofRefused("proof.range", f"there is no proof from size {old} to size {new}")
    _check_lengths(proof)
    if old == new:
        if proof:
            raise ProofRefused("proof.length", "the consistency proof of a tree with itself is empty")
        if old_root != new_root:
            raise ProofRefused("proof.root", f"two different roots of the same size {old}")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise ProofRefused("proof.length", "the consistency proof is too short")
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_found = new_found = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofRefused("proof.length", "the consistency proof is too long")
        if node & 1 or node == last:
            old_found, new_found = node_hash(sibling, old_found), node_hash(sibling, new_found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_found = node_hash(new_found, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofRefused("proof.length", "the consistency proof is too short")
    if old_found != old_root or new_found != new_root:
        raise ProofRefused("proof.root", f"the tree of {new} does not begin with the tree of {old}")


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _roots(ranges: Sequence[tuple[int, int]], read: Read) -> list[bytes]:
    """Read all complete subtrees of some ranges at once and fold each range into its root."""
    parts = [list(subtrees(start, stop)) for start, stop in ranges]
    found = iter(read([coordinate for part in parts for coordinate in part]))
    return [fold([next(found) for _ in part]) for part in parts]


def _check_lengths(hashes: Sequence[bytes]) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        raise ProofRefused("proof.hash", "a hash of the proof is not of 32 bytes")
