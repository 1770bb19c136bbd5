"""The witness as its operator runs it: made, started, refused, ended, and killed in the middle of its work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit.errors import RolledBack, Unreachable
from audit.note import Verifier, open_note, read_cosigner
from audit.storage.memory import MemoryStorage
from audit.witness.client import Client, Cosignature
from audit.witness.submit import submit
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill, filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[3]
AUDIT = [sys.executable, "-m", "audit", "witness"]
NAME = "witness.example/w1"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AUDIT, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def files(tmp_path: Path) -> list[str | Path]:
    made: list[str | Path] = ["--key-file", tmp_path / "w.key", "--state", tmp_path / "state"]
    done = run("init", "--name", NAME, *made)
    assert done.returncode == 0, done.stderr
    assert Verifier.parse(done.stdout.removesuffix("\n")) == read_cosigner(tmp_path / "w.key").verifier
    return made


@contextmanager
def serving(files: Sequence[str | Path]) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """Start a witness of our log on a free port."""
    command = [*AUDIT, "serve", *map(str, files), "--log", SIGNER.vkey, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told = json.loads(process.stderr.readline())
            assert told["logs"] == [ORIGIN]
            yield process, Client(told["serving"], Verifier.parse(told["vkey"]))
        finally:
            process.kill()


def sent(client: Client, storage: MemoryStorage, note: str, size: int) -> Cosignature:
    return submit(client, note, lambda old: LOG.prove_consistency(storage, old, size))


def test_a_witness_is_made_started_and_ended(files: list[str | Path], tmp_path: Path) -> None:
    assert (tmp_path / "w.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    storage = filled(4)
    with serving(files) as (process, client):
        assert abs(sent(client, storage, storage.head().note, 4).time - client.now()) < 60
        process.send_signal(signal.SIGTERM)
        _, journal = process.communicate(timeout=30)
        assert process.returncode == 0
    assert [json.loads(line).get("status") for line in journal.splitlines()] == [200, None]
    assert "ended" in journal.splitlines()[-1]


@pytest.mark.parametrize("kills", [6])
def test_a_witness_that_is_killed_at_work_forgets_no_cosignature(files: list[str | Path], kills: int) -> None:
    storage = MemoryStorage()
    fill(storage, 1)
    given = 0
    for _ in range(kills):
        with serving(files) as (process, client):
            if given:
                kept = open_note(client.latest(ORIGIN) or "", [client.verifier, SIGNER.verifier])
                assert int(kept.text.split("\n")[1]) >= given
            ending = threading.Timer(0.15, process.send_signal, [signal.SIGKILL])
            ending.start()
            try:
                while True:
                    note, size = storage.head().note, storage.head().size
                    sent(client, storage, note, size)
                    given = size
                    fill(storage, size + 1)
            except Unreachable:
                process.wait(30)
            ending.join()
    assert given > kills
    with serving(files) as (_, client), pytest.raises(RolledBack):
        sent(client, filled(given), filled(given).head().note, given)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--state": "nowhere"}, "no witness's memory"),
        ({"--key-file": "nowhere"}, "No such file"),
        ({"--log": "vkey"}, "vkey"),
        ({"--listen": "here"}, "ADDRESS:PORT"),
        ({"--listen": "127.0.0.1:70000"}, "ADDRESS:PORT"),
        ({"--listen": "192.0.2.1:0"}, "assign"),
    ],
)
def test_a_witness_that_cannot_begin_says_why(
    files: list[str | Path], tmp_path: Path, change: dict[str, str], words: str
) -> None:
    chosen = {
        **dict(zip(files[::2], files[1::2], strict=True)),
        "--log": SIGNER.vkey,
        "--listen": "127.0.0.1:0",
    }
    chosen |= {name: tmp_path / value if value == "nowhere" else value for name, value in change.items()}
    done = run("serve", *[part for pair in chosen.items() for part in pair])
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_key_of_a_witness_is_never_made_over(files: list[str | Path], tmp_path: Path) -> None:
    before = (tmp_path / "w.key").read_bytes()
    for state in ("state", "another"):
        done = run("init", "--name", NAME, "--key-file", tmp_path / "w.key", "--state", tmp_path / state)
        assert done.returncode == 2
    assert (tmp_path / "w.key").read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["state", "w.key"]
    assert len(files) == 4


@pytest.mark.parametrize("name", ["", "two words", "a+b", "bell\x07"])
def test_a_name_that_no_witness_can_have_is_refused(tmp_path: Path, name: str) -> None:
    done = run("init", "--name", name, "--key-file", tmp_path / "w.key", "--state", tmp_path / "state")
    assert done.returncode == 2
    assert "\x07" not in done.stderr
    assert list(tmp_path.iterdir()) == []
