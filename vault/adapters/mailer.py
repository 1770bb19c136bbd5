"""Letters by SMTP: plain text, perhaps with the same as HTML, over TLS unless the server is this machine.

Decided here: no letter leaves without TLS and a verified certificate, but to a server on the loopback address;
addresses and headers hold no line break (RFC 5322 2.2), so that nobody's name becomes a header; each
step has a time limit, and so has the whole of a letter, however slowly answers come.
Never done here: writing HTML, attachments, a secret.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import smtplib
import socket
import ssl
import stat
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vault.adapters.deadline import Deadline
from vault.errors import Refused
from vault.ports.anchors import AnchorFailed, LetterRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT: Final = 10.0
WHOLE: Final = 40.0
"""Seconds for a whole letter; a turn of delivery is longer."""
_ADDRESS: Final = re.compile(r"[^\s<>,;:\"\\()\[\]@]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})", re.ASCII)
_PASSWORD_LONGEST: Final = 1024
_FOR_GOOD: Final = 500


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Implements `Mailer`: `server` is host:port, `security` is starttls, tls or none."""

    server: str
    security: str
    sender: str
    user: str = ""
    password_file: Path | None = None
    timeout: float = TIMEOUT
    trust: ssl.SSLContext | None = None
    whole: float = WHOLE

    def __post_init__(self) -> None:
        host, _, port = self.server.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()):
            raise Refused("settings.invalid", "mail.server is HOST:PORT, as in mail.example.com:587.")
        if not _ADDRESS.fullmatch(self.sender):
            raise Refused("settings.invalid", "mail.sender is one address, as in vault@example.com.")
        if self.security not in {"starttls", "tls", "none"}:
            raise Refused("settings.invalid", "mail.security is starttls, tls or none.")
        if self.security == "none" and not _is_loopback(host):
            detail = "mail.security is none only for a server on this machine; use starttls or tls."
            raise Refused("settings.invalid", detail)
        if bool(self.user) != (self.password_file is not None):
            raise Refused("settings.invalid", "mail.user and mail.password_file go together.")

    def send(
        self, to: tuple[str, ...], subject: str, body: str, message_id: str, html: str | None = None
    ) -> str:
        """Hand a letter over to the server, for all of `to`; give what it answered last."""
        letter = self.letter(to, subject, body, message_id, html)
        host, _, port = self.server.rpartition(":")
        deadline = Deadline(self.whole)
        try:
            with deadline, self._connected(host, int(port), deadline) as server:
                if self.user:
                    server.login(self.user, self._password())
                refused = server.send_message(letter, self.sender, list(to))
                answer = server.noop()
        except smtplib.SMTPRecipientsRefused as failure:
            words = f"mail server: {_words(failure)}"
            raise (LetterRefused(words) if _is_for_good(failure) else AnchorFailed(words)) from None
        except smtplib.SMTPException as failure:
            words = "it takes too long" if deadline.passed else _words(failure)
            raise AnchorFailed(f"mail server: {words}") from None
        except OSError as failure:
            raise AnchorFailed(f"mail server {self.server}: {failure.strerror or failure}") from None
        if refused:
            raise AnchorFailed(f"the mail server did not take {len(refused)} of {len(to)} addresses")
        return f"{self.server} took the letter {message_id} for {len(to)} ({answer[0]})"

    def letter(
        self, to: tuple[str, ...], subject: str, body: str, message_id: str, html: str | None = None
    ) -> EmailMessage:
        """Write the letter; raise `LetterRefused` for an address or a header that is none."""
        if not to or not all(_ADDRESS.fullmatch(each) for each in to):
            raise LetterRefused("a recipient of the letter is not an address")
        letter = EmailMessage(policy=SMTP)
        try:
            letter["From"] = self.sender
            letter["To"] = ", ".join(to)
            letter["Subject"] = subject
            letter["Message-ID"] = f"<{message_id}>"
            letter["Auto-Submitted"] = "auto-generated"
        except ValueError:
            raise LetterRefused("a header of the letter holds a line break") from None
        letter.set_content(body, charset="utf-8", cte="8bit")
        if html is not None:
            letter.add_alternative(html, subtype="html", charset="utf-8", cte="8bit")
        return letter

    @contextlib.contextmanager
    def _connected(self, host: str, port: int, deadline: Deadline) -> Iterator[smtplib.SMTP]:
        trust = self.trust or ssl.create_default_context()
        within = trust if self.security == "tls" else None
        with _Bounded(host, port, self.timeout, deadline, within) as server:
            if self.security == "starttls":
                server.starttls(context=trust)
            yield server

    def _password(self) -> str:
        path = self.password_file
        if path is None:
            return ""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
                raise AnchorFailed(f"{path}: the mail password must be in a regular file of mode 0600")
            return file.read(_PASSWORD_LONGEST).decode("utf-8", "replace").strip("\r\n")


class _Bounded(smtplib.SMTP):
    """A conversation that a deadline ends, its TLS handshake included; `trust` is None where it begins in clear."""

    def __init__(
        self, host: str, port: int, timeout: float, deadline: Deadline, trust: ssl.SSLContext | None
    ) -> None:
        self._deadline = deadline
        self._trust = trust
        super().__init__(host, port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        tube = self._deadline.hold(socket.create_connection((host, port), timeout))
        return tube if self._trust is None else self._trust.wrap_socket(tube, server_hostname=host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _words(failure: smtplib.SMTPException) -> str:
    if isinstance(failure, smtplib.SMTPResponseException):
        said = failure.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{failure.smtp_code} {text}"
    if isinstance(failure, smtplib.SMTPRecipientsRefused):
        codes = sorted({str(code) for code, _ in failure.recipients.values()})
        return f"it took none of the addresses ({', '.join(codes)})"
    return type(failure).__name__


def _is_for_good(failure: smtplib.SMTPRecipientsRefused) -> bool:
    """Say whether a server said of every address that it will never take a letter for it (RFC 5321 4.2.1)."""
    return all(code >= _FOR_GOOD for code, _ in failure.recipients.values())
