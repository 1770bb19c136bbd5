"""What an examination says of exports that were changed, cut, or made to hurt."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from audit import merkle
from audit.bundle import write_bundle
from audit.checkpoint import Checkpoint
from audit.contents import Contents
from audit.report import MOST_FINDINGS, Findings
from audit.storage import Head
from audit.storage.memory import MemoryStorage
from audit.tile import WIDTH, Tile, decode_entries, encode_entries
from audit.verify import _Pass
from tests.unit.audit.world import ORIGIN, SIGNER, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
from tests.unit.audit.world import SIZE, codes, files, verdict


def resign(directory: Path, size: int, root: bytes) -> None:
    (directory / "checkpoint").write_text(SIGNER.sign(Checkpoint(ORIGIN, size, root).format()))


class Hashes:
    """A tree of some size, of which there are hashes only."""

    def __init__(self, size: int) -> None:
        self.nodes: list[list[bytes]] = []
        self.frontier: list[bytes] = []
        for index in range(size):
            made, self.frontier = merkle.complete(index, merkle.leaf_hash(b"%d" % index), self.frontier)
            self.nodes.append(made)
        self.spoiled: Tile | None = None

    def hashes(self, tile: Tile) -> list[bytes]:
        found = [self.nodes[at.completed_by][at.level] for at in tile.coordinates()]
        return [bytes(32), *found[1:]] if tile == self.spoiled else found

    def mistaken(self, start: int, stop: int) -> list[int]:
        return [index for index in range(start, stop) if index < 0]

    def has(self, index: int) -> bool:
        return index < len(self.nodes)


@pytest.fixture(scope="module")
def deep() -> Hashes:
    return Hashes(WIDTH * WIDTH + WIDTH + 3)


@pytest.mark.parametrize(
    "spoiled", [None, Tile(0, 7), Tile(0, 257, 3), Tile(1, 0), Tile(1, 1, 1), Tile(2, 0, 1)], ids=str
)
def test_each_level_of_tiles_is_compared(deep: Hashes, spoiled: Tile | None) -> None:
    size = len(deep.nodes)
    root = merkle.fold(deep.frontier)
    deep.spoiled = spoiled
    findings = Findings()
    contents = Contents(ORIGIN, findings)
    examination = _Pass(deep, Checkpoint(ORIGIN, size, root), [], contents, findings)  # type: ignore[arg-type]  # no entries
    for first in range(0, size, WIDTH):
        stop = min(first + WIDTH, size)
        examination._grow(first, [nodes[0] for nodes in deep.nodes[first:stop]])
    examination._close(size)
    examination.conclude(())
    if spoiled is None:
        assert findings == []
    else:
        assert [finding.index for finding in findings] == [spoiled.first << (8 * (spoiled.level or 0))]


@pytest.mark.parametrize("entry", [0, 1, 100, WIDTH - 1, WIDTH, SIZE - 1])
def test_a_changed_entry_is_named(bundle: Path, entry: int) -> None:
    path = bundle / ("tile/entries/000" if entry < WIDTH else "tile/entries/001.p/20")
    leaves = decode_entries(path.read_bytes())
    leaves[entry % WIDTH] = leaves[entry % WIDTH].replace(b"Ada", b"Eve")
    path.write_bytes(encode_entries(leaves))
    report = verdict(bundle)
    assert report.first_bad == entry
    assert codes(report) >= {"entry.changed", "root.differs"}


def test_exchanged_entries_are_named(bundle: Path) -> None:
    path = bundle / "tile/entries/000"
    leaves = decode_entries(path.read_bytes())
    leaves[10], leaves[20] = leaves[20], leaves[10]
    path.write_bytes(encode_entries(leaves))
    report = verdict(bundle)
    assert report.first_bad == 10
    assert {finding.index for finding in report.findings if finding.code == "entry.place"} == {10, 20}


def test_a_removed_entry_is_named(bundle: Path) -> None:
    path = bundle / "tile/entries/000"
    leaves = decode_entries(path.read_bytes())
    path.write_bytes(encode_entries(leaves[:30] + leaves[31:]))
    assert codes(verdict(bundle)) == {"bundle.short"}


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/20", "tile/1/000.p/1"])
def test_a_changed_hash_is_found(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[-1] ^= 1
    (bundle / name).write_bytes(content)
    report = verdict(bundle)
    assert len(report.findings) == 1
    assert codes(report) <= {"entry.changed", "tile.differs"}
    assert (
        report.first_bad == {"tile/0/000": WIDTH - 1, "tile/0/001.p/20": SIZE - 1, "tile/1/000.p/1": 0}[name]
    )


@pytest.mark.parametrize("which", range(6))
def test_a_missing_file_is_found(bundle: Path, which: int) -> None:
    path = files(bundle)[which]
    path.unlink()
    expected = "bundle.checkpoint" if path.name == "checkpoint" else "bundle.missing"
    assert expected in codes(verdict(bundle))


@pytest.mark.parametrize("which", range(6))
def test_no_damage_goes_unseen_and_none_breaks_the_examination(bundle: Path, which: int) -> None:
    path = files(bundle)[which]
    content = path.read_bytes()
    chance = random.Random(which)
    for _ in range(40):
        at = chance.randrange(len(content))
        spoiled = chance.choice(
            [
                content[:at],
                content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :],
                content[:at] + content[at + 1 :],
                content[:at] + chance.randbytes(3) + content[at:],
                content + chance.randbytes(1),
                chance.randbytes(len(content)),
            ]
        )
        path.write_bytes(spoiled)
        assert spoiled == content or not verdict(bundle).is_sound


@pytest.mark.parametrize("size", [SIZE + 1, 2 * SIZE, 2**40, 2**62])
def test_a_checkpoint_of_more_than_is_there_ends_soon(bundle: Path, size: int) -> None:
    resign(bundle, size, bytes(32))
    report = verdict(bundle)
    assert "bundle.missing" in codes(report)
    assert len(report.findings) <= MOST_FINDINGS


def test_a_checkpoint_of_less_than_is_there_is_another_bundle(bundle: Path) -> None:
    resign(bundle, 3, bytes(32))
    assert not verdict(bundle).is_sound


def test_findings_are_bounded(bundle: Path) -> None:
    (bundle / "tile/entries/000").write_bytes(encode_entries([b"{}"] * WIDTH))
    assert len(verdict(bundle).findings) == MOST_FINDINGS


@pytest.mark.parametrize(
    "leaf", [b"", b"{}", b"[" * 65_535, b"\xff" * 65_535, b'{"a":' * 10_000, b"9" * 60_000]
)
def test_hostile_entries_are_findings(bundle: Path, leaf: bytes) -> None:
    path = bundle / "tile/entries/001.p/20"
    path.write_bytes(encode_entries([leaf] * 20))
    report = verdict(bundle)
    assert report.first_bad == WIDTH
    assert len(report.findings) >= 20


def test_files_that_are_none_or_far_too_long_are_findings(bundle: Path) -> None:
    for name in ("tile/0/000", "tile/0/001.p/20", "tile/1/000.p/1"):
        (bundle / name).unlink()
    os.mkfifo(bundle / "tile/0/000")
    (bundle / "tile/0/001.p/20").mkdir()
    with (bundle / "tile/1/000.p/1").open("wb") as file:
        file.truncate(2**40)
    assert codes(verdict(bundle)) == {"bundle.file", "bundle.too_long"}


def misled(rewrite: Callable[[int, dict[str, Any]], None]) -> MemoryStorage:
    """Make a log whose tree and signature are right, and whose entries somebody had rewritten before."""
    storage, frontier = MemoryStorage(), list[bytes]()
    for stored in filled(12).leaves(0, 12):
        members = json.loads(stored.leaf)
        rewrite(stored.seq, members)
        leaf = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        nodes, frontier = merkle.complete(stored.seq, merkle.leaf_hash(leaf), frontier)
        size = stored.seq + 1
        note = SIGNER.sign(Checkpoint(ORIGIN, size, merkle.fold(frontier)).format())
        storage.add(leaf, b"".join(nodes), Head(ORIGIN, size, b"".join(frontier), note))
    return storage


def set_in(seq: int, path: str, value: object) -> Callable[[int, dict[str, Any]], None]:
    """Return a rewriting that sets one member of one entry."""

    def rewrite(index: int, members: dict[str, Any]) -> None:
        if index == seq:
            *outer, name = path.split(".")
            for each in outer:
                members = members[each]
            members[name] = value

    return rewrite


@pytest.mark.parametrize(
    ("rewrite", "expected"),
    [
        (set_in(5, "outcome", "success"), []),
        (set_in(5, "seq", 6), [("entry.place", 5)]),
        (set_in(5, "log", "other.example/log"), [("entry.log", 5)]),
        (set_in(5, "type", "log.opened"), [("entry.opened", 5)]),
        (set_in(0, "type", "log.closed"), [("entry.opened", 0)]),
        (set_in(9, "account.prev", "00" * 32), [("account.prev", 9)]),
        (set_in(9, "account.seq", 7), [("account.gap", 9)]),
        (set_in(9, "account.id", "900000000000"), [("account.gap", 9)]),
        (set_in(10, "ratio", 0.5), [("entry.not_canonical", 10)]),
        (set_in(11, "actor", "Ada"), [("entry.member", 11)]),
    ],
)
def test_entries_that_were_signed_against_the_rules_are_named(
    tmp_path: Path, rewrite: Callable[[int, dict[str, Any]], None], expected: list[tuple[str, int]]
) -> None:
    storage = misled(rewrite)
    write_bundle(storage, tmp_path / "bundle")
    found = [(finding.code, finding.index) for finding in verdict(tmp_path / "bundle").findings]
    assert found[: len(expected)] == expected
    assert bool(found) == bool(expected)
    assert "root.differs" not in dict(found)
