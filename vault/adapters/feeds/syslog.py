"""Entries to a syslog receiver (RFC 5424), as `vault.domain.formats.syslog` writes them.

    tcp://host:port    a stream, octet counting (RFC 6587)
    tls://host:port    the same within TLS (RFC 5425), the receiver's certificate checked
    udp://host:port    one datagram an entry (RFC 5426), at most 8192 bytes
    unix:///dev/log    one datagram an entry to a local socket, at most 8192 bytes

Decided here: what counts as arrived. Syslog has no answers. On a stream the batch is sent, our side is closed, and
the receiver has taken all of it when it closes its side in turn: a connection that breaks before is sent again, and
so is one that takes too long in all, however slowly something comes.
Of a datagram nobody learns whether it arrived, so who must not miss one uses a stream. Never done here: trying
again.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from vault.adapters.deadline import Deadline
from vault.domain.event import stamp
from vault.domain.formats import Copied
from vault.domain.formats.syslog import FACILITY, frame, message
from vault.domain.outlet import plain
from vault.errors import Refused
from vault.ports.feeds import Delivery

if TYPE_CHECKING:
    from vault.ports.clock import Clock

NAME: Final = "syslog"
TIMEOUT: Final = 10.0
DATAGRAM_MOST: Final = 8192
_STREAMS: Final = frozenset({"tcp", "tls"})
_INFORMATIONAL: Final = 6


@dataclass(slots=True)
class Syslog:
    """Implements `Feed`."""

    address: str
    clock: Clock
    timeout: float = TIMEOUT
    name: str = NAME
    trusted: ssl.SSLContext | None = None
    """Who may vouch for the receiver; this machine's usual authorities where it is None."""

    def __post_init__(self) -> None:
        check_address(self.address)

    def deliver(self, entries: Sequence[Copied], seconds: float) -> Delivery:
        """Send entries in their order; a stream takes all of them or none for certain."""
        if urlsplit(self.address).scheme in _STREAMS:
            return self._attempt(lambda: self._stream([message(entry) for entry in entries], seconds))
        return self._attempt(lambda: self._datagrams([message(entry, DATAGRAM_MOST) for entry in entries]))

    def test(self) -> Delivery:
        """Send one message with the id `feed.test`."""
        head = f"<{FACILITY * 8 + _INFORMATIONAL}>1 {stamp(self.clock.now())} - root-vault - feed.test - "
        told = (head + "A test of this feed; no entry of the log.").encode("ascii")
        is_stream = urlsplit(self.address).scheme in _STREAMS
        return self._attempt(
            lambda: self._stream([told], self.timeout) if is_stream else self._datagrams([told])
        )

    def _attempt(self, send: Callable[[], int]) -> Delivery:
        try:
            return Delivery(send())
        except OSError as failure:
            return Delivery(0, plain(failure.strerror or str(failure) or type(failure).__name__))

    def _stream(self, messages: list[bytes], seconds: float) -> int:
        parts = urlsplit(self.address)
        until = time.monotonic() + seconds
        with (
            Deadline(seconds + self.timeout) as deadline,
            socket.create_connection((parts.hostname or "", parts.port or 0), self.timeout) as plain_socket,
        ):
            deadline.hold(plain_socket)
            if parts.scheme == "tls":
                context = self.trusted or ssl.create_default_context()
                with context.wrap_socket(plain_socket, server_hostname=parts.hostname) as secured:
                    _send(secured, messages, until)
                    secured.settimeout(self.timeout)
                    secured.unwrap()  # sends the end, and waits for the receiver's
            else:
                _send(plain_socket, messages, until)
                plain_socket.settimeout(self.timeout)
                plain_socket.shutdown(socket.SHUT_WR)
                if plain_socket.recv(1):
                    raise OSError("the receiver sent something, which syslog does not")
            deadline.check()
        return len(messages)

    def _datagrams(self, messages: list[bytes]) -> int:
        parts = urlsplit(self.address)
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
                local.settimeout(self.timeout)
                local.connect(parts.path)
                for each in messages:
                    local.send(each)
            return len(messages)
        kind, _, _, _, target = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(kind, socket.SOCK_DGRAM) as network:
            network.settimeout(self.timeout)
            network.connect(target)
            for each in messages:
                network.send(each)
        return len(messages)


def _send(stream: socket.socket, messages: list[bytes], until: float) -> None:
    for each in messages:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the receiver takes too long")
        stream.settimeout(left)
        stream.sendall(frame(each))


def check_address(address: str) -> None:
    """Return for an address of a syslog receiver; else raise `Refused`."""
    try:
        parts = urlsplit(address)
        is_network = parts.scheme in _STREAMS | {"udp"} and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        parts, is_network = urlsplit(""), False
    is_local = parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/")
    if not (is_local or (is_network and parts.path in {"", "/"})):
        detail = "feeds.syslog must be tcp://, tls:// or udp:// with host and port, or unix:///dev/log"
        raise Refused("settings.invalid", detail)
