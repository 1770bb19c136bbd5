"""The log's side against witnesses that lie, stall, or are something else altogether."""

from __future__ import annotations

import copy
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import AuditError, RolledBack, SizeConflict, Unreachable, WitnessRefused
from audit.note import Cosigner, Line, split
from audit.signatures import merge
from audit.witness.client import Client
from audit.witness.submit import submit
from audit.witness.wire import LARGEST_REQUEST
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit.storage.memory import MemoryStorage

WITNESS = Cosigner.from_seed("witness.example/w1", bytes(32))
IMPOSTOR = Cosigner.from_seed("witness.example/w1", bytes([1]) * 32)
NOW = 1_795_262_400
STORAGE = filled(4)
NOTE = STORAGE.head().note
TEXT = split(NOTE)[0]
TIMEOUT = 0.5


def answer(status: str, body: str = "", kind: str = "text/plain") -> bytes:
    raw = body.encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw


@contextmanager
def saying(*answers: bytes, drip: float = 0) -> Iterator[Client]:
    """Serve one raw answer after the other, the last for ever; with `drip`, a byte at a time."""
    stop, left = threading.Event(), list(answers)

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    connection.recv(65_536)
                    text = left.pop(0) if len(left) > 1 else left[0]
                    for part in [text] if not drip else [bytes([each]) for each in text]:
                        connection.sendall(part)
                        if drip and stop.wait(drip):
                            return
                    # a connection that is closed with something unread in it is reset, and the answer lost
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):
                        pass
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/prefix/"
        try:
            yield Client(url, WITNESS.verifier, TIMEOUT, 60, lambda: NOW)
        finally:
            stop.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def sent(client: Client, storage: MemoryStorage = STORAGE, start: int = 0) -> object:
    size = storage.head().size
    return submit(client, storage.head().note, lambda old: LOG.prove_consistency(storage, old, size), start)


def cosigned(storage: MemoryStorage) -> str:
    note = storage.head().note
    return merge(note, WITNESS.line(split(note)[0], NOW))


def test_the_line_that_was_agreed_on_is_found_among_others() -> None:
    lines = IMPOSTOR.line(TEXT, NOW) + SIGNER.line(TEXT) + WITNESS.line(TEXT, NOW)
    with saying(answer("200 OK", lines)) as client:
        given = client.add(0, (), NOTE)
    assert (given.line, given.time) == (WITNESS.line(TEXT, NOW), NOW)


WRONG_LINE = Line(WITNESS.name, WITNESS.verifier.key_id, bytes(72)).format()
LIES = {
    "nothing": (answer("200 OK"), "witness.answer"),
    "no line": (answer("200 OK", "thanks\n"), "witness.answer"),
    "another key": (answer("200 OK", IMPOSTOR.line(TEXT, NOW)), "witness.answer"),
    "a wrong signature": (answer("200 OK", WRONG_LINE), "witness.answer"),
    "of another checkpoint": (answer("200 OK", WITNESS.line(f"{ORIGIN}\n4\nAAAA\n", NOW)), "witness.answer"),
    "a wrong one first": (answer("200 OK", WRONG_LINE + WITNESS.line(TEXT, NOW)), "witness.answer"),
    "too early": (answer("200 OK", WITNESS.line(TEXT, NOW - 61)), "witness.time"),
    "too late": (answer("200 OK", WITNESS.line(TEXT, NOW + 61)), "witness.time"),
    "too much": (answer("200 OK", "x" * (LARGEST_REQUEST + 1)), "witness.answer"),
    "not text": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff", "witness.answer"),
    "a conflict without a size": (answer("409 Conflict", "no\n", "text/x.tlog.size"), "witness.answer"),
    "a conflict of another kind": (answer("409 Conflict", "4\n"), "witness.answer"),
    "elsewhere": (answer("302 Found\r\nLocation: http://127.0.0.1:1/"), "witness.answer"),
    "unknown": (answer("404 Not Found"), "witness.unknown_log"),
    "unsigned": (answer("403 Forbidden"), "witness.unsigned"),
    "malformed": (answer("400 Bad Request"), "witness.request"),
    "unproven": (answer("422 Unprocessable Entity"), "witness.proof"),
    "a status of its own": (answer("299 Whatever"), "witness.answer"),
}


@pytest.mark.parametrize("what", LIES)
def test_what_is_no_cosignature_is_not_taken_for_one(what: str) -> None:
    raw, code = LIES[what]
    with saying(raw) as client, pytest.raises(WitnessRefused) as caught:
        client.add(0, (), NOTE)
    assert caught.value.code == code
    assert WITNESS.name in caught.value.words


