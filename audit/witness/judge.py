"""What a witness cosigns, and what it refuses (C2SP tlog-witness).

A checkpoint is cosigned if it is by a key that is known for its log and continues, by a proof, the one that was
cosigned before; the first of a log is believed. Each is remembered on disk before the cosignature is given away,
and all this for one log by one request at a time, so that of two at once the second is judged by the first.

The witness swears to its own clock. A clock that went back behind an earlier cosignature of the log is not sworn
to: two of its lines would contradict each other.

Decided here: the judgement and its order. Never done here: HTTP.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from audit.checkpoint import Checkpoint
from audit.errors import AuditError, NoteRefused, ProofRefused, WitnessRefused
from audit.merkle import check_consistency
from audit.note import ED25519, Cosigner, Verifier, open_note, split
from audit.receipt import open_checkpoint
from audit.witness.memory import Memory
from audit.witness.wire import PLAIN, SIZE, Submission, place_of

NOT_SEEN: Final = "nothing seen yet: the first checkpoint will be believed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, and `facts` for the witness's own journal."""

    status: HTTPStatus
    body: str
    type: str = PLAIN
    facts: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a log: the last checkpoint and when it was cosigned, in seconds since 1970."""

    checkpoint: Checkpoint
    time: int


class Judge:
    """One witness: its key, its memory, the logs that it knows by their keys, and its clock (seconds since 1970).

    Several keys of one name are those of one log. Raises `WitnessRefused` if what is remembered of a log does not
    bear our own cosignature.
    """

    def __init__(
        self,
        cosigner: Cosigner,
        memory: Memory,
        logs: Sequence[Verifier],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cosigner = cosigner
        self._memory = memory
        self._clock = clock
        self._keys: dict[str, list[Verifier]] = {}
        for log in logs:
            if log.type != ED25519:
                raise WitnessRefused("witness.log", f"the key of {log.name} is a witness's, not a log's")
            self._keys.setdefault(log.name, []).append(log)
        self._turns = {origin: threading.Lock() for origin in self._keys}
        self._knowing = threading.Lock()
        for origin in self._keys:
            if self._recall(origin) is not None:
                self._memory.know(origin)  # a witness that was killed between its two files

    def add(self, body: bytes) -> Answer:
        """Judge a submission. Raises `WitnessRefused` or `OSError` if the memory fails: nothing was cosigned then."""
        try:
            submission = Submission.parse(body)
            claimed = Checkpoint.parse(split(submission.note)[0])
        except AuditError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, error.words)
        facts: dict[str, str | int] = {
            "origin": claimed.origin, "old": submission.old, "size": claimed.size,
        }  # fmt: skip
        keys = self._keys.get(claimed.origin)
        if keys is None:
            return _refusal(HTTPStatus.NOT_FOUND, "this witness does not know that log", facts)
        try:
            checkpoint = open_checkpoint(submission.note, claimed.origin, *keys)
        except NoteRefused as error:
            return _refusal(HTTPStatus.FORBIDDEN, error.words, facts)
        if submission.old > checkpoint.size:
            return _refusal(HTTPStatus.BAD_REQUEST, "the old size is larger than the checkpoint's", facts)
        with self._turns[checkpoint.origin]:
            return self._judge(submission, checkpoint, keys, facts)

    def latest(self, place: str) -> Answer:
        """Give the newest cosigned checkpoint of the log whose origin has this hash."""
        found = next((origin for origin in self._keys if place_of(origin) == place), None)
        note = None if found is None else self._memory.read(found)
        if note is None:
            return _refusal(HTTPStatus.NOT_FOUND, "no checkpoint was cosigned of such a log")
        return Answer(HTTPStatus.OK, note)

    def page(self) -> str:
        """Tell people what this witness watches and what it has seen."""
        lines = ["A witness of transparency logs (C2SP tlog-witness).", "", f"key  {self._cosigner.vkey}", ""]
        for origin, keys in sorted(self._keys.items()):
            known = self._recall(origin)
            seen = NOT_SEEN if known is None else f"{known.checkpoint.size} entries at {_when(known.time)}"
            lines += [f"log  {origin}", f"     {seen}", f"     /{place_of(origin)}/checkpoint"]
            lines += [f"     {key.vkey}" for key in keys] + [""]
        return "\n".join(lines)

    def _judge(
        self,
        submission: Submission,
        checkpoint: Checkpoint,
        keys: Sequence[Verifier],
        facts: dict[str, str | int],
    ) -> Answer:
        known = self._recall(checkpoint.origin)
        size = 0 if known is None else known.checkpoint.size
        conflict = Answer(HTTPStatus.CONFLICT, f"{size}\n", SIZE, {**facts, "known": size})
        if submission.old != size:
            return conflict
        if known is None and submission.proof:
            return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "the proof from size 0 is empty", facts)
        if known is not None:
            was = known.checkpoint
            if size == checkpoint.size and was.root != checkpoint.root:
                return conflict
            try:
                check_consistency(size, checkpoint.size, submission.proof, was.root, checkpoint.root)
            except ProofRefused as error:
                return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error.words, facts)
        now = int(self._clock())
        if known is not None and now < known.time:
            words = "the witness's clock is behind what it swore to before"
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, words, facts)
        return Answer(HTTPStatus.OK, self._cosign(submission.note, checkpoint.origin, keys, now), facts=facts)

    def _cosign(self, note: str, origin: str, keys: Sequence[Verifier], now: int) -> str:
        """Remember a checkpoint, with the lines that were verified, and return our own line."""
        text, lines = split(note)
        line = self._cosigner.line(text, now)
        first = {(each.name, each.key_id): each for each in reversed(lines)}  # the one that was verified
        by = [first.get((key.name, key.key_id)) for key in keys]
        verified = "".join(each.format() for each in by if each is not None)
        self._memory.write(origin, f"{text}\n{verified}{line}")
        with self._knowing:
            self._memory.know(origin)
        return line

    def _recall(self, origin: str) -> _Known | None:
        note = self._memory.read(origin)
        if note is None:
            return None
        try:
            opened = open_note(note, [self._cosigner.verifier])
            checkpoint = Checkpoint.parse(opened.text)
            if checkpoint.origin != origin:
                raise NoteRefused("note.origin", f"it is of {checkpoint.origin}")
        except AuditError as error:
            words = (
                f"what is remembered of {origin} cannot be trusted ({error.words}): restore it from a backup"
            )
            raise WitnessRefused("witness.memory", words) from None
        return _Known(checkpoint, opened.signatures[0].time or 0)


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _refusal(status: HTTPStatus, words: str, facts: dict[str, str | int] | None = None) -> Answer:
    return Answer(status, f"{words}\n", facts={**(facts or {}), "refused": words})
