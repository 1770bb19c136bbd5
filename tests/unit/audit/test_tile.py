"""Tiles, checkpoints and receipts as text and bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.errors import LogRefused, NoteRefused, ProofRefused, TileRefused
from audit.note import Signer
from audit.receipt import InclusionReceipt, open_checkpoint
from audit.tile import (
    WIDTH,
    Tile,
    decode_entries,
    decode_hashes,
    encode_entries,
    encode_hashes,
    tiles,
)
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, filled

ROOT = bytes(range(32))
HASHES = st.binary(min_size=32, max_size=32)


@given(level=st.none() | st.integers(0, 63), n=st.integers(0, 2**54), width=st.integers(1, WIDTH))
def test_a_path_is_read_as_it_is_written(level: int | None, n: int, width: int) -> None:
    tile = Tile(level, n, width)
    assert Tile.parse(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x000/001",
        "tile/00/001",
        "tile/64/001",
        "tile/-1/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/257",
        "tile/0/001.p/01",
        "tile/0/001.p/",
        "tile/0/001/",
        "/tile/0/001",
        "tile/0/../001",
        "tile/0/00\u0661",
        "tile/data/001",
        "tile/0/001\n",
        "tile/0/" + "x001/" * 7 + "001",
    ],
)
def test_another_path_is_refused(path: str) -> None:
    with pytest.raises(TileRefused, match=r"tile\.path"):
        Tile.parse(path)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65535, 65536, 70000])
def test_a_tree_has_its_tiles_once_and_no_others(size: int) -> None:
    made = list(tiles(size))
    assert all(tile.is_in(size) for tile in made)
    assert len({tile.path for tile in made}) == len(made)
    for level in range(4):
        assert sum(tile.width for tile in made if tile.level == level) == size >> (8 * level)
    assert sum(tile.width for tile in made if tile.level is None) == size


@given(st.lists(st.binary(max_size=300), max_size=WIDTH))
def test_entries_are_decoded_as_they_were_encoded(leaves: list[bytes]) -> None:
    assert decode_entries(encode_entries(leaves)) == leaves


@given(st.binary(max_size=600))
def test_bytes_are_a_tile_of_entries_in_one_way_or_none(content: bytes) -> None:
    try:
        leaves = decode_entries(content)
    except TileRefused:
        return
    assert encode_entries(leaves) == content


def test_more_entries_than_a_tile_holds_are_refused() -> None:
    with pytest.raises(TileRefused, match=r"tile\.entries"):
        decode_entries(encode_entries([b"{}"] * (WIDTH + 1)))


@given(st.lists(HASHES, min_size=1, max_size=5))
def test_hashes_are_decoded_as_they_were_encoded(hashes: list[bytes]) -> None:
    assert decode_hashes(encode_hashes(hashes)) == hashes


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33), bytes(32 * 257)])
def test_a_tile_of_no_whole_hashes_is_refused(content: bytes) -> None:
    with pytest.raises(TileRefused, match=r"tile\.hashes"):
        decode_hashes(content)


@given(size=st.integers(1, 2**62), root=HASHES)
def test_a_checkpoint_is_read_as_it_is_written(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert Checkpoint.parse(checkpoint.format()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        Checkpoint(ORIGIN, 3, ROOT).format()[:-1],
        Checkpoint(ORIGIN, 3, ROOT).format() + "extension\n",
        Checkpoint(ORIGIN, 3, ROOT).format() + "\n",
        Checkpoint("", 3, ROOT).format(),
        Checkpoint(ORIGIN, 0, ROOT).format(),
        Checkpoint(ORIGIN, -1, ROOT).format(),
        Checkpoint(ORIGIN, 2**62 + 1, ROOT).format(),
        Checkpoint(ORIGIN, 10**30, ROOT).format(),
        Checkpoint(ORIGIN, 3, ROOT[:31]).format(),
        Checkpoint(ORIGIN, 3, ROOT + ROOT).format(),
        Checkpoint(ORIGIN, 3, ROOT).format().replace("\n3\n", "\n03\n"),
        Checkpoint(ORIGIN, 3, ROOT).format().replace("\n3\n", "\n+3\n"),
        Checkpoint(ORIGIN, 3, ROOT).format().replace("\n3\n", "\n\u0663\n"),
        Checkpoint(ORIGIN, 3, ROOT).format().replace("=", ""),
        Checkpoint(ORIGIN, 3, ROOT).format().replace("8=", "9="),
        Checkpoint(ORIGIN, 3, ROOT).format().replace("A", "!", 1),
    ],
)
def test_another_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused, match=r"checkpoint\."):
        Checkpoint.parse(text)


def test_a_checkpoint_of_another_log_by_the_same_key_is_refused() -> None:
    note = SIGNER.sign(Checkpoint("other.example/log", 3, ROOT).format())
    with pytest.raises(LogRefused, match=r"log\.origin"):
        open_checkpoint(note, ORIGIN, SIGNER.verifier)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_a_receipt_proves_its_entry_and_no_other(size: int) -> None:
    storage = filled(size)
    hashes = [merkle.leaf_hash(stored.leaf) for stored in storage.leaves(0, size)]
    for index in range(size):
        text = LOG.tlog_proof(storage, index)
        receipt = InclusionReceipt.parse(text)
        assert receipt.format() == text
        assert receipt.check(hashes[index], SIGNER.verifier).size == size
        for other in {*hashes, ROOT} - {hashes[index]}:
            with pytest.raises(ProofRefused):
                receipt.check(other, SIGNER.verifier)
        with pytest.raises(NoteRefused, match=r"note\.unsigned"):
            receipt.check(hashes[index], Signer.from_seed(ORIGIN, bytes(32)).verifier)


RECEIPT = LOG.tlog_proof(filled(5), 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        RECEIPT.replace("@v1", "@v2"),
        RECEIPT.replace("index 2", "index 02"),
        RECEIPT.replace("index 2", "index -2"),
        RECEIPT.replace("index 2", "extra AAAA\nindex 2"),
        RECEIPT.replace("index 2\n", "index 2\nAAAA\n"),
        RECEIPT.replace("index 2\n", "index 2\n!\n"),
        RECEIPT.replace("index 2\n", "index 2\n" + ("A" * 43 + "=\n") * 64),
        RECEIPT.replace("\n\n", "\n"),
    ],
)
def test_another_receipt_is_refused(text: str) -> None:
    with pytest.raises(ProofRefused, match=r"receipt\."):
        InclusionReceipt.parse(text)