SILENCE = {
    "busy": answer("503 Service Unavailable"),
    "too many": answer("429 Too Many Requests"),
    "broken": answer("500 Internal Server Error"),
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "nothing": b"",
    "half an answer": answer("200 OK", WITNESS.line(TEXT, NOW))[:-9],
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize("what", SILENCE)
def test_no_answer_is_said_to_be_none(what: str) -> None:
    with saying(SILENCE[what]) as client, pytest.raises(Unreachable):
        client.add(0, (), NOTE)


def test_nobody_there_is_said_to_be_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", WITNESS.verifier)
    with pytest.raises(Unreachable, match="refused"):
        client.latest(ORIGIN)


@pytest.mark.parametrize(
    "raw", [answer("200 OK", WITNESS.line(TEXT, NOW)), answer("200 OK")[:-2] + b"X: y\r\n" * 90]
)
def test_an_answer_that_comes_slowly_is_cut_off_however_steadily_it_comes(raw: bytes) -> None:
    began = time.monotonic()
    with saying(raw, drip=TIMEOUT / 10) as client, pytest.raises(Unreachable):
        client.add(0, (), NOTE)
    assert time.monotonic() - began < TIMEOUT * 6


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with saying(answer("200 OK", WITNESS.line(TEXT, NOW))) as client:
        assert client.add(0, (), NOTE).time == NOW


FOREIGN = Checkpoint("other.example/log", 4, bytes(32)).format()


@pytest.mark.parametrize(
    "note",
    [
        NOTE,
        "hello",
        cosigned(filled(2)).replace("\n2\n", "\n3\n"),
        merge(NOTE, IMPOSTOR.line(TEXT, NOW)),
        f"{FOREIGN}\n{WITNESS.line(FOREIGN, NOW)}",
    ],
)
def test_what_the_witness_did_not_sign_of_this_log_is_not_shown(note: str) -> None:
    with saying(answer("200 OK", note)) as client, pytest.raises(WitnessRefused, match=r"witness\.answer"):
        client.latest(ORIGIN)


@pytest.mark.parametrize(
    "url",
    ["", "witness.example", "ftp://witness.example", "http://", "http://user@witness.example", "http://w.example/?q",
     "http://w.example/#f", "http://w.example:0", "http://w.example:99999", "http://w.example/\n", "http://[::1", "http://w.exämple/"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(WitnessRefused, match=r"witness\.address"):
        Client(url, WITNESS.verifier)


def test_a_logs_key_is_no_witness() -> None:
    with pytest.raises(WitnessRefused, match=r"witness\.key"):
        Client("http://w.example", SIGNER.verifier)


def conflict(size: int) -> bytes:
    return answer("409 Conflict", f"{size}\n", "text/x.tlog.size")


MISSING = answer("404 Not Found")


@pytest.mark.parametrize(
    ("answers", "start", "kind", "code"),
    [
        # it says more than we have: shown, not shown, and shown to be untrue
        ([conflict(9), answer("200 OK", cosigned(filled(9)))], 0, RolledBack, "log.rolled_back"),
        ([conflict(9), MISSING], 0, RolledBack, "witness.ahead"),
        ([conflict(9), answer("200 OK", cosigned(STORAGE))], 0, WitnessRefused, "witness.answer"),
        ([conflict(9), answer("200 OK", NOTE)], 0, WitnessRefused, "witness.answer"),
        ([conflict(9), answer("503 Busy")], 0, Unreachable, "witness.unavailable"),
        # it says another log of the size that we said
        ([conflict(4), answer("200 OK", cosigned(filled(4)))], 4, RolledBack, "log.forked"),
        ([conflict(4), MISSING], 4, RolledBack, "witness.beside"),
        ([conflict(4), answer("200 OK", cosigned(STORAGE))], 4, WitnessRefused, "witness.answer"),
        ([conflict(4), answer("200 OK", cosigned(filled(6)))], 4, SizeConflict, "witness.conflict"),
        # it does not take our proof
        ([answer("422 No"), answer("200 OK", cosigned(filled(2)))], 2, RolledBack, "log.forked"),
        ([answer("422 No"), MISSING], 2, WitnessRefused, "witness.proof"),
        ([answer("422 No")], 0, WitnessRefused, "witness.proof"),
        # it never says the same twice
        ([conflict(1), conflict(2), conflict(1), conflict(2), conflict(1)], 0, WitnessRefused, "witness.answer"),
    ],
)  # fmt: skip
def test_what_a_witness_says_is_held_against_what_it_shows(
    answers: list[bytes], start: int, kind: type[AuditError], code: str
) -> None:
    with saying(*answers) as client, pytest.raises(kind) as caught:
        sent(client, start=start)
    assert caught.value.code == code


def test_a_refusal_of_a_right_proof_is_a_refusal_and_no_fork() -> None:
    storage = filled(2)
    shown = cosigned(storage)
    grown = copy.deepcopy(storage)
    fill(grown, 7)
    with (
        saying(answer("422 No"), answer("200 OK", shown)) as client,
        pytest.raises(WitnessRefused, match=r"witness\.proof"),
    ):
        sent(client, grown, 2)


def test_what_is_no_checkpoint_is_not_sent() -> None:
    with saying(b"") as client, pytest.raises(AuditError, match="checkpoint"):
        submit(client, SIGNER.sign("hello\n"), lambda _: [])
    assert Checkpoint.parse(TEXT).size == 4
