"""A ticket system on loopback: real HTTP, tickets that a test sets, and ways to go wrong."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import unquote

from tests.support.world import World, hasher
from vault.adapters.tickets import HttpTickets, Places
from vault.bootstrap.compose import Ground, compose

if TYPE_CHECKING:
    from types import TracebackType

    from vault.domain.ticket import TicketRules
    from vault.ports.tickets import TicketSystem

PLACES = Places(
    state="/fields/status/name",
    open_states=frozenset({"Open", "In Progress"}),
    accounts="/fields/accounts",
    customers="/fields/ddi",
    assignees="/fields/assignee/email",
    since="/fields/window/from",
    until="/fields/window/to",
    number="/key",
)
TOKEN = "a-token-of-the-desk"


@dataclass
class TicketDesk:
    """`tickets` by number; `fault` makes every answer go wrong; `asked` and `notes` are what came."""

    tickets: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    """Ticket, key, words."""
    note_status: list[int] = field(default_factory=list)
    """Answers to notes, one after the other, then 201."""
    made: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Number, key, subject, words of tickets that were made; the same key again is the same ticket."""
    answer: str = ""
    """What a creation is answered with instead of the number."""
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def system(self) -> HttpTickets:
        """A connector to it."""
        base = f"http://127.0.0.1:{self.port}/api/tickets/{{ticket}}"
        create = f"http://127.0.0.1:{self.port}/api/new"
        return HttpTickets(
            f"{base}?full=yes", PLACES, TOKEN, f"{base}/comments", "text", create, "title", "/key"
        )

    def put(self, number: str = "T-1001", **fields: Any) -> None:
        """Keep a ticket that fits the world's first account and whoever is named."""
        told = {"status": {"name": "Open"}, "accounts": ["111122223333"], "ddi": "900001", **fields}
        self.tickets[number] = {"key": number, "fields": told}

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"desk": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self._server.server_port
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers for one desk."""

    desk: ClassVar[TicketDesk]

    def do_GET(self) -> None:
        """Look a ticket up."""
        self.desk.asked.append(("GET", self.path, dict(self.headers)))
        if self.desk.fault:
            self._go_wrong(self.desk.fault)
            return
        number = unquote(self.path.partition("?")[0].removeprefix("/api/tickets/"))
        found = self.desk.tickets.get(number)
        self._answer(404 if found is None else 200, {} if found is None else found)

    def do_POST(self) -> None:
        """Take a note."""
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.desk.asked.append(("POST", self.path, dict(self.headers)))
        status = self.desk.note_status.pop(0) if self.desk.note_status else 201
        if status == 201 and self.path == "/api/new":
            self._make(said)
            return
        if status == 201:
            number = self.path.removeprefix("/api/tickets/").removesuffix("/comments")
            self.desk.notes.append((number, self.headers["Idempotency-Key"], said["text"]))
        self._answer(status, {})

    def _make(self, said: Any) -> None:
        key, made = self.headers["Idempotency-Key"], self.desk.made
        known = next((number for number, before, *_ in made if before == key), "")
        number = known or f"T-{2001 + len(made)}"
        if not known:
            made.append((number, key, said["title"], said["text"]))
        if self.desk.answer:
            self._send(201, self.desk.answer.encode())
            return
        self._answer(201, {"key": number})

    def _answer(self, status: int, said: Any) -> None:
        self._send(status, json.dumps(said).encode())

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _go_wrong(self, how: str) -> None:
        if how.isdigit():
            self._send(int(how), b"{}", Location="http://127.0.0.1:1/elsewhere")
        elif how == "long":
            self._send(200, b'{"a": "' + b"x" * 300_000 + b'"}')
        elif how == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            for _ in range(400):
                try:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.02)
        else:
            self._send(200, how.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def with_tickets(world: World, rules: TicketRules, system: TicketSystem | None) -> World:
    """Give the same vault, people and clock under a policy that asks something of tickets."""
    vault = world.vault
    policy = replace(vault.policy, tickets=rules)
    ground = Ground(
        vault.settings, policy, vault.clock, vault.units, vault.keys, vault.server_key, vault.origin,
        vault.vkey, hasher(), close=vault.close, tickets=system,
    )  # fmt: skip
    return World(compose(ground), world.clock, world.people)
