"""Hundreds of forgeries by somebody who has the whole log and its signing key; and what tells them from the truth.

The promise has two halves. Whoever kept one checkpoint elsewhere finds every one of them, and with an older log
the very entry. Whoever kept nothing finds none: with the key, another past is as good as the true one. That half
is tested as well, because it is why checkpoints are kept; and so is that without the key nobody gets that far.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from audit.note import Signer
from audit.verify import Older, examine
from tests.support.forger import FORGERIES, Forged, first_difference, recompute
from tests.support.thorough import times
from tests.unit.audit.world import ORIGIN, SIGNER, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = times(240, 1_000)
SIZE = 290
KEPT = 270
CHECKPOINTS = (40, 100, 101, 200, 256, KEPT)
THIEF = Signer.from_seed(ORIGIN, bytes(32))


@dataclass(frozen=True, slots=True)
class Case:
    """One forgery: what was done, with what leaves, and the first entry that is not what it was."""

    what: str
    leaves: list[bytes]
    first: int


@pytest.fixture(scope="module")
def true() -> list[bytes]:
    return [stored.leaf for stored in filled(SIZE).leaves(0, SIZE)]


def forgeries(true: list[bytes]) -> Iterator[Case]:
    """Make the forgeries, the same each time, each among the entries that were there when something was kept."""
    chance, made = random.Random(1_000), 0
    while made < COUNT:
        entries = [json.loads(leaf) for leaf in true]
        forgery = FORGERIES[made % len(FORGERIES)]
        forgery(entries, chance, chance.randrange(1, KEPT))
        leaves = recompute(entries)
        first = first_difference(true, leaves)
        if first < KEPT:  # else nothing is forged of what was kept
            made += 1
            yield Case(forgery.__name__, leaves, first)


def range_of(case: Case) -> tuple[int, int]:
    """Say between what entries the first bad one must be, for somebody with nothing but checkpoints."""
    low = max((size for size in CHECKPOINTS if size <= case.first), default=0)
    above = min((size for size in CHECKPOINTS if size > case.first), default=SIZE)
    return low, min(above - 1, len(case.leaves))


def test_with_the_key_all_are_found_by_what_was_kept_and_none_without(true: list[bytes]) -> None:
    older = Forged(ORIGIN, true[:KEPT], SIGNER)
    log = Older("an older log", older.note(), older)
    one = Older("a checkpoint", older.note())
    some = [Older(str(size), Forged(ORIGIN, true[:size], SIGNER).note()) for size in CHECKPOINTS]
    kinds, unplaced, missed, unlike = set(), [], [], []
    for case in forgeries(true):
        kinds.add(case.what)
        forged = Forged(ORIGIN, case.leaves, SIGNER)
        found = examine(forged, SIGNER.verifier, [log])
        if (found.first_bad, found.bounds) != (case.first, (case.first, case.first)):
            unplaced.append((case.what, case.first, found.first_bad, found.bounds))
        if examine(forged, SIGNER.verifier, [one]).is_sound:
            missed.append((case.what, case.first))
        found = examine(forged, SIGNER.verifier, some)
        if found.is_sound or found.bounds != range_of(case):
            unlike.append((case.what, case.first, len(case.leaves), found.bounds, range_of(case)))
        control = examine(forged, SIGNER.verifier)
        assert control.is_sound, (case.what, case.first, control.findings[:3])
    assert (unplaced, missed, unlike) == ([], [], [])
    assert len(kinds) == len(FORGERIES)


def test_without_the_key_all_are_found_by_the_log_alone(true: list[bytes]) -> None:
    note = Forged(ORIGIN, true, SIGNER).note()
    missed = []
    for number, case in enumerate(forgeries(true)):
        signer = THIEF if number % 2 else None
        report = examine(Forged(ORIGIN, case.leaves, signer, note), SIGNER.verifier)
        if report.is_sound or (signer and {each.code for each in report.findings} != {"note.unsigned"}):
            missed.append((case.what, case.first, signer is None))
    assert missed == []


def test_without_a_forgery_nothing_is_found(true: list[bytes]) -> None:
    older = Forged(ORIGIN, true[:KEPT], SIGNER)
    report = examine(
        Forged(ORIGIN, recompute([json.loads(leaf) for leaf in true]), SIGNER),
        SIGNER.verifier,
        [Older("an older log", older.note(), older)],
    )
    assert (report.findings, report.agreed) == ((), (KEPT,))
