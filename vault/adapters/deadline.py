"""An end to a whole conversation with a place outside, however slowly its bytes come.

Decided here: a socket's own timeout begins again with each byte, so a timer cuts the connection when the time of all
of it is up; whoever waits then hears its end. Never done here: connecting, or saying what failed.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(slots=True)
class Deadline:
    """So many seconds from its `with` on; `passed` says that the connection was cut."""

    seconds: float
    passed: bool = False
    _held: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._timer = threading.Timer(self.seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the connection."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._let_go()

    def hold(self, tube: socket.socket) -> socket.socket:
        """Cut this connection, instead of one held before, when the time is up; TLS may be put around it later."""
        with self._lock:
            self._let_go()
            self._held = tube.dup()
        if self.passed:
            self._cut()
        return tube

    def check(self) -> None:
        """Raise `TimeoutError` once the time is up: an end that was heard then may be ours."""
        if self.passed:
            raise TimeoutError("it takes too long")

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._held is not None:
                with suppress(OSError):
                    self._held.shutdown(socket.SHUT_RDWR)
