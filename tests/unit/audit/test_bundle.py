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
from tests.unit.audit.world import SIGNER, filled

if TYPE_CHECKING:
    from pathlib import Path
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
