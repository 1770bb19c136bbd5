"""The mail server of the story, on this machine: it takes every letter, and whoever it is for reads it there."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from typing_extensions import override

KEPT: Final = 200
"""So many letters are kept; the vault goes on writing them while the demonstration is served."""


@dataclass(slots=True)
class Postbox:
    """Letters by whom they are for, the newest last; each lies in a folder as well, for whoever looks around."""

    folder: Path
    taken: int = 0
    letters: deque[tuple[str, EmailMessage]] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a letter."""
        del server, session
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.taken += 1
        (self.folder / f"{self.taken % KEPT:03d}.eml").write_bytes(envelope.content)
        self.letters.extend((address, letter) for address in envelope.rcpt_tos)
        return "250 taken"

    def newest(self, address: str) -> EmailMessage:
        """Read the last letter to an address."""
        return next(letter for to, letter in reversed(self.letters) if to == address)


class _FreePort(Controller):
    """aiosmtpd's controller, which says hello to itself on the port that it was given, not on the one it took."""

    @override
    def _trigger_server(self) -> None:
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # the library leaves it untyped


@contextmanager
def delivering(box: Postbox) -> Iterator[str]:
    """Serve SMTP on a free port of this machine; give host:port."""
    controller = _FreePort(box, hostname="127.0.0.1", port=0)
    controller.start()
    owner = os.getpid()
    try:
        yield f"127.0.0.1:{controller.port}"
    finally:
        # workers leave by the same way, and have no such thread to wait for
        if os.getpid() == owner:
            controller.stop()
