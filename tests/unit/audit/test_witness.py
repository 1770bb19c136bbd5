"""A log and its witnesses over real HTTP: what is cosigned, what never is, and what the log learns from it."""

from __future__ import annotations

import copy
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audit.errors import RolledBack, SizeConflict, Unreachable, WitnessRefused
from audit.log import Log
from audit.mark import check_kept
from audit.note import Signer, open_note, split
from audit.receipt import open_checkpoint
from audit.signatures import merge
from audit.storage.memory import MemoryStorage
from audit.witness.client import Cosignature
from audit.witness.submit import submit
from tests.support.witness import NOON, RunningWitness, ask, running_witness
from tests.unit.audit.world import LOG, ORIGIN, SEED, SIGNER, fill, filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER = Signer.from_seed("other.example/log", SEED)
NEW = Signer.from_seed(ORIGIN, bytes(32))


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[RunningWitness]:
    with running_witness(tmp_path / "w1", [SIGNER.verifier]) as running:
        yield running


def fork(storage: MemoryStorage, size: int) -> MemoryStorage:
    """Continue a copy of a log differently."""
    other = copy.deepcopy(storage)
    fill(other, size)
    return other


def test_a_growing_log_is_cosigned_step_by_step(witness: RunningWitness) -> None:
    storage = MemoryStorage()
    assert witness.client().latest(ORIGIN) is None
    known = 0
    for size in (1, 2, 5, 5, 8, 21):
        fill(storage, size)
        witness.time += 7
        given = ask(storage, witness, known)
        known = size
        note = merge(storage.head().note, given.line)
        signed = open_note(note, [SIGNER.verifier, witness.verifier]).signatures
        assert [each.time for each in signed] == [None, witness.time] == [None, given.time]
        assert witness.client().latest(ORIGIN) == note
    assert [each["status"] for each in witness.journal if "POST" in each["asked"]] == [200] * 6


@pytest.mark.parametrize("start", [0, 1, 3, 6, 7, 99])
def test_a_log_that_does_not_know_what_the_witness_has_is_told(witness: RunningWitness, start: int) -> None:
    storage = filled(4)
    ask(storage, witness)
    fill(storage, 7)
    ask(storage, witness, start)
    assert [each.get("known") for each in witness.journal if each["status"] == 409] == [4]
    assert open_checkpoint(witness.client().latest(ORIGIN) or "", ORIGIN, SIGNER.verifier).size == 7


def test_a_log_that_was_put_back_is_told_how_far_it_was(witness: RunningWitness) -> None:
    storage = filled(4)
    backup = copy.deepcopy(storage)
    fill(storage, 9)
    ask(storage, witness)
    with pytest.raises(RolledBack, match="has seen 9 entries, the log has 4") as caught:
        ask(backup, witness, 4)
    assert caught.value.code == "log.rolled_back"
    kept = witness.client().latest(ORIGIN)
    assert kept is not None
    with pytest.raises(RolledBack, match="LOG ROLLED BACK"):
        check_kept(kept, "the witness", backup, *LOG.verifiers)


@pytest.mark.parametrize("size", [9, 10, 16, 30])
def test_a_log_that_was_put_back_and_grew_again_is_never_cosigned(witness: RunningWitness, size: int) -> None:
    storage = filled(4)
    backup = copy.deepcopy(storage)
    fill(storage, 9)
    ask(storage, witness)
    kept = witness.client().latest(ORIGIN)
    fill(backup, size)
    with pytest.raises(RolledBack, match="LOG REWRITTEN") as caught:
        ask(backup, witness, 9)
    assert caught.value.code == "log.forked"
    assert {each["status"] for each in witness.journal if "POST" in each["asked"]} == {
        200,
        409 if size == 9 else 422,
    }
    assert witness.client().latest(ORIGIN) == kept


def test_two_witnesses_keep_a_log_from_showing_two_versions(tmp_path: Path) -> None:
    """Each may be shown another first version; nobody gets both cosignatures on either continuation."""
    common = filled(3)
    ours, theirs = fork(common, 6), fork(common, 6)
    keys = [SIGNER.verifier]
    with (
        running_witness(tmp_path / "a", keys, "a.example/w") as one,
        running_witness(tmp_path / "b", keys, "b.example/w") as two,
    ):
        assert one.verifier != two.verifier
        note = ours.head().note
        for witness in (one, two):
            note = merge(note, ask(ours, witness).line)
        both = open_note(note, [SIGNER.verifier, one.verifier, two.verifier])
        assert [each.name for each in both.signatures] == [ORIGIN, "a.example/w", "b.example/w"]
        for witness in (one, two):
            with pytest.raises(RolledBack, match="LOG REWRITTEN"):
                ask(theirs, witness)
            fill(theirs, 12)
            with pytest.raises(RolledBack, match="LOG REWRITTEN"):
                ask(theirs, witness)


