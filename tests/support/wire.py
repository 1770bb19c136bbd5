"""A wire to a server on the loopback address that can be cut, and mended, while both ends stay as they are."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK: Final = 65536
_PATIENCE: Final = 30.0


@dataclass(slots=True)
class Wire:
    """What becomes of connections: "through", "gone" (closed at once) or "silent" (taken, never answered)."""

    url: str
    upstream: tuple[str, int]
    mode: str = "through"
    _open: list[socket.socket] = field(default_factory=list)

    def set(self, mode: str) -> None:
        """Change what happens from now on; connections that are open are cut."""
        self.mode = mode
        while self._open:
            cut(self._open.pop())

    def carry(self, connection: socket.socket) -> None:
        """Serve one connection."""
        self._open.append(connection)
        if self.mode == "gone":
            cut(connection)
            return
        if self.mode == "silent":
            return
        server = socket.create_connection(self.upstream, timeout=_PATIENCE)
        self._open.append(server)
        for source, target in ((connection, server), (server, connection)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def cut(connection: socket.socket) -> None:
    """Close both directions, whoever is reading."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    cut(source)
    cut(target)


@contextlib.contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    """Lay a wire to `url`."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}", (parts.hostname, parts.port))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                wire.carry(listener.accept()[0])

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield wire
    finally:
        cut(listener)
        acceptor.join(_PATIENCE)
        wire.set("gone")
