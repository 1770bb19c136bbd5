"""The tree against one that is as plain as RFC 6962: every size, index and pair of sizes up to 64 and beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.errors import ProofRefused
from audit.merkle import Coordinate
from tests.unit.audit.world import naive_consistency, naive_inclusion, naive_root

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL = 64
LEAVES = [b"%d" % n for n in range(300)]


class Tree:
    """A tree grown leaf by leaf, that keeps what each leaf completes, as a storage does."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.nodes: list[list[bytes]] = []
        self.frontier: list[bytes] = []
        self.roots = [merkle.fold(self.frontier)]
        for index, leaf in enumerate(leaves):
            nodes, self.frontier = merkle.complete(index, merkle.leaf_hash(leaf), self.frontier)
            self.nodes.append(nodes)
            self.roots.append(merkle.fold(self.frontier))

    def read(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        return [self.nodes[at.completed_by][at.level] for at in coordinates]


TREE = Tree(LEAVES)


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_growing_gives_the_root_of_the_naive_tree(size: int) -> None:
    assert TREE.roots[size] == naive_root(LEAVES[:size])


@pytest.mark.parametrize("size", range(1, SMALL + 1))
def test_a_root_read_from_stored_hashes_is_the_root(size: int) -> None:
    assert merkle.root(size, TREE.read) == TREE.roots[size]


@pytest.mark.parametrize("size", range(1, SMALL + 1))
def test_every_inclusion_proof_is_the_naive_one_and_checks(size: int) -> None:
    for index in range(size):
        proof = merkle.prove_inclusion(index, size, TREE.read)
        assert proof == naive_inclusion(index, LEAVES[:size])
        merkle.check_inclusion(index, size, TREE.nodes[index][0], proof, TREE.roots[size])


@pytest.mark.parametrize("new", range(1, SMALL + 1))
def test_every_consistency_proof_is_the_naive_one_and_checks(new: int) -> None:
    for old in range(1, new + 1):
        proof = merkle.prove_consistency(old, new, TREE.read)
        assert proof == naive_consistency(old, LEAVES[:new])
        merkle.check_consistency(old, new, proof, TREE.roots[old], TREE.roots[new])


@pytest.mark.parametrize("size", range(1, 18))
def test_no_inclusion_proof_serves_another_index_size_leaf_or_root(size: int) -> None:
    for index in range(size):
        leaf, root = TREE.nodes[index][0], TREE.roots[size]
        proof = merkle.prove_inclusion(index, size, TREE.read)
        wrong = [
            *((other, size, leaf, proof, root) for other in range(-1, size + 1) if other != index),
            (index, size, TREE.nodes[index + 1][0], proof, root),
            (index, size, leaf, proof, TREE.roots[size + 1]),
            (index, size, leaf, [*proof, leaf], root),
            *((index, size, leaf, proof[:n] + proof[n + 1 :], root) for n in range(len(proof))),
            *((index, size, leaf, [*proof[:n], leaf, *proof[n + 1 :]], root) for n in range(len(proof))),
        ]
        for arguments in wrong:
            with pytest.raises(ProofRefused):
                merkle.check_inclusion(*arguments)


@pytest.mark.parametrize("new", range(1, 18))
def test_no_consistency_proof_serves_other_sizes_or_roots(new: int) -> None:
    for old in range(1, new + 1):
        old_root, new_root = TREE.roots[old], TREE.roots[new]
        proof = merkle.prove_consistency(old, new, TREE.read)
        wrong = [
            (old, new, proof, TREE.roots[old + 1], new_root),
            (old, new, proof, old_root, TREE.roots[new + 1]),
            (old, new, [*proof, old_root], old_root, new_root),
            (0, new, proof, TREE.roots[0], new_root),
            (new + 1, new, proof, TREE.roots[new + 1], new_root),
            *((old, new, proof[:n] + proof[n + 1 :], old_root, new_root) for n in range(len(proof))),
        ]
        for arguments in wrong:
            with pytest.raises(ProofRefused):
                merkle.check_consistency(*arguments)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_a_hash_that_is_not_of_32_bytes_is_refused(length: int) -> None:
    short = bytes(length)
    with pytest.raises(ProofRefused, match=r"proof\.hash"):
        merkle.check_inclusion(0, 2, TREE.nodes[0][0], [short], TREE.roots[2])
    with pytest.raises(ProofRefused, match=r"proof\.hash"):
        merkle.check_inclusion(0, 1, short, [], TREE.roots[1])
    with pytest.raises(ProofRefused, match=r"proof\.hash"):
        merkle.check_consistency(1, 2, [short], TREE.roots[1], TREE.roots[2])


def test_a_frontier_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ProofRefused, match=r"tree\.frontier"):
        merkle.complete(3, TREE.nodes[0][0], [TREE.nodes[0][0]])


@given(start=st.integers(0, 2**40), length=st.integers(0, 2**20))
def test_subtrees_cover_a_range_without_gap_or_overlap(start: int, length: int) -> None:
    at = start
    for level, n in merkle.subtrees(start, start + length):
        assert n << level == at
        at += 1 << level
    assert at == start + length


@given(size=st.integers(1, 2**62), data=st.data())
def test_proofs_of_huge_trees_stay_short(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    assert len(merkle.inclusion_ranges(index, size)) <= size.bit_length()
    assert len(merkle.consistency_ranges(index + 1, size)) <= size.bit_length() + 1


@given(level=st.integers(0, 40), n=st.integers(0, 2**20))
def test_a_subtree_is_completed_by_its_last_leaf(level: int, n: int) -> None:
    last = Coordinate(level, n).completed_by
    assert last == (n + 1) * 2**level - 1
    assert (last + 1) % 2**level == 0
