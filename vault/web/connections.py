"""Connections of clients that take their time: whoever does not finish sending is not waited for.

Decided here: how long a request may take to arrive, with all of its body. gunicorn's threads read without any
limit, so that as many half-sent requests as there are threads would stop the whole vault, check-in and freezing
included, for as long as someone who is not even signed in likes (S5). Only reading ends: an answer under way is
written to its end. Never done here: counting connections; the reverse proxy does.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]  # publishes no types

ARRIVAL_SECONDS: Final = 10.0


class BoundedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """gunicorn's threaded worker, which stops listening to a connection whose request does not arrive."""

    arrival_seconds: float = ARRIVAL_SECONDS

    def __init__(self, *names: Any, **values: Any) -> None:
        super().__init__(*names, **values)
        self._arriving: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        """Read and answer one request; from here on its time runs."""
        self._arriving[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._arriving.pop(conn, None)

    def murder_pending(self) -> None:
        """Close connections that sent nothing, as gunicorn does each second, and end the reading of slow ones."""
        super().murder_pending()
        late = time.monotonic() - self.arrival_seconds
        for conn, began in tuple(self._arriving.items()):
            if began < late:
                # a thread that waits in recv wakes with the end of the stream
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)
