"""The high-water mark: only forward, by many at once, and a log that fell behind it is refused."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import RolledBack
from audit.log import Log
from audit.mark import MarkFile
from audit.note import Signer
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill, filled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def mark(tmp_path: Path) -> MarkFile:
    return MarkFile(tmp_path / "mark")


def note(size: int, root: bytes = bytes(32)) -> str:
    return SIGNER.sign(Checkpoint(ORIGIN, size, root).format())


def test_there_is_no_mark_until_one_is_set(mark: MarkFile) -> None:
    assert mark.read() is None
    mark.check(filled(3), SIGNER.verifier)


def test_a_mark_moves_forward_and_never_back(mark: MarkFile, tmp_path: Path) -> None:
    for size in (1, 5, 3, 5, 4):
        mark.advance(note(size))
    assert mark.read() == note(5)
    assert (tmp_path / "mark").stat().st_mode & 0o777 == 0o600


def test_a_log_that_stayed_or_grew_passes(mark: MarkFile) -> None:
    storage = filled(4)
    mark.advance(LOG.checkpoint(storage))
    mark.check(storage, SIGNER.verifier)
    for size in (5, 8, 13):
        fill(storage, size)
        mark.check(storage, SIGNER.verifier)


@pytest.mark.parametrize("size", [0, 1, 4])
def test_an_older_state_is_refused_in_plain_words(mark: MarkFile, size: int) -> None:
    storage = filled(size) if size else filled(0)
    newer = filled(5)
    mark.advance(LOG.checkpoint(newer))
    with pytest.raises(RolledBack, match="LOG ROLLED BACK") as caught:
        mark.check(storage, SIGNER.verifier)
    assert caught.value.code == "log.rolled_back"


@pytest.mark.parametrize("size", [5, 6, 9])
def test_another_log_of_the_same_or_a_greater_size_is_refused(mark: MarkFile, size: int) -> None:
    mark.advance(LOG.checkpoint(filled(5)))
    with pytest.raises(RolledBack, match="LOG REWRITTEN"):
        mark.check(filled(size), SIGNER.verifier)


def test_a_head_with_another_key_is_refused(mark: MarkFile) -> None:
    storage = filled(3)
    mark.advance(LOG.checkpoint(storage))
    thief = filled(0)
    fill(thief, 4, Log(ORIGIN, Signer.from_seed(ORIGIN, bytes(32))))
    with pytest.raises(RolledBack, match="LOG REWRITTEN"):
        mark.check(thief, SIGNER.verifier)


def test_two_logs_of_one_size_are_refused(mark: MarkFile) -> None:
    mark.advance(note(5))
    with pytest.raises(RolledBack, match="LOG FORKED"):
        mark.advance(note(5, bytes([1]) * 32))


def test_the_mark_of_another_log_is_not_moved(mark: MarkFile) -> None:
    other = Signer.from_seed("other.example/log", bytes(32))
    mark.advance(other.sign(Checkpoint(other.name, 1, bytes(32)).format()))
    with pytest.raises(RolledBack, match=r"mark\.origin"):
        mark.advance(note(5))


@pytest.mark.parametrize("content", [b"", b"\xff", b"garbage", note(3).replace("\n3\n", "\n4\n").encode()])
def test_a_damaged_mark_fails_closed(mark: MarkFile, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mark").write_bytes(content)
    with pytest.raises(RolledBack, match=r"mark\.damaged"):
        mark.check(filled(9), SIGNER.verifier)


def test_many_threads_leave_the_highest(mark: MarkFile) -> None:
    sizes = list(range(1, 41))
    random.Random(7).shuffle(sizes)
    threads = [threading.Thread(target=mark.advance, args=[note(size)]) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mark.read() == note(40)


def test_many_processes_leave_the_highest_and_a_whole_file(mark: MarkFile, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from audit.mark import MarkFile;"
        "mark = MarkFile(Path(sys.argv[1])); [mark.advance(note) for note in sys.argv[2:]]"
    )
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                program,
                str(tmp_path / "mark"),
                *[note(size) for size in range(first, 33, 4)],
            ]
        )
        for first in (1, 2, 3, 4)
    ]
    while any(process.poll() is None for process in processes):
        seen = mark.read()
        assert seen is None or SIGNER.is_own(seen)
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert mark.read() == note(32)


def test_a_mark_of_the_same_length_is_written_over_and_any_other_replaces_the_file(
    mark: MarkFile, tmp_path: Path
) -> None:
    file = tmp_path / "mark"
    mark.advance(note(1))
    first = file.stat().st_ino
    mark.advance(note(9))
    assert (file.stat().st_ino, mark.read()) == (first, note(9))
    mark.advance(note(10))
    assert mark.read() == note(10)
    assert file.stat().st_ino != first
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".new")] == []


@pytest.mark.parametrize("sizes", [(1, 2), (9, 10), (5, 5)])
def test_a_mark_is_on_disk_before_whoever_moved_it_goes_on(
    mark: MarkFile, sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str | None] = []
    fdatasync = os.fdatasync

    def sync(descriptor: int) -> None:
        synced.append(mark.read())
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", sync)
    for size in sizes:
        mark.advance(note(size))
        assert synced[-1] == note(size)
    assert len(synced) == 2


def test_nobody_reads_half_a_mark(mark: MarkFile) -> None:
    mark.advance(note(1_000))
    stop = threading.Event()
    seen: list[str | None] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(mark.read())

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for size in range(1_001, 1_201):
        mark.advance(note(size, bytes([size % 256]) * 32))
    stop.set()
    for thread in threads:
        thread.join()
    assert set(seen) <= {note(1_000)} | {note(size, bytes([size % 256]) * 32) for size in range(1_001, 1_201)}


def test_a_checkpoint_that_others_kept_is_held_wherever_the_mark_stands(
    mark: MarkFile, tmp_path: Path
) -> None:
    storage = filled(8)
    mark.advance(LOG.checkpoint(storage))
    mark.hold(note(5, b"x" * 32))  # another log of five entries was signed with our key
    mark.hold(note(9))
    assert mark.held() == note(5, b"x" * 32)  # the first that was found is the evidence
    for refused in (mark.read, lambda: mark.check(storage, SIGNER.verifier), lambda: mark.advance(note(10))):
        with pytest.raises(RolledBack) as caught:
            refused()
        assert caught.value.code == "mark.held"
    assert (tmp_path / "mark").read_text() == LOG.checkpoint(storage)  # where the log stood is not lost
    (tmp_path / "mark.held").unlink()  # an operator's deed, and the only way on
    mark.check(storage, SIGNER.verifier)


@pytest.mark.parametrize("content", [b"", b"\xff"])
def test_what_is_held_stops_everything_whatever_it_holds(
    mark: MarkFile, tmp_path: Path, content: bytes
) -> None:
    mark.advance(note(3))
    (tmp_path / "mark.held").write_bytes(content)
    with pytest.raises(RolledBack):
        mark.advance(note(4))
    (tmp_path / "mark.held").unlink()
    (tmp_path / "mark.held").symlink_to(tmp_path / "nowhere")
    with pytest.raises(RolledBack):
        mark.read()


def test_no_process_moves_the_mark_past_what_is_held(mark: MarkFile, tmp_path: Path) -> None:
    """Several processes advance while one holds: after `hold` returned, none moved the mark, and all were stopped."""
    program = (
        "import sys; from pathlib import Path; from audit.errors import RolledBack;"
        "from audit.mark import MarkFile; from tests.unit.audit.test_mark import note\n"
        "mark, size = MarkFile(Path(sys.argv[1])), int(sys.argv[2])\n"
        "print(flush=True)\n"
        "try:\n"
        "    while True:\n"
        "        size += 3; mark.advance(note(size))\n"
        "except RolledBack as error:\n"
        "    print(error.code)\n"
    )
    mark.advance(note(9))
    arguments = [sys.executable, "-c", program, str(tmp_path / "mark")]
    running = [subprocess.Popen([*arguments, str(n)], stdout=subprocess.PIPE, text=True) for n in range(3)]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "\n"
    mark.hold(note(5, b"x" * 32))
    stood = (tmp_path / "mark").read_text()
    assert [each.communicate(timeout=60)[0] for each in running] == ["mark.held\n"] * 3
    assert (tmp_path / "mark").read_text() == stood


def test_a_checkpoint_of_another_log_is_not_held(mark: MarkFile) -> None:
    mark.advance(note(3))
    other = Signer.from_seed("other.example/audit", bytes(32))
    with pytest.raises(RolledBack):
        mark.hold(other.sign(Checkpoint("other.example/audit", 9, bytes(32)).format()))
    assert mark.read() == note(3)
