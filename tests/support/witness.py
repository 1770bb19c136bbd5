"""A real witness on loopback: its files, its HTTP, and a clock that a test sets by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audit.note import Cosigner, Verifier
from audit.witness.client import Client
from audit.witness.judge import Judge
from audit.witness.memory import Memory
from audit.witness.server import REQUEST_SECONDS, Server

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
