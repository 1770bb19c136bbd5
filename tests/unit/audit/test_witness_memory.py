"""What a witness remembers survives it, and a witness that cannot trust its memory does not serve."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from audit.errors import RolledBack, Unreachable, WitnessRefused
from audit.note import Signer
from audit.witness.memory import Memory
from audit.witness.wire import place_of
from tests.support.witness import RunningWitness, ask, running_witness
from tests.unit.audit.world import ORIGIN, SEED, SIGNER, fill, filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER = Signer.from_seed("other.example/log", SEED)
NEW = Signer.from_seed(ORIGIN, bytes(32))


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[RunningWitness]:
    with running_witness(tmp_path / "w1", [SIGNER.verifier]) as running:
        yield running


def test_what_was_cosigned_survives_the_witness(tmp_path: Path) -> None:
    storage = filled(4)
    with running_witness(tmp_path / "w", [SIGNER.verifier]) as witness:
        ask(storage, witness)
        kept = witness.client().latest(ORIGIN)
    older = filled(2)
    with running_witness(tmp_path / "w", [SIGNER.verifier]) as witness:
        assert witness.client().latest(ORIGIN) == kept
        with pytest.raises(RolledBack):
            ask(older, witness)


def spoil(state: Path, how: str) -> None:
    kept, owner = state / place_of(ORIGIN), state / "witness"
    match how:
        case "checkpoint lost":
            kept.unlink()
        case "checkpoint torn":
            kept.write_bytes(kept.read_bytes()[:-40])
        case "checkpoint empty":
            kept.write_bytes(b"")
        case "checkpoint not text":
            kept.write_bytes(b"\xff")
        case "checkpoint changed":
            kept.write_text(kept.read_text(encoding="utf-8").replace("\n4\n", "\n3\n"), encoding="utf-8")
        case "checkpoint without our line":
            kept.write_text(filled(4).head().note, encoding="utf-8")
        case "checkpoint of another log":
            cosigned = kept.read_text(encoding="utf-8")
            (state / place_of(OTHER.name)).write_text(cosigned, encoding="utf-8")
        case "no memory":
            owner.unlink()
        case _:
            owner.write_text(f"{OTHER.vkey}\n", encoding="utf-8")


@pytest.mark.parametrize(
    "how",
    [
        "checkpoint lost", "checkpoint torn", "checkpoint empty", "checkpoint not text", "checkpoint changed",
        "checkpoint without our line", "checkpoint of another log", "no memory", "another's memory",
    ],
)  # fmt: skip
def test_a_witness_that_cannot_trust_its_memory_does_not_start(tmp_path: Path, how: str) -> None:
    logs = [SIGNER.verifier, OTHER.verifier]
    with running_witness(tmp_path / "w", logs) as witness:
        ask(filled(4), witness)
    spoil(tmp_path / "w", how)
    with pytest.raises(WitnessRefused, match=r"witness\.memory"), running_witness(tmp_path / "w", logs):
        pass


def test_a_witness_whose_memory_fails_while_it_serves_cosigns_nothing(
    witness: RunningWitness, tmp_path: Path
) -> None:
    storage = filled(4)
    ask(storage, witness)
    fill(storage, 5)
    kept = tmp_path / "w1" / place_of(ORIGIN)
    content = kept.read_bytes()
    kept.unlink()
    with pytest.raises(Unreachable, match="500"):
        ask(storage, witness, 4)
    assert not kept.exists()
    kept.write_bytes(content)
    ask(storage, witness, 4)


def test_a_witness_killed_between_its_two_files_knows_both_afterwards(tmp_path: Path) -> None:
    with running_witness(tmp_path / "w", [SIGNER.verifier]) as witness:
        ask(filled(4), witness)
        vkey = witness.verifier.vkey
    (tmp_path / "w" / "witness").write_text(f"{vkey}\n", encoding="utf-8")
    with running_witness(tmp_path / "w", [SIGNER.verifier]):
        assert (tmp_path / "w" / "witness").read_text(encoding="utf-8") == f"{vkey}\n{ORIGIN}\n"


def test_two_programs_do_not_share_a_memory(witness: RunningWitness, tmp_path: Path) -> None:
    with pytest.raises(WitnessRefused, match="another program"):
        Memory(tmp_path / "w1", witness.verifier.vkey)


def test_a_memory_is_not_made_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "witness").write_text("precious", encoding="utf-8")
    with pytest.raises(WitnessRefused, match="not empty"):
        Memory.create(tmp_path / "w", "vkey")
    assert (tmp_path / "w" / "witness").read_text(encoding="utf-8") == "precious"


def test_a_witness_is_not_a_log(tmp_path: Path, witness: RunningWitness) -> None:
    with (
        pytest.raises(WitnessRefused, match="not a log's"),
        running_witness(tmp_path / "w", [witness.verifier]),
    ):
        pass


def test_nothing_is_cosigned_that_is_not_on_disk(
    witness: RunningWitness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = filled(4)
    ask(storage, witness)
    kept = (tmp_path / "w1" / place_of(ORIGIN)).read_bytes()
    fill(storage, 5)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Unreachable, match="500"):
            ask(storage, witness, 4)
    assert (tmp_path / "w1" / place_of(ORIGIN)).read_bytes() == kept
    assert "No space left" in witness.journal[-1]["error"]
    ask(storage, witness, 4)
