"""A real witness on loopback: its files, its HTTP, and a clock that a test sets by hand."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audit.log import Log
from audit.note import Cosigner, Verifier
from audit.storage.memory import MemoryStorage
from audit.witness.client import Client, Cosignature
from audit.witness.judge import Judge
from audit.witness.memory import Memory
from audit.witness.server import REQUEST_SECONDS, Server
from audit.witness.submit import submit
from tests.unit.audit.world import LOG

if TYPE_CHECKING:
    from pathlib import Path

NAME = "witness.auditor.example/w1"
NOON = 1_795_262_400
"""2026-11-21T12:00:00Z."""


@dataclass
class RunningWitness:
    """A witness that serves: who it is, where, what it noted, and the time that it believes."""

    url: str
    verifier: Verifier
    journal: list[dict[str, Any]] = field(default_factory=list)
    time: float = NOON

    def client(self, tolerance: float = 60) -> Client:
        """Give a client whose clock is this witness's, as long as a test does not move it."""
        return Client(self.url, self.verifier, timeout=5, tolerance=tolerance, now=lambda: self.time)


@contextmanager
def running_witness(
    directory: Path,
    logs: Sequence[Verifier],
    name: str = NAME,
    *,
    places: int = 32,
    request_seconds: float = REQUEST_SECONDS,
    now: float = NOON,
) -> Iterator[RunningWitness]:
    """Run a witness of some logs in a thread; started again over the same directory it is the same one."""
    cosigner = Cosigner.from_seed(name, name.encode().ljust(32, b".")[:32])
    if not directory.exists():
        Memory.create(directory, cosigner.vkey)
    running = RunningWitness("", cosigner.verifier, time=now)
    with Memory(directory, cosigner.vkey) as memory:
        judge = Judge(cosigner, memory, logs, lambda: running.time)
        server = Server(
            ("127.0.0.1", 0), judge, running.journal.append, places=places, request_seconds=request_seconds
        )
        running.url = server.url
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def ask(storage: MemoryStorage, witness: RunningWitness, start: int = 0, log: Log = LOG) -> Cosignature:
    """Submit the head of a log."""
    size = storage.head().size
    return submit(
        witness.client(), storage.head().note, lambda old: log.prove_consistency(storage, old, size), start
    )


def post(witness: RunningWitness, body: bytes) -> tuple[int, str, bytes]:
    """Send some bytes as a submission; give status, type and body of the answer."""
    connection = http.client.HTTPConnection(witness.url.removeprefix("http://"), timeout=5)
    try:
        connection.request("POST", "/add-checkpoint", body)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()
    finally:
        connection.close()
