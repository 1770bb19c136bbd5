"""A log changes its signing key: who can verify what, when, and what is never signed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audit.checkpoint import Checkpoint
from audit.entry import JsonValue, decode
from audit.errors import EntryRefused, LogRefused, NoteRefused, RolledBack
from audit.log import Log
from audit.mark import MarkFile
from audit.merkle import Coordinate
from audit.note import COSIGNATURE, Signer, Verifier, split
from audit.receipt import InclusionReceipt, open_checkpoint
from audit.rotation import ROTATED, Rotation
from audit.signatures import merge
from audit.storage.memory import MemoryStorage
from tests.unit.audit.world import ORIGIN, SEED, SIGNER, draft, fill, filled

if TYPE_CHECKING:
    from pathlib import Path

OLD = SIGNER
NEW = Signer.from_seed(ORIGIN, bytes(32))
THIRD = Signer.from_seed(ORIGIN, bytes([3]) * 32)
BEFORE = Log(ORIGIN, OLD)
BOTH = Log(ORIGIN, NEW, OLD)
AFTER = Log(ORIGIN, NEW)
UNTIL = "2026-12-21T02:00:00.000000Z"
ROTATION = Rotation(NEW.verifier, OLD.verifier, UNTIL)


def head_of(storage: MemoryStorage) -> str:
    return storage.head().note


def accepts(note: str, *keys: Signer) -> bool:
    try:
        open_checkpoint(note, ORIGIN, *(key.verifier for key in keys))
    except NoteRefused:
        return False
    return True


def put_note(storage: MemoryStorage, note: str) -> None:
    """Change the signed head as somebody with the database can."""
    storage._head = replace(storage._head, note=note)


def test_a_log_changes_its_key_while_readers_of_either_key_go_on() -> None:
    storage = MemoryStorage()
    fill(storage, 3, BEFORE)
    assert accepts(head_of(storage), OLD)
    assert not accepts(head_of(storage), NEW)

    assert BOTH.checkpoint(storage) == head_of(storage), "the first head that it finds is the old key's alone"
    switched = BOTH.append(storage, replace(draft(ROTATED), detail=ROTATION.detail))
    assert switched.checkpoint == head_of(storage)
    told = decode(BOTH.check_current(storage, switched.index))["detail"]
    assert isinstance(told, dict)
    assert Rotation.parse(told) == ROTATION
    for _ in range(4):
        assert accepts(head_of(storage), OLD)
        assert accepts(head_of(storage), NEW)
        assert accepts(head_of(storage), NEW, OLD)
        BOTH.append(storage, draft())

    assert AFTER.checkpoint(storage) == head_of(storage), "both lines are there until the next entry"
    AFTER.append(storage, draft())
    assert accepts(head_of(storage), NEW)
    assert not accepts(head_of(storage), OLD)
    assert len(split(head_of(storage))[1]) == 1
    AFTER.append(storage, draft())


def test_receipts_of_the_overlap_verify_by_either_key() -> None:
    storage = filled(3)
    BOTH.append(storage, draft())
    receipt = InclusionReceipt.parse(BOTH.tlog_proof(storage, 1))
    leaf = storage.nodes([Coordinate(0, 1)])[0]
    assert receipt.check(leaf, OLD.verifier) == receipt.check(leaf, NEW.verifier)
    with pytest.raises(NoteRefused, match=r"note\.unsigned"):
        receipt.check(leaf, THIRD.verifier)


def test_the_overlap_costs_one_signature_more(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Signer] = []
    signed = Signer._signed

    def count(self: Signer, text: str) -> object:
        made.append(self)
        return signed(self, text)

    monkeypatch.setattr(Signer, "_signed", count)
    storage = filled(2)
    made.clear()
    fill(storage, 3, BEFORE)
    assert made == [OLD, OLD], "one to find our own line, one for the new head"
    fill(storage, 4, BOTH)
    made.clear()
    fill(storage, 5, BOTH)
    assert made == [NEW, OLD, NEW]
    made.clear()
    fill(storage, 6, AFTER)
    assert made == [NEW, NEW]


@pytest.mark.parametrize("log", [BEFORE, BOTH, AFTER])
def test_a_head_by_a_third_key_is_refused(log: Log) -> None:
    storage = filled(3)
    text = split(head_of(storage))[0]
    put_note(storage, THIRD.sign(text))
    with pytest.raises(LogRefused, match=r"log\.signature"):
        log.append(storage, draft())
    with pytest.raises(LogRefused, match=r"log\.signature"):
        log.check_current(storage, 1)
    with pytest.raises(NoteRefused, match=r"note\.unsigned"):
        log.checkpoint(storage)


def test_the_new_key_alone_refuses_a_head_of_the_old_one() -> None:
    with pytest.raises(LogRefused, match=r"log\.signature"):
        AFTER.append(filled(3), draft())


def test_a_line_under_our_key_that_we_did_not_write_is_refused() -> None:
    storage = filled(3)
    text = split(head_of(storage))[0]
    other = split(BEFORE.signer.sign(Checkpoint(ORIGIN, 3, bytes(32)).format()))[1][0]
    put_note(storage, f"{text}\n{other.format()}{THIRD.line(text)}")
    for log in (BEFORE, BOTH):
        with pytest.raises(LogRefused, match=r"log\.signature"):
            log.append(storage, draft())


@pytest.mark.parametrize("log", [BEFORE, BOTH])
def test_lines_of_others_are_left_out_of_account(log: Log) -> None:
    storage = filled(3)
    note = merge(head_of(storage), THIRD.line(split(head_of(storage))[0]))
    put_note(storage, note)
    assert log.checkpoint(storage) == note
    log.append(storage, draft())
    assert not accepts(head_of(storage), THIRD)


@pytest.mark.parametrize("log", [BEFORE, BOTH])
def test_a_rewritten_past_is_not_signed_during_a_change_of_keys_either(log: Log) -> None:
    storage = filled(5)
    storage._head = replace(storage._head, frontier=bytes(len(storage._head.frontier)))
    with pytest.raises(LogRefused, match=r"log\.frontier"):
        log.append(storage, draft())
    storage = filled(5)
    forged = Checkpoint(ORIGIN, 5, bytes(32)).format()
    put_note(storage, f"{forged}\n{split(head_of(storage))[1][0].format()}")
    with pytest.raises(LogRefused, match=r"log\.signature"):
        log.append(storage, draft())


def test_a_log_says_by_which_keys_it_is_signed() -> None:
    assert BEFORE.verifiers == (OLD.verifier,)
    assert BOTH.verifiers == (NEW.verifier, OLD.verifier)
    assert AFTER.verifiers == (NEW.verifier,)


def test_the_previous_key_is_another_key_of_the_same_log() -> None:
    with pytest.raises(LogRefused, match=r"log\.origin"):
        Log(ORIGIN, NEW, Signer.from_seed("other.example/log", SEED))
    with pytest.raises(LogRefused, match=r"log\.previous"):
        Log(ORIGIN, OLD, Signer.from_seed(ORIGIN, SEED))


def test_the_mark_follows_through_a_change_of_keys(tmp_path: Path) -> None:
    mark, storage = MarkFile(tmp_path / "mark"), filled(3)
    mark.advance(head_of(storage))
    lengths = set()
    for log in (BOTH, BOTH, AFTER, AFTER):
        mark.check(storage, *log.verifiers)
        log.append(storage, draft())
        mark.check(storage, *log.verifiers)
        mark.advance(head_of(storage))
        assert mark.read() == head_of(storage)
        lengths.add(len(head_of(storage)))
    assert len(lengths) == 2
    older = filled(3)
    fill(older, 5, BOTH)
    with pytest.raises(RolledBack, match="LOG ROLLED BACK"):
        mark.check(older, *BOTH.verifiers)


def test_the_mark_of_a_third_key_is_damaged(tmp_path: Path) -> None:
    mark, storage = MarkFile(tmp_path / "mark"), filled(3)
    mark.advance(THIRD.sign(split(head_of(storage))[0]))
    with pytest.raises(RolledBack, match=r"mark\.damaged"):
        mark.check(storage, *BOTH.verifiers)


@pytest.mark.parametrize(
    ("new", "previous", "until"),
    [
        (NEW.verifier, NEW.verifier, UNTIL),
        (NEW.verifier, Signer.from_seed("other.example/log", SEED).verifier, UNTIL),
        (Verifier(ORIGIN, COSIGNATURE, NEW.verifier.public), OLD.verifier, UNTIL),
        (NEW.verifier, OLD.verifier, "2026-12-21"),
        (NEW.verifier, OLD.verifier, ""),
    ],
)
def test_a_rotation_that_is_none_is_refused(new: Verifier, previous: Verifier, until: str) -> None:
    with pytest.raises(EntryRefused, match=r"entry\.rotation"):
        Rotation(new, previous, until)


@pytest.mark.parametrize("key", ["vkey", "previous_vkey", "overlap_until"])
@pytest.mark.parametrize("value", [None, 1, "", "name+00000000+AAAA"])
def test_an_entry_that_tells_of_no_rotation_is_refused(key: str, value: JsonValue) -> None:
    with pytest.raises(EntryRefused, match=r"entry\.rotation"):
        Rotation.parse({**ROTATION.detail, key: value})
