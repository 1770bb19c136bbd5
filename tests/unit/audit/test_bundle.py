"""Exports: the same files each time, a directory or a tar, and tars of strangers."""

from __future__ import annotations

import io
import random
import tarfile
from typing import TYPE_CHECKING

import pytest

from audit.bundle import open_bundle, write_bundle, write_tar
from audit.errors import BundleRefused, LogRefused
from audit.storage.memory import MemoryStorage
from audit.tile import WIDTH
from audit.verify import examine
from tests.unit.audit.world import SIGNER, fill, filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit.storage import Stored
from tests.unit.audit.world import SIZE, codes, files, verdict


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 512, 513])
def test_a_bundle_of_any_size_is_sound_as_directory_and_as_tar(tmp_path: Path, size: int) -> None:
    log = filled(size)
    written = write_bundle(log, tmp_path / "bundle")
    assert write_tar(log, tmp_path / "bundle.tar") == written
    for path in (tmp_path / "bundle", tmp_path / "bundle.tar"):
        report = verdict(path)
        assert report.findings == ()
        assert (report.examined, report.checkpoint) == (size, written)


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


class Interrupted(MemoryStorage):
    """A storage that breaks off after so many reads of entries."""

    def __init__(self, whole: MemoryStorage, reads: int) -> None:
        self.__dict__.update(whole.__dict__)
        self.reads = reads

    def leaves(self, start: int, stop: int) -> Iterator[Stored]:
        self.reads -= 1
        if self.reads < 0:
            raise OSError("the cable was pulled")
        return super().leaves(start, stop)


@pytest.mark.parametrize("reads", [0, 1, 2])
def test_an_interrupted_export_is_no_bundle_and_can_be_resumed(tmp_path: Path, reads: int) -> None:
    log = filled(3 * WIDTH + 9)
    with pytest.raises(OSError, match="cable"):
        write_bundle(Interrupted(log, reads), tmp_path / "bundle")
    assert codes(verdict(tmp_path / "bundle")) == {"bundle.checkpoint"}
    with pytest.raises(BundleRefused, match=r"bundle\.exists"):
        write_bundle(log, tmp_path / "bundle")
    (tmp_path / "bundle/tile/0/002.new").write_bytes(b"half a ti")
    kept = {path: path.stat().st_mtime_ns for path in files(tmp_path / "bundle") if ".p" not in str(path)}
    told: list[tuple[int, int]] = []
    write_bundle(log, tmp_path / "bundle", lambda done, total: told.append((done, total)), resume=True)
    assert told[-1] == (3 * WIDTH + 9, 3 * WIDTH + 9)
    kept.pop(tmp_path / "bundle/tile/0/002.new")
    assert len(kept) == 3 + reads
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "full tiles are left as they are"
    write_bundle(log, tmp_path / "at once")
    assert _contents_of(tmp_path / "bundle") == _contents_of(tmp_path / "at once")
    assert verdict(tmp_path / "bundle").is_sound


def test_an_older_bundle_is_brought_up_to_date(tmp_path: Path) -> None:
    log = filled(WIDTH + 9)
    write_bundle(log, tmp_path / "bundle")
    fill(log, 2 * WIDTH + 5)
    (tmp_path / "bundle/tile/0/000").write_bytes(b"short")
    (tmp_path / "bundle/tile/entries/000").write_bytes(b"\xff\xff lies")
    write_bundle(log, tmp_path / "bundle", resume=True)
    write_bundle(log, tmp_path / "at once")
    assert _contents_of(tmp_path / "bundle") == _contents_of(tmp_path / "at once")


def test_a_resumed_export_hides_nothing_that_was_rewritten(tmp_path: Path) -> None:
    write_bundle(filled(WIDTH + 9), tmp_path / "bundle")
    write_bundle(filled(WIDTH + 9), tmp_path / "bundle", resume=True)  # the ids are others
    assert not verdict(tmp_path / "bundle").is_sound


def _contents_of(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in files(directory)}
