"""Web servers over a directory, and by hand: what a served log is read from in tests."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from audit.bundle import Bundle
from audit.served import Address, Served
from audit.verify import Older, Report, examine
from tests.unit.audit.world import SIGNER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "rvt_0123456789"
PREFIX = "/api/v1/audit"


@dataclass
class Site:
    """A web server over a directory; `answers` are given first, each once, as status, headers and content."""

    root: Path
    port: int = 0
    asked: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    connections: int = 0
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    wants_token: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"


def handler_for(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            site.connections += 1

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.tokens.add(self.headers.get("Authorization"))
            path = site.root / self.path.removeprefix(PREFIX + "/")
            if site.answers:
                self.answer(*site.answers.pop(0))
            elif site.wants_token and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.answer(401, {}, b"who are you")
            elif path.is_file():
                self.answer(200, {}, path.read_bytes())
            else:
                self.answer(404, {}, b"no such file")

        def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the reader may have enough
                self.wfile.write(content)

    return Handler


@contextlib.contextmanager
def serving(root: Path, context: ssl.SSLContext | None = None) -> Iterator[Site]:
    made = Site(root)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_for(made)) as server:
        server.daemon_threads = True
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def raw(answer: Callable[[socket.socket], None]) -> contextlib.AbstractContextManager[int]:
    """Serve by hand: `answer` is called for each connection, once it sent a request."""

    @contextlib.contextmanager
    def run() -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.05)
            ended = threading.Event()

            def loop() -> None:
                while not ended.is_set():
                    with contextlib.suppress(OSError):
                        connection, _ = server.accept()
                        with connection:
                            connection.settimeout(5)
                            connection.recv(65_536)
                            answer(connection)

            thread = threading.Thread(target=loop)
            thread.start()
            try:
                yield int(server.getsockname()[1])
            finally:
                ended.set()
                thread.join()

    return run()


def verdict(url: str, *since: Older, **options: Any) -> Report:
    source = Bundle(Served(Address.parse(url), **options))
    with source:
        return examine(source, SIGNER.verifier, since)
