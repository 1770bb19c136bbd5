"""Entries to a webhook, signed as Standard Webhooks says, one message an entry.

    webhook-id         the entry's id: a message that comes twice is the same entry
    webhook-timestamp  when it was sent
    webhook-signature  v1,… by each secret of the file

    {"data":{"checkpoint_size":…,"index":…,"leaf":"…","leaf_hash":"…"},"timestamp":"…","type":"…"}

Decided here: the next message is sent when the one before was answered by 2xx, on one connection; redirects are
not followed, only TLS or this machine is spoken to, and of an answer no more is read than its status and a
few bytes. However slowly answers come, a delivery ends in time. 410 means that nothing more is wanted. Never
done here: trying again.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import http.client
import ipaddress
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from standardwebhooks import Webhook as Signing

from vault.adapters.bounded import Bounded
from vault.adapters.deadline import Deadline
from vault.adapters.private_file import read_private
from vault.domain.event import stamp
from vault.domain.formats import Copied, compact
from vault.domain.ids import new_id
from vault.domain.outlet import plain
from vault.errors import Refused
from vault.ports.feeds import Delivery

if TYPE_CHECKING:
    from pathlib import Path

    from vault.ports.clock import Clock

NAME: Final = "webhook"
PREFIX: Final = "whsec_"
TIMEOUT: Final = 10.0
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret (Standard Webhooks, "Signature scheme")."""
_ANSWER_MOST: Final = 4096
_OK: Final = range(200, 300)
_GONE: Final = 410
_WAIT_DIGITS: Final = 4


@dataclass(slots=True)
class Webhook:
    """Implements `Feed`; `secrets` sign each message, the newest first."""

    url: str
    secrets: tuple[str, ...] = field(repr=False)
    clock: Clock
    timeout: float = TIMEOUT
    name: str = NAME
    setting: str = "feeds.webhook_url"
    """Where the address stands, for whoever has to mend it."""
    trusted: ssl.SSLContext | None = None
    """Who may vouch for the receiver; this machine's usual authorities where it is None."""

    def __post_init__(self) -> None:
        check_address(self.url, self.setting)

    def deliver(self, entries: Sequence[Copied], seconds: float) -> Delivery:
        """Send entries one after the other, each when the one before was answered."""
        until = time.monotonic() + seconds
        with self._connected(seconds + self.timeout) as connection:
            for count, entry in enumerate(entries):
                if time.monotonic() > until:
                    return Delivery(count)
                failed = self._send(connection, entry.text("id"), body_of(entry))
                if failed is not None:
                    return Delivery(count, failed.error, failed.wait, failed.gone)
        return Delivery(len(entries))

    def test(self) -> Delivery:
        """Send one message of type `feed.test`."""
        told = {"type": "feed.test", "timestamp": stamp(self.clock.now()), "data": {}}
        with self._connected(self.timeout) as connection:
            return self._send(connection, new_id(), compact(told)) or Delivery(1)

    def tell(self, message_id: str, type_: str, data: Mapping[str, object], at: datetime) -> Delivery:
        """Send one message of a type (implements `Room`)."""
        body = compact({"type": type_, "timestamp": stamp(at), "data": data})
        with self._connected(self.timeout) as connection:
            return self._send(connection, message_id, body) or Delivery(1)

    def _send(self, connection: Bounded, id_: str, body: str) -> Delivery | None:
        """Send one message; None where it was taken."""
        now = self.clock.now()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "root-vault",
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(Signing(each).sign(id_, now, body) for each in self.secrets),
        }
        try:
            connection.request("POST", _path(self.url), body=body.encode("ascii"), headers=headers)
            answer = connection.getresponse()
            connection.deadline.check()  # the end of the headers may be that of the time
        except (OSError, http.client.HTTPException) as failure:
            return Delivery(0, plain(f"no answer: {str(failure) or type(failure).__name__}"))
        said = _skim(connection, answer)
        if answer.status in _OK:
            return None
        words = plain(f"answered {answer.status}: {said.decode('utf-8', 'replace')}")
        return Delivery(0, words, _wait(answer.headers.get("Retry-After", "")), answer.status == _GONE)

    @contextmanager
    def _connected(self, seconds: float) -> Iterator[Bounded]:
        parts = urlsplit(self.url)
        within = (self.trusted or ssl.create_default_context()) if parts.scheme == "https" else None
        with Deadline(seconds) as deadline:
            connection = Bounded(parts.hostname or "", parts.port, self.timeout, deadline, within)
            try:
                yield connection
            finally:
                connection.close()


def _skim(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> bytes:
    """Read the beginning of an answer's body; for more of it nobody waits, and the next message connects anew."""
    try:
        said = answer.read1(_ANSWER_MOST)
    except (OSError, http.client.HTTPException):
        said = b""
    if answer.length == 0:
        answer.close()
    else:
        connection.close()
    return said


def body_of(entry: Copied) -> str:
    """Write the body of an entry's message: printable ASCII, the exact leaf in it."""
    data = {
        "index": entry.index,
        "leaf_hash": entry.leaf_hash,
        "leaf": entry.leaf.decode("utf-8"),
        "checkpoint_size": entry.size,
    }
    return compact({"type": entry.text("type"), "timestamp": entry.text("time"), "data": data})


def check_address(url: str, setting: str = "feeds.webhook_url") -> None:
    """Return for an address that entries may travel to: TLS, or this machine; else raise `Refused`."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.fragment:
        detail = f"{setting} must be an address such as https://siem.example.com/hook"
        raise Refused("settings.invalid", detail)
    if parts.scheme == "http" and not _is_here(host):
        detail = f"{setting} must begin with https:// : what it tells would travel in clear"
        raise Refused("settings.invalid", detail)


def read_secrets(path: Path) -> tuple[str, ...]:
    """Read the secrets of a private file, one a line; raise `Refused` naming what is wrong, never the secret."""
    try:
        lines = read_private(path).decode("ascii").split()
    except UnicodeDecodeError:
        lines = [""]
    if not lines or not all(map(_is_secret, lines)):
        detail = (
            f"{path} holds no webhook secret: a line is {PREFIX} and the base64 of {_SHORTEST} to {_LONGEST} random"
            " bytes. Make one with: (printf whsec_; head -c 32 /dev/urandom | base64 -w 0) >FILE; chmod 600 FILE"
        )
        raise Refused("settings.invalid", detail)
    return tuple(lines)


def _is_secret(line: str) -> bool:
    try:
        raw = base64.b64decode(line.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return line.startswith(PREFIX) and _SHORTEST <= len(raw) <= _LONGEST


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _wait(header: str) -> timedelta | None:
    is_seconds = header.isascii() and header.isdigit() and len(header) <= _WAIT_DIGITS
    return timedelta(seconds=int(header)) if is_seconds else None


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
