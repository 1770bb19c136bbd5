"""The bounds of the witness's HTTP: slow, many, large and broken clients."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from audit.witness.server import Server
from audit.witness.wire import LARGEST_REQUEST, Submission
from tests.support.witness import RunningWitness, ask, post, running_witness
from tests.unit.audit.world import SIGNER, filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 0.4
LOG = filled(3)
BODY = Submission(0, (), LOG.head().note).format()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[RunningWitness]:
    logs = [SIGNER.verifier]
    with running_witness(tmp_path / "w", logs, places=4, request_seconds=PATIENCE) as running:
        yield running


def connect(witness: RunningWitness) -> socket.socket:
    host, port = witness.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def heard(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    parts = []
    with suppress(ConnectionResetError):  # closed with something of ours unread
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def say(witness: RunningWitness, text: bytes) -> bytes:
    with connect(witness) as connection:
        connection.sendall(text)
        return heard(connection)


def head(**fields: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n{lines}\r\n".encode()


LENGTH = str(len(BODY))
BROKEN = {
    "no length": (head() + BODY, 411),
    "chunks": (head(Transfer_Encoding="chunked") + b"1\r\nx\r\n0\r\n\r\n", 411),
    "chunks and a length": (head(Transfer_Encoding="chunked", Content_Length=LENGTH) + BODY, 411),
    "two lengths": (head(Content_Length=LENGTH, content_length="3") + BODY, 400),
    "a length with a sign": (head(Content_Length=f"+{LENGTH}") + BODY, 400),
    "a length of text": (head(Content_Length="many") + BODY, 400),
    "too long": (head(Content_Length=str(LARGEST_REQUEST + 1)), 413),
    "far too long": (head(Content_Length="9" * 10), 413),
    "another method": (b"DELETE / HTTP/1.1\r\n\r\n", 501),
    "no HTTP": (b"hello there you witness\r\n\r\n", 400),
    "another version": (b"GET / HTTP/3.7\r\n\r\n", 505),
    "a long line": (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
    "a long header": (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
    "another place": (b"POST /add HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 404),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_request_is_refused_without_repeating_it(witness: RunningWitness, what: str) -> None:
    text, status = BROKEN[what]
    answer = say(witness, text)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close\r\n" in answer
    assert b"<" not in answer
    for sent in (b"xxx", b"hello", b"DELETE"):
        assert sent not in answer
    assert witness.journal[-1]["status"] == status
    assert post(witness, BODY)[0] == 200


PLACES = ["/nothing", "/checkpoint", "/../../etc/passwd", "/%2e%2e/witness"]
PLACES += [f"/{'0' * 64}/checkpoint", f"/{'A' * 64}/checkpoint"]


@pytest.mark.parametrize("path", PLACES)
def test_nothing_else_is_served(witness: RunningWitness, path: str) -> None:
    ask(LOG, witness)
    assert say(witness, f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode()).startswith(
        b"HTTP/1.1 404 "
    )


def test_a_connection_may_be_used_again(witness: RunningWitness) -> None:
    request = head(Content_Length=LENGTH) + BODY
    again = head(Content_Length=LENGTH, Connection="close") + BODY.replace(b"old 0", b"old 3")
    answer = say(witness, request + again)
    assert answer.count(b"HTTP/1.1 200 ") == 2


def test_what_follows_a_request_that_was_not_read_is_not_taken_for_one(witness: RunningWitness) -> None:
    hidden = b"GET / HTTP/1.1\r\n\r\n"
    for first in (
        b"GET / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(hidden),
        b"POST /add HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(hidden),
        head(Content_Length="7, 8"),
    ):
        assert say(witness, first + hidden).count(b"HTTP/1.1") == 1


def drip(connection: socket.socket, text: bytes) -> None:
    """Send a byte now and then, always in time for whoever waits for the next one only."""
    for each in text:
        time.sleep(PATIENCE / 10)
        try:
            connection.send(bytes([each]))
        except OSError:
            return


@pytest.mark.parametrize(
    "text", [b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 9, head(Content_Length=LENGTH) + BODY]
)
def test_a_slow_request_is_given_up_however_steadily_it_comes(witness: RunningWitness, text: bytes) -> None:
    began = time.monotonic()
    with connect(witness) as connection:
        connection.sendall(text[:20])
        sender = threading.Thread(target=drip, args=[connection, text[20:]])
        sender.start()
        assert heard(connection) == b""
        assert PATIENCE * 0.9 < time.monotonic() - began < PATIENCE * 10
        with suppress(OSError):  # it may have been closed both ways by now
            connection.shutdown(socket.SHUT_RDWR)
        sender.join()
    assert post(witness, BODY)[0] == 200


def test_the_rest_is_turned_away_while_all_places_are_taken(tmp_path: Path) -> None:
    with running_witness(tmp_path / "w", [SIGNER.verifier], places=4, request_seconds=30) as witness:
        with ExitStack() as taken:
            for _ in range(4):
                taken.enter_context(connect(witness)).sendall(b"POST")
            assert say(witness, b"").startswith(b"HTTP/1.1 503 ")
        assert answered(witness) == 200


def answered(witness: RunningWitness) -> int:
    """Ask until there is a place again."""
    deadline = time.monotonic() + 10
    while (status := _tried(witness)) == 503 and time.monotonic() < deadline:
        time.sleep(0.01)
    return status


def _tried(witness: RunningWitness) -> int:
    """Ask once; who is turned away while still sending may see the connection closed instead of the answer."""
    try:
        return post(witness, BODY)[0]
    except (BrokenPipeError, ConnectionResetError):
        return 503


def test_a_client_that_goes_away_takes_nobody_with_it(witness: RunningWitness) -> None:
    for _ in range(12):
        with connect(witness) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.sendall(head(Content_Length=LENGTH) + BODY[:50])
    assert answered(witness) == 200
    assert ask(LOG, witness, 3).time == witness.time
    assert all("Traceback" not in str(each) for each in witness.journal)


def test_the_journal_says_who_asked_for_what(witness: RunningWitness) -> None:
    ask(LOG, witness)
    told = witness.journal[-1]
    assert told == {
        "from": "127.0.0.1",
        "asked": "POST /add-checkpoint HTTP/1.1",
        "status": 200,
        "origin": SIGNER.name,
        "old": 0,
        "size": 3,
    }


def test_an_address_of_the_sixth_version_is_shown_as_one(witness: RunningWitness) -> None:
    del witness
    server = Server.__new__(Server)
    server.server_address = ("::1", 8410)
    server.server_port = 8410
    assert server.url == "http://[::1]:8410"
