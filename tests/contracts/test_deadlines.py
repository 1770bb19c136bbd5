"""Places outside that answer a byte at a time: each delivery ends in time, and is told as failed."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.bad_endpoints import endpoint
from vault.adapters.clock import SystemClock
from vault.adapters.feeds.syslog import Syslog
from vault.adapters.feeds.webhook import Webhook
from vault.adapters.mailer import SmtpMailer
from vault.ports.anchors import AnchorFailed

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def dripping(first: bytes, each: bytes) -> Callable[[socket.socket], None]:
    """Say `first`, and then a byte now and then, always sooner than a socket's timeout."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            connection.sendall(each)
            time.sleep(0.1)

    return answer


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.parametrize("first", [b"", b"220 hello\r\n250-"])
def test_a_letter_ends_in_time(security: str, first: bytes) -> None:
    with endpoint(dripping(first, b"2")) as url:
        server = url.removeprefix("http://")
        mailer = SmtpMailer(server, security, "vault@msp.example", timeout=0.5, whole=1.0)
        began = time.monotonic()
        with pytest.raises(AnchorFailed):
            mailer.send(("a@b.example",), "s", "body", "a@b")
        assert time.monotonic() - began < 4


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_message_ends_in_time(first: bytes) -> None:
    with endpoint(dripping(first, b"x")) as url:
        began = time.monotonic()
        came = Webhook(url, (SECRET,), SystemClock(), timeout=0.7).test()
        assert time.monotonic() - began < 4
    assert came.count == 0
    assert came.error is not None
    assert came.error.startswith("no answer")


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_a_stream_ends_in_time(scheme: str) -> None:
    with endpoint(dripping(b"\x16\x03\x03\x3f\xff" if scheme == "tls" else b"", b"\2")) as url:
        address = url.replace("http", scheme)
        began = time.monotonic()
        came = Syslog(address, SystemClock(), timeout=0.5).test()
        assert time.monotonic() - began < 4
    assert came.count == 0
    assert came.error
