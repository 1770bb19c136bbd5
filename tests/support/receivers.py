"""Receivers of live feeds, real ones on loopback: a webhook by HTTP, and syslog by stream, datagram and socket.

Each keeps what arrived, and can be made to refuse, to answer strangely, or to be away.
"""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Self

from standardwebhooks import Webhook

from tests.support.readers import read_frames

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


@dataclass
class Hook:
    """A webhook's receiver: verifies each message with Standard Webhooks' own code, then answers.

    `answers` are given one after the other, then 204 for ever: a status, perhaps with headers and a body.
    """

    secret: str
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: HTTPServer | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?from=vault"

    def __enter__(self) -> Self:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                hook.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = Webhook(hook.secret).verify(body, dict(self.headers))
                status, headers, said = hook.answers.pop(0) if hook.answers else (204, {}, b"")
                if status in range(200, 300):
                    hook.taken.append(told)
                    hook.ids.append(self.headers["webhook-id"])
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers and status != 204:
                    self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class StreamReceiver:
    """A syslog receiver of streams, perhaps within TLS; `cuts` connections are broken off before their end."""

    context: ssl.SSLContext | None = None
    cuts: int = 0
    messages: list[bytes] = field(default_factory=list)
    port: int = 0
    _listener: socket.socket | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        assert self._thread is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        assert self._listener is not None
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                if self.cuts:
                    self.cuts -= 1
                    connection.recv(10)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    continue
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        stream = b""
        if self.context is None:
            while chunk := connection.recv(65536):
                stream += chunk
        else:
            try:
                with self.context.wrap_socket(connection, server_side=True) as secured:
                    while chunk := secured.recv(65536):
                        stream += chunk
                    secured.unwrap()
            except ssl.SSLError:
                return
        self.messages += read_frames(stream)


@dataclass
class DatagramReceiver:
    """A syslog receiver of datagrams, on the network or, with a `path`, on this machine."""

    path: Path | None = None
    port: int = 0
    _socket: socket.socket | None = None

    def __enter__(self) -> Self:
        if self.path is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("127.0.0.1", self.port))
            self.port = self._socket.getsockname()[1]
        else:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.bind(str(self.path))
        self._socket.settimeout(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        self._socket.close()

    def take(self, count: int) -> list[bytes]:
        """Wait for so many messages."""
        assert self._socket is not None
        return [self._socket.recv(65536) for _ in range(count)]