def test_fifty_at_once_only_ever_move_it_forward(witness: RunningWitness) -> None:
    storage = MemoryStorage()
    receipts = fill(storage, 50)
    order = list(range(1, 51))
    random.Random(5).shuffle(order)

    def send(size: int) -> Cosignature | None:
        note = receipts[size - 1].checkpoint
        try:
            return submit(
                witness.client(),
                note,
                lambda old: LOG.prove_consistency(storage, old, size),
                head=lambda: storage.head().size,
            )
        except (SizeConflict, WitnessRefused, Unreachable):
            return None  # another was faster, again and again, or all places were taken

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, order))
    won = [size for size, answer in zip(order, answers, strict=True) if answer is not None]
    cosigned = [each["size"] for each in witness.journal if each["status"] == 200]
    assert won
    assert cosigned == sorted(cosigned)
    assert set(won) == set(cosigned)
    kept = open_checkpoint(witness.client().latest(ORIGIN) or "", ORIGIN, SIGNER.verifier)
    assert kept.size == max(won)
    assert send(50) is not None


def test_whoever_was_overtaken_by_its_own_is_not_rolled_back(witness: RunningWitness) -> None:
    storage = filled(3)
    late = storage.head().note
    fill(storage, 5)
    ask(storage, witness)
    with pytest.raises(SizeConflict) as caught:
        submit(witness.client(), late, lambda _: [], head=lambda: storage.head().size)
    assert caught.value.size == 5
    with pytest.raises(RolledBack):
        submit(witness.client(), late, lambda _: [], head=lambda: 4)


def test_a_witness_follows_a_change_of_keys(tmp_path: Path) -> None:
    """It knows both keys during the overlap, or is given the new one before the old one stops signing."""
    storage, both, after = filled(3), Log(ORIGIN, NEW, SIGNER), Log(ORIGIN, NEW)
    with running_witness(tmp_path / "w", [SIGNER.verifier]) as witness:
        ask(storage, witness)
        fill(storage, 5, both)
        ask(storage, witness, 3, both)
        fill(storage, 6, after)
        with pytest.raises(WitnessRefused, match=r"witness\.unsigned"):
            ask(storage, witness, 5, after)
    with running_witness(tmp_path / "w", [NEW.verifier]) as witness:
        ask(storage, witness, 5, after)
    with running_witness(tmp_path / "w", [SIGNER.verifier, NEW.verifier]) as witness:
        fill(storage, 9, both)
        ask(storage, witness, 6, both)
        assert len(split(witness.client().latest(ORIGIN) or "")[1]) == 3
        with pytest.raises(RolledBack):
            ask(filled(9), witness)


def test_one_witness_watches_many_logs(tmp_path: Path) -> None:
    storage, theirs = filled(3), MemoryStorage()
    other = Log(OTHER.name, OTHER)
    fill(theirs, 5, other)
    with running_witness(tmp_path / "w", [SIGNER.verifier, OTHER.verifier]) as witness:
        ask(storage, witness)
        ask(theirs, witness, log=other)
        assert open_checkpoint(witness.client().latest(ORIGIN) or "", ORIGIN, SIGNER.verifier).size == 3
        assert (
            open_checkpoint(witness.client().latest(OTHER.name) or "", OTHER.name, OTHER.verifier).size == 5
        )


def test_a_witness_whose_clock_went_back_swears_to_nothing(witness: RunningWitness) -> None:
    storage = filled(4)
    ask(storage, witness)
    witness.time -= 1
    fill(storage, 5)
    with pytest.raises(Unreachable, match=r"witness\.unavailable"):
        ask(storage, witness, 4)
    witness.time = NOON
    assert ask(storage, witness, 4).time == NOON


@pytest.mark.parametrize("away", [-61, 61, 10**9])
def test_a_cosignature_of_another_time_is_not_taken(witness: RunningWitness, away: int) -> None:
    storage = filled(4)
    client = replace(witness.client(), now=lambda: NOON + away)
    with pytest.raises(WitnessRefused, match=r"witness\.time"):
        submit(client, storage.head().note, lambda _: [])
    assert submit(replace(client, tolerance=abs(away) + 1), storage.head().note, lambda _: [], 4).time == NOON
