"""The judge behind HTTP: `POST /add-checkpoint`, `GET /<sha256(origin)>/checkpoint`, and `GET /` for people.

Meant for loopback or a closed network, with a proxy for TLS in front where others may reach it. Whoever reaches it
can do no more than ask: nothing is cosigned that a log did not sign.

Decided here: the bounds. A request is read within `REQUEST_SECONDS` however slowly it comes, a connection lasts
`CONNECTION_SECONDS` and at most `PLACES` are served at once; what comes beyond that is turned away at once. No
answer repeats what was sent. The journal is one JSON object a line, ASCII without control characters, on whatever
`Journal` writes to.

Never done here: judging, or showing a traceback.
"""

from __future__ import annotations

import io
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeAlias

from audit.errors import AuditError
from audit.witness.judge import Answer, Judge
from audit.witness.wire import ADD, LARGEST_REQUEST

PLACES: Final = 32
REQUEST_SECONDS: Final = 10.0
CONNECTION_SECONDS: Final = 60.0
_SHOWN: Final = 160
_LENGTH: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_CHECKPOINT: Final = re.compile(r"/([0-9a-f]{64})/checkpoint", re.ASCII)
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

Journal: TypeAlias = Callable[[dict[str, Any]], None]


def to_stderr(facts: dict[str, Any]) -> None:
    """Write one line of the journal; whatever was sent, it cannot steer a terminal or begin a line."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sys.stderr.write(json.dumps({"time": now, **facts}).replace("\x7f", "\\u007f") + "\n")
    sys.stderr.flush()


class Server(ThreadingHTTPServer):
    """Serves one judge at an address; port 0 takes a free one, `url` says which."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        judge: Judge,
        journal: Journal = to_stderr,
        *,
        places: int = PLACES,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.judge = judge
        self.journal = journal
        self.request_seconds = request_seconds
        self._places = threading.BoundedSemaphore(places)
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """Where it serves."""
        host = self.server_address[0]
        shown = host.decode() if isinstance(host, bytes | bytearray) else str(host)
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind, without asking a name service for this machine's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the request a thread, or turn it away where all are taken."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        self.journal({"from": str(client_address[0]), "status": int(HTTPStatus.SERVICE_UNAVAILABLE)})
        with suppress(OSError):  # whoever is turned away need not listen
            request.settimeout(0)
            request.send(_BUSY)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection and free its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note what ended a connection, by name: a client that went away, or a mistake of ours."""
        del request
        self.journal({"from": str(client_address[0]), "error": type(sys.exception()).__name__})


class _Arrival(io.RawIOBase):
    """What a client sends, until a deadline however slowly it comes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.until = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # so that what is no HTTP gets a whole answer as well

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._arrival = _Arrival(self.connection)
        self.rfile = io.BufferedReader(self._arrival)
        self._end = time.monotonic() + CONNECTION_SECONDS

    def handle_one_request(self) -> None:
        self.raw_requestline = b""
        self._arrival.until = min(self._end, time.monotonic() + self.server.request_seconds)
        super().handle_one_request()

    def do_GET(self) -> None:
        if self.headers.get("Content-Length") or self.headers.get("Transfer-Encoding"):
            self.close_connection = True  # what follows is not read
        found = _CHECKPOINT.fullmatch(self.path)
        if self.path == "/":
            self._answer(lambda: Answer(HTTPStatus.OK, self.server.judge.page()))
        elif found is None:
            self._send(_nothing(HTTPStatus.NOT_FOUND))
        else:
            self._answer(lambda: self.server.judge.latest(found[1]))

    def do_POST(self) -> None:
        lengths = self.headers.get_all("Content-Length", [])
        if self.path != ADD:
            self._end_with(HTTPStatus.NOT_FOUND)
        elif "Transfer-Encoding" in self.headers or not lengths:
            self._end_with(HTTPStatus.LENGTH_REQUIRED)
        elif len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
            self._end_with(HTTPStatus.BAD_REQUEST)
        elif int(lengths[0]) > LARGEST_REQUEST:
            self._end_with(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            body = self.rfile.read(int(lengths[0]))
            if len(body) == int(lengths[0]):
                self._answer(lambda: self.server.judge.add(body))
            else:
                self._end_with(HTTPStatus.BAD_REQUEST)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the library could not read, in the status's own words."""
        del message, explain
        self._end_with(HTTPStatus(code))

    def version_string(self) -> str:
        return "witness"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing: `_send` does."""

    def log_message(self, format: str, *args: Any) -> None:
        """Note what the library says of a request that it had begun to read: that it did not end in time."""
        del format, args
        if self.raw_requestline:
            self._note(HTTPStatus.REQUEST_TIMEOUT, {})

    def _answer(self, ask: Callable[[], Answer]) -> None:
        try:
            answer = ask()
        except (AuditError, OSError) as error:
            words = error.words if isinstance(error, AuditError) else str(error.strerror)
            answer = _nothing(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": words})
        self._send(answer)

    def _end_with(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send(_nothing(status))

    def _send(self, answer: Answer) -> None:
        self._note(answer.status, answer.facts)
        body = answer.body.encode("utf-8")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _note(self, status: HTTPStatus, facts: dict[str, str | int]) -> None:
        asked = self.raw_requestline.decode("latin-1").rstrip("\r\n")
        told = {"from": self.client_address[0], "asked": asked, "status": int(status), **facts}
        self.server.journal(
            {name: each[:_SHOWN] if isinstance(each, str) else each for name, each in told.items()}
        )


def _nothing(status: HTTPStatus, facts: dict[str, str | int] | None = None) -> Answer:
    return Answer(status, f"{status.phrase}\n", facts=facts or {})
