"""The anchor file: only added to, on disk before anybody goes on, and nobody's way around what it has seen."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit.anchor_file import LARGEST_RECORD, AnchorFile, Last
from audit.checkpoint import Checkpoint
from audit.errors import NoteRefused, RolledBack
from audit.mark import check_kept
from audit.note import Cosigner, Signer, split
from audit.signatures import merge
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill, filled

if TYPE_CHECKING:
    from pathlib import Path

WITNESS = Cosigner.from_seed("witness.example/w1", bytes(32))


def note(size: int, root: bytes = bytes(32), signer: Signer = SIGNER) -> str:
    return signer.sign(Checkpoint(signer.name, size, root).format())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "anchors"


@pytest.fixture
def anchor(path: Path) -> AnchorFile:
    return AnchorFile(path)


def test_checkpoints_are_added_for_people_with_a_shell(anchor: AnchorFile, path: Path) -> None:
    assert anchor.last() == Last(None, torn=False)
    for size in (1, 5, 5, 12):
        anchor.add(note(size))
    assert path.read_text(encoding="utf-8") == "".join(note(size) + "\n" for size in (1, 5, 12))
    assert anchor.last() == Last(note(12), torn=False)
    shown = subprocess.run(["tail", "-n", "6", path], check=True, capture_output=True, text=True)
    assert shown.stdout == note(12) + "\n"


def test_a_checkpoint_with_more_signatures_is_added_again(anchor: AnchorFile, path: Path) -> None:
    anchor.add(note(5))
    cosigned = merge(note(5), WITNESS.line(split(note(5))[0], 100))
    anchor.add(cosigned)
    anchor.add(cosigned)
    assert anchor.last() == Last(cosigned, torn=False)
    assert path.read_text(encoding="utf-8") == f"{note(5)}\n{cosigned}\n"


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (note(4), "log.rolled_back"),
        (note(5, bytes([1]) * 32), "log.forked"),
        (note(9, signer=Signer.from_seed("other.example/log", bytes(32))), "anchor.origin"),
    ],
)
def test_what_contradicts_the_file_is_refused(anchor: AnchorFile, path: Path, other: str, code: str) -> None:
    anchor.add(note(5))
    before = path.read_bytes()
    with pytest.raises(RolledBack) as caught:
        anchor.add(other)
    assert caught.value.code == code
    assert path.read_bytes() == before


def test_a_log_is_held_against_what_the_file_ends_with(anchor: AnchorFile) -> None:
    storage = filled(5)
    anchor.add(LOG.checkpoint(storage))
    kept = anchor.last().note
    assert kept is not None
    fill(storage, 9)
    check_kept(kept, "the file", storage, *LOG.verifiers)
    with pytest.raises(RolledBack, match="LOG ROLLED BACK"):
        check_kept(kept, "the file", filled(4), *LOG.verifiers)
    with pytest.raises(RolledBack, match="LOG REWRITTEN"):
        check_kept(kept, "the file", filled(9), *LOG.verifiers)
    with pytest.raises(RolledBack, match="the file holds no checkpoint"):
        check_kept(note(5, signer=Signer.from_seed(ORIGIN, bytes(32))), "the file", storage, *LOG.verifiers)


@pytest.mark.parametrize("cut", range(1, len((note(6) + "\n").encode())))
def test_a_record_that_a_crash_cut_off_is_told_and_passed_over(
    anchor: AnchorFile, path: Path, cut: int
) -> None:
    anchor.add(note(5))
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write((note(6) + "\n").encode()[:cut])
    assert anchor.last() == Last(note(5), torn=True)
    assert anchor.add(note(7)) == Last(note(5), torn=True)
    assert anchor.last() == Last(note(7), torn=False)
    assert path.read_bytes().startswith(whole)
    assert anchor.add(note(8)) == Last(note(7), torn=False)


@pytest.mark.parametrize("cut", range(1, len((note(1) + "\n").encode())))
def test_a_first_record_that_was_cut_off_is_passed_over(anchor: AnchorFile, path: Path, cut: int) -> None:
    path.write_bytes((note(1) + "\n").encode()[:cut])
    assert anchor.last().torn
    anchor.add(note(2))
    assert anchor.last() == Last(note(2), torn=False)


@pytest.mark.parametrize(
    "content",
    [
        b"a diary\n\nof somebody else\n",
        b"x" * (2 * LARGEST_RECORD + 1),
        b"\xff\n1\n\xff\n\n\xe2\x80\x94 a b\n\n",
        b"a\n1\nnot base64\n\n\xe2\x80\x94 a AAAAAAAA\n\n",
    ],
)
def test_a_file_of_something_else_is_left_alone(anchor: AnchorFile, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(RolledBack, match=r"anchor\.damaged"):
        anchor.add(note(1))
    assert path.read_bytes() == content


@pytest.mark.parametrize("wrong", ["", "hello\n", note(1)[:-1], note(1).replace("\n1\n", "\n01\n")])
def test_what_is_no_checkpoint_is_not_added(anchor: AnchorFile, path: Path, wrong: str) -> None:
    with pytest.raises(NoteRefused):
        anchor.add(wrong)
    assert not path.exists()


def test_a_record_is_bounded(anchor: AnchorFile, path: Path) -> None:
    with pytest.raises(NoteRefused, match=r"note\.too_long"):
        anchor.add(note(1) + f"— {'x' * LARGEST_RECORD} AAAAAAAA\n")
    assert not path.exists()


def test_the_last_of_many_is_found_from_the_end(anchor: AnchorFile, path: Path) -> None:
    path.write_bytes("".join(note(size) + "\n" for size in range(1, 2_001)).encode())
    assert path.stat().st_size > 2 * LARGEST_RECORD
    assert anchor.last() == Last(note(2_000), torn=False)


def test_a_record_is_on_disk_before_whoever_added_it_goes_on(
    anchor: AnchorFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    fsync = os.fsync

    def sync(descriptor: int) -> None:
        synced.append(path.read_bytes())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    anchor.add(note(1))
    assert synced == [(note(1) + "\n").encode()] * 2, "the file, and the directory that it is new in"
    anchor.add(note(2))
    assert synced[2:] == [(note(1) + "\n" + note(2) + "\n").encode()]


def test_a_link_in_the_place_of_the_file_is_refused(anchor: AnchorFile, path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        anchor.add(note(1))
    with pytest.raises(OSError, match="symbolic"):
        anchor.last()


def test_many_processes_leave_whole_records_in_order(anchor: AnchorFile, path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom audit.anchor_file import AnchorFile\n"
        "from audit.errors import RolledBack\nanchor = AnchorFile(Path(sys.argv[1]))\n"
        "for note in sys.argv[2:]:\n    try:\n        anchor.add(note)\n    except RolledBack:\n        continue\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path), *[note(size) for size in range(first, 41, 4)]]
        )
        for first in (1, 2, 3, 4)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    records = path.read_text(encoding="utf-8").split("\n\n")
    sizes = [int(text.split("\n")[1]) for text in records[:-1:2]]
    assert sizes == sorted(set(sizes))
    assert anchor.last() == Last(note(40), torn=False)
