"""HTTP connections to places outside that end in time, their TLS handshake included.

Decided here: how such a connection is made. Never done here: following a redirect, trying again, or reading an
answer's body (whoever asked knows how much of it is welcome).
"""

from __future__ import annotations

import http.client
import socket
import ssl

from vault.adapters.deadline import Deadline


class Bounded(http.client.HTTPConnection):
    """A connection, each time that it is made, which a deadline ends; `trust` vouches for the other side by TLS."""

    def __init__(
        self,
        host: str,
        port: int | None,
        timeout: float,
        deadline: Deadline,
        trust: ssl.SSLContext | None,
    ) -> None:
        if trust is not None:
            self.default_port = http.client.HTTPS_PORT
        super().__init__(host, port, timeout)
        self.deadline = deadline
        self._trust = trust

    def connect(self) -> None:
        """Connect; once the time is up it ends at once."""
        self.deadline.check()
        tube = self.deadline.hold(socket.create_connection((self.host, self.port), self.timeout))
        self.sock = tube if self._trust is None else self._trust.wrap_socket(tube, server_hostname=self.host)
