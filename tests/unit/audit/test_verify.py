"""A whole log as files: what an examination says of good ones, changed ones and hostile ones."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from audit import merkle
from audit.bundle import open_bundle, write_bundle, write_tar
from audit.checkpoint import Checkpoint
from audit.errors import AuditError, BundleRefused, LogRefused
from audit.storage import Head
from audit.storage.memory import MemoryStorage
from audit.tile import WIDTH, Tile, decode_entries, encode_entries
from audit.verify import MOST_FINDINGS, Older, Report, _Findings, _Pass, examine
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = WIDTH + 20


@pytest.fixture(scope="module")
def storage() -> MemoryStorage:
    return filled(SIZE)


@pytest.fixture(scope="module")
def pristine(storage: MemoryStorage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pristine") / "bundle"
    write_bundle(storage, directory)
    return directory


@pytest.fixture
def bundle(pristine: Path, tmp_path: Path) -> Path:
    """Lend a copy that a test may spoil."""
    return shutil.copytree(pristine, tmp_path / "bundle")


def verdict(path: Path, *since: Older) -> Report:
    with open_bundle(path) as opened:
        return examine(opened, SIGNER.verifier, since)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def resign(directory: Path, size: int, root: bytes) -> None:
    (directory / "checkpoint").write_text(SIGNER.sign(Checkpoint(ORIGIN, size, root).format()))


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 512, 513])
def test_a_bundle_of_any_size_is_sound_as_directory_and_as_tar(tmp_path: Path, size: int) -> None:
    log = filled(size)
    written = write_bundle(log, tmp_path / "bundle")
    assert write_tar(log, tmp_path / "bundle.tar") == written
    for path in (tmp_path / "bundle", tmp_path / "bundle.tar"):
        report = verdict(path)
        assert report.findings == ()
        assert (report.examined, report.checkpoint) == (size, written)


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
    findings = _Findings()
    examination = _Pass(deep, Checkpoint(ORIGIN, size, root), [], findings)  # type: ignore[arg-type]  # no entries
    for first in range(0, size, WIDTH):
        stop = min(first + WIDTH, size)
        examination._grow(first, [nodes[0] for nodes in deep.nodes[first:stop]])
    examination._close(size)
    examination.conclude()
    if spoiled is None:
        assert findings == []
    else:
        assert [finding.index for finding in findings] == [spoiled.first << (8 * (spoiled.level or 0))]


def test_the_files_are_those_of_the_tree(pristine: Path) -> None:
    assert [str(path.relative_to(pristine)) for path in files(pristine)] == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/20",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/20",
    ]


def test_the_same_log_gives_the_same_bytes(storage: MemoryStorage, tmp_path: Path) -> None:
    for name in ("one.tar", "two.tar"):
        write_tar(storage, tmp_path / name)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_a_tar_made_by_others_from_the_directory_is_read(pristine: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w:", format=tarfile.GNU_FORMAT) as archive:
        archive.add(pristine, arcname=".")
    assert verdict(tmp_path / "other.tar").is_sound


def test_nothing_is_written_over(pristine: Path, storage: MemoryStorage, tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match=r"bundle\.exists"):
        write_bundle(storage, pristine)
    (tmp_path / "file.tar").touch()
    with pytest.raises(FileExistsError):
        write_tar(storage, tmp_path / "file.tar")


def test_an_empty_log_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(LogRefused, match=r"log\.empty"):
        write_bundle(filled(0), tmp_path / "bundle")


def test_progress_is_told_to_the_end(storage: MemoryStorage, pristine: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_bundle(storage, tmp_path / "bundle", lambda done, total: told.append((done, total)))
    assert told == [(WIDTH, SIZE), (SIZE, SIZE)]
    told.clear()
    with open_bundle(pristine) as opened:
        examine(opened, SIGNER.verifier, (), lambda done, total: told.append((done, total)))
    assert told == [(WIDTH, SIZE), (SIZE, SIZE)]


# --- spoiled --------------------------------------------------------------------------------------------------


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


def test_no_damage_of_a_tar_breaks_the_examination(storage: MemoryStorage, tmp_path: Path) -> None:
    path = tmp_path / "log.tar"
    write_tar(storage, path)
    content, chance = path.read_bytes(), random.Random(5)
    for _ in range(150):
        at = chance.randrange(len(content))
        path.write_bytes(content[:at] + chance.randbytes(chance.choice([0, 1, 16])) + content[at + 1 :])
        try:
            report = verdict(path)
        except BundleRefused:
            continue
        if report.is_sound:
            assert at >= len(content) - 10_240 or content[at - at % 512 :][:512].count(0), (
                "only padding may change"
            )


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


@pytest.mark.parametrize("content", [b"", b"\0" * 10_240, b"garbage", b"x" * 512, b"\x1f\x8b" + bytes(600)])
def test_a_file_that_is_no_tar_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    if content.count(0) == len(content):  # a tar without members
        assert codes(verdict(path)) == {"bundle.checkpoint"}
        return
    with pytest.raises(BundleRefused, match=r"bundle\.tar"):
        open_bundle(path)


def test_links_and_extended_headers_in_a_tar_are_refused(tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.XHDTYPE):
        path = tmp_path / "hostile.tar"
        with tarfile.open(path, "w:", format=tarfile.USTAR_FORMAT) as archive:
            member = tarfile.TarInfo("checkpoint")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member, io.BytesIO())
        with pytest.raises(BundleRefused, match=r"bundle\.tar"):
            open_bundle(path)


# --- against older ones ---------------------------------------------------------------------------------------


def older(size: int, name: str = "kept") -> tuple[MemoryStorage, Older]:
    log = filled(size)
    return log, Older(name, LOG.checkpoint(log))


def test_a_log_that_grew_agrees_with_all_its_older_checkpoints(tmp_path: Path) -> None:
    log = filled(0)
    kept = []
    for size in (1, 5, WIDTH, WIDTH + 1, 2 * WIDTH + 9):
        fill(log, size)
        kept.append(Older(str(size), LOG.checkpoint(log)))
    write_bundle(log, tmp_path / "bundle")
    report = verdict(tmp_path / "bundle", *kept)
    assert report.findings == ()
    assert report.agreed == (1, 5, WIDTH, WIDTH + 1, 2 * WIDTH + 9)


def test_an_older_checkpoint_that_knew_more_shows_a_cut(bundle: Path) -> None:
    _, newer = older(SIZE + 4)
    report = verdict(bundle, newer)
    assert codes(report) == {"since.truncated"}
    assert report.first_bad == SIZE


def test_older_checkpoints_close_in_on_the_change(tmp_path: Path) -> None:
    """Two logs that are the same up to entry 40, signed by the same key: what a thief of the key can make."""
    log = filled(40)
    kept = [Older("at 40", LOG.checkpoint(log))]
    twin = filled(0)
    for stored, nodes in zip(log.leaves(0, 40), log._nodes, strict=True):
        twin._leaves.append(stored.leaf)
        twin._nodes.append(nodes)
        twin._members.append(json.loads(stored.leaf))
    twin._tails, twin._head = dict(log._tails), log._head
    fill(log, 60)
    kept += [Older("at 60", LOG.checkpoint(log))]
    write_bundle(log, tmp_path / "true")
    fill(log, 80)
    kept += [Older("at 80", LOG.checkpoint(log))]
    fill(twin, 100)
    write_bundle(twin, tmp_path / "false")

    report = verdict(tmp_path / "false", *reversed(kept))
    assert report.agreed == (40,)
    assert [(finding.code, finding.index) for finding in report.findings] == [("since.differs", 40)]
    assert "40 to 59" in report.findings[0].words

    with open_bundle(tmp_path / "true") as opened:
        report = verdict(tmp_path / "false", Older("a whole bundle", opened.note(), opened))
    assert [(finding.code, finding.index) for finding in report.findings] == [("since.differs", 40)]
    assert "entry 40 is not what it was" in report.findings[0].words


def test_an_older_checkpoint_of_another_log_is_a_finding(bundle: Path) -> None:
    report = verdict(bundle, Older("foreign", "x\n1\n\n— y AAAA\n"))
    assert codes(report) == {"since.refused"}


def test_an_older_bundle_that_cannot_be_read_is_a_finding(bundle: Path, tmp_path: Path) -> None:
    log, kept = older(30)
    write_bundle(log, tmp_path / "older")
    (tmp_path / "older/tile/0/000.p/30").unlink()
    with open_bundle(tmp_path / "older") as opened:
        report = verdict(bundle, Older(kept.name, kept.note, opened))
    assert codes(report) == {"since.unreadable", "since.differs"}


class Broken:
    """A source of which nothing can be read."""

    def note(self) -> str:
        raise AuditError("broken", "nothing is to be had")

    def leaves(self, start: int, stop: int) -> list[object]:
        raise AuditError("broken", f"neither {start} nor {stop}")

    def hashes(self, tile: object) -> list[bytes]:
        raise AuditError("broken", f"not {tile}")

    def has(self, index: int) -> bool:
        raise AuditError("broken", f"not {index}")


def test_a_source_that_fails_is_a_finding() -> None:
    report = examine(Broken(), SIGNER.verifier)  # type: ignore[arg-type]  # its entries are never seen
    assert [finding.code for finding in report.findings] == ["broken"]
    assert report.checkpoint is None


# --- signed, but not by the rules -----------------------------------------------------------------------------


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
