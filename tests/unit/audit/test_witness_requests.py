"""What a witness is sent, from whoever reaches it, and what it answers (C2SP tlog-witness)."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from audit.checkpoint import Checkpoint
from audit.merkle import HASH_SIZE
from audit.note import Signer, split
from audit.receipt import open_checkpoint
from audit.signatures import merge
from audit.storage.memory import MemoryStorage
from audit.witness.server import to_stderr
from audit.witness.wire import Submission, place_of
from tests.support.witness import RunningWitness, ask, post, running_witness
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


def submission(storage: MemoryStorage, old: int, **changes: Any) -> bytes:
    proof = tuple(LOG.prove_consistency(storage, old)) if old else ()
    return replace(Submission(old, proof, storage.head().note), **changes).format()


def forged(storage: MemoryStorage) -> str:
    """Sign a head of the same size with another root, as a thief of the key can."""
    return SIGNER.sign(Checkpoint(ORIGIN, storage.head().size, bytes(HASH_SIZE)).format())


def test_another_root_of_the_same_size_is_answered_with_a_conflict(witness: RunningWitness) -> None:
    storage = filled(4)
    ask(storage, witness)
    status, kind, body = post(witness, submission(storage, 4, note=forged(storage)))
    assert (status, kind, body) == (409, "text/x.tlog.size", b"4\n")


HASH = base64.b64encode(bytes(HASH_SIZE)).decode()
SEVEN = filled(4)
FOUR = SEVEN.head().note
fill(SEVEN, 7)
NOTE = SEVEN.head().note
REQUESTS = {
    "nothing": (b"", 400),
    "not UTF-8": (b"old 4\n\n\xff", 400),
    "no size": (b"\n" + NOTE.encode(), 400),
    "no blank line": (b"old 4\n", 400),
    "a size with a nought before it": (submission(SEVEN, 4).replace(b"old 4", b"old 04"), 400),
    "a size with a sign": (submission(SEVEN, 4).replace(b"old 4", b"old +4"), 400),
    "another kind of digit": (submission(SEVEN, 4).replace(b"old 4", "old ٤".encode()), 400),
    "two spaces": (submission(SEVEN, 4).replace(b"old 4", b"old  4"), 400),
    "a carriage return": (submission(SEVEN, 4).replace(b"old 4", b"old 4\r"), 400),
    "a size with 20 digits": (b"old 10000000000000000000\n\n" + NOTE.encode(), 400),
    "a hash that is not base64": (f"old 4\n!\n\n{NOTE}".encode(), 400),
    "a hash of 31 bytes": (f"old 4\n{HASH[:-2]}==\n\n{NOTE}".encode(), 400),
    "a hash that is not canonical": (f"old 4\n{HASH[:-2]}B=\n\n{NOTE}".encode(), 400),
    "64 hashes": (f"old 4\n{(HASH + chr(10)) * 64}\n{NOTE}".encode(), 400),
    "no checkpoint": (b"old 4\n\nhello\n", 400),
    "no signature": (f"old 4\n\n{NOTE.partition(chr(10) * 2)[0]}\n".encode(), 400),
    "a last line without its end": (submission(SEVEN, 4)[:-1], 400),
    "an extension line": (submission(SEVEN, 4, note=SIGNER.sign(split(NOTE)[0] + "more\n")), 400),
    "a log of no entries": (submission(SEVEN, 0, note=SIGNER.sign(f"{ORIGIN}\n0\n{HASH}\n")), 400),
    "an old size beyond the new": (submission(SEVEN, 4).replace(b"old 4", b"old 8"), 400),
    "a log that is not known": (submission(SEVEN, 4, note=OTHER.sign(f"{OTHER.name}\n7\n{HASH}\n")), 404),
    "a known log's text by another": (submission(SEVEN, 4, note=OTHER.sign(split(NOTE)[0])), 403),
    "a key of the same name": (submission(SEVEN, 4, note=NEW.sign(split(NOTE)[0])), 403),
    "a wrong signature": (submission(SEVEN, 4).replace(b"\n7\n", b"\n6\n"), 403),
    "a smaller old size": (submission(SEVEN, 3), 409),
    "an old size of nought": (submission(SEVEN, 0), 409),
    "no proof": (submission(SEVEN, 4, proof=()), 422),
    "a proof of something else": (submission(SEVEN, 4, proof=(bytes(HASH_SIZE),) * 2), 422),
    "a hash too many": (submission(SEVEN, 4, proof=(*LOG.prove_consistency(SEVEN, 4), bytes(HASH_SIZE))), 422),
}  # fmt: skip


@pytest.mark.parametrize("what", REQUESTS)
def test_what_is_not_in_order_is_refused_and_changes_nothing(witness: RunningWitness, what: str) -> None:
    body, expected = REQUESTS[what]
    assert post(witness, Submission(0, (), FOUR).format())[0] == 200
    before = witness.client().latest(ORIGIN)
    status, kind, answer = post(witness, body)
    assert (status, kind) == (
        expected,
        "text/x.tlog.size" if expected == 409 else "text/plain; charset=utf-8",
    )
    assert "—" not in answer.decode()
    assert witness.client().latest(ORIGIN) == before is not None
    assert post(witness, submission(SEVEN, 4))[0] == 200


def test_a_first_checkpoint_comes_without_a_proof(witness: RunningWitness) -> None:
    assert post(witness, Submission(0, (bytes(HASH_SIZE),), FOUR).format())[0] == 422
    assert post(witness, submission(SEVEN, 4))[0] == 409
    assert witness.client().latest(ORIGIN) is None


def test_a_checkpoint_is_remembered_without_lines_that_nobody_verified(witness: RunningWitness) -> None:
    text = split(FOUR)[0]
    note = merge(FOUR, OTHER.line(text), NEW.line(text)) + SIGNER.line(text + "x\n")
    assert post(witness, Submission(0, (), note).format())[0] == 200
    kept = witness.client().latest(ORIGIN) or ""
    assert [each.name for each in split(kept)[1]] == [ORIGIN, witness.verifier.name]
    open_checkpoint(kept, ORIGIN, SIGNER.verifier, NEW.verifier)


def test_people_see_what_a_witness_watches(witness: RunningWitness) -> None:
    def page() -> str:
        connection = http.client.HTTPConnection(witness.url.removeprefix("http://"), timeout=5)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        text = response.read().decode()
        connection.close()
        return text

    assert "nothing seen yet" in page()
    ask(filled(4), witness)
    for told in (
        ORIGIN,
        "4 entries at 2026-11-21T12:00:00Z",
        witness.verifier.vkey,
        SIGNER.vkey,
        place_of(ORIGIN),
    ):
        assert told in page()


def test_the_journal_holds_what_was_asked_and_nothing_that_steers(
    witness: RunningWitness, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "a\x1b[2J\u2028\x7fb"
    to_stderr({"asked": hostile})
    line = capsys.readouterr().err
    assert line.endswith("\n")
    assert all(" " <= each <= "~" for each in line[:-1])
    assert json.loads(line)["asked"] == hostile
    post(witness, submission(SEVEN, 4, note=OTHER.sign(f"{'x' * 9_000}\n7\n{HASH}\n")))
    assert len(witness.journal[-1]["origin"]) == 160
