"""A log that is served over HTTP (C2SP tlog-tiles), read as a bundle is: the vault's own, or a mirror of it.

    <address>/checkpoint, <address>/tile/…        for the vault the address is https://…/api/v1/audit

Decided here: how much a server is trusted, which is not at all. It is asked over TLS, or on this machine; for
names that we made ourselves, one after the other on one connection; it is waited for so long and no longer; no
more is read than the format allows; a redirection is not followed, because a token would travel with it; proxies
of the environment are not used. A busy server (429, 503) is asked again after the time that it names, within
bounds, and a broken connection is opened again: an examination of hours should not fail for a second's.

A partial tile that a server has already replaced by the full one is cut out of that, as the specification says.
Never done here: judging what is read, which is `audit.verify`. Serving entries is an entry in the vault's own log:
what is examined is the log as of the checkpoint that was read first.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from audit.bundle import CHECKPOINT
from audit.errors import BundleRefused, TileRefused
from audit.merkle import HASH_SIZE
from audit.tile import LARGEST_ENTRIES, LARGEST_HASHES, WIDTH, Tile, decode_entries, encode_entries

SECONDS_SILENT: Final = 30.0
SECONDS_ANSWER: Final = 120.0
SECONDS_WAIT: Final = 60.0
MOST_TRIES: Final = 8
_ABSENT: Final = {404, 410}
_BUSY: Final = {429, 500, 502, 503, 504}
_DENIED: Final = {401, 403}
_OK: Final = 200
_REDIRECTIONS: Final = range(300, 400)
_PIECE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Address:
    """Where a log is served: `path` is in front of `/checkpoint`."""

    scheme: str
    host: str
    port: int | None
    path: str

    @classmethod
    def parse(cls, url: str, *, insecure: bool = False) -> Address:
        """Read an address; raise `BundleRefused` unless it is https, of this machine, or `insecure` is wanted."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise BundleRefused("served.address", "this is not an address") from None
        if parts.scheme not in {"http", "https"} or not host or not url.isascii() or not url.isprintable():
            raise BundleRefused("served.address", "an address is https://host[:port]/path")
        if parts.query or parts.fragment or parts.username is not None or " " in url:
            raise BundleRefused(
                "served.address", "an address has neither a name, nor a query, nor a fragment"
            )
        address = cls(parts.scheme, host, port, parts.path.rstrip("/").removesuffix(f"/{CHECKPOINT}"))
        if not (address.is_private or insecure):
            raise BundleRefused("served.insecure", "http:// is for this machine; use https://, or --insecure")
        return address

    @property
    def is_private(self) -> bool:
        """Tell whether nobody on the way can read along: TLS, or this machine."""
        return self.scheme == "https" or _is_here(self.host)

    @property
    def place(self) -> tuple[str, str, int | None]:
        """What a token is for: scheme, host and port."""
        return self.scheme, self.host, self.port


@dataclass(slots=True)
class Served:
    """The files of one served log. `token` is sent as a bearer token and is never shown.

    `proxy` is host and port of a proxy that tunnels TLS (CONNECT); None asks the log's host itself.
    """

    address: Address
    token: str | None = field(default=None, repr=False)
    proxy: tuple[str, int] | None = None
    sleep: Callable[[float], None] = time.sleep
    context: ssl.SSLContext | None = None
    _connection: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        if self.token is not None and not self.address.is_private:
            raise BundleRefused("served.insecure", "a token is not sent over http:// to another machine")
        if self.proxy is not None and self.address.scheme != "https":
            raise BundleRefused("served.proxy", "a proxy is used for https:// alone")

    def read(self, name: str, longest: int) -> bytes | None:
        """Read the checkpoint or a tile; None if the server has none."""
        content = self._get(name, longest)
        if content is not None or name == CHECKPOINT:
            return content
        tile = Tile.parse(name)
        if tile.width == WIDTH:
            return None
        most = LARGEST_ENTRIES if tile.level is None else LARGEST_HASHES
        wider = self._get(Tile(tile.level, tile.n).path, most)
        return None if wider is None else _cut(wider, tile)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _get(self, name: str, longest: int) -> bytes | None:
        """Ask for a file until there is an answer, or no use in asking."""
        failure = ""
        for attempt in range(MOST_TRIES):
            try:
                status, headers, content = self._ask(name, longest)
            except (OSError, http.client.HTTPException) as error:
                failure = f"the server does not answer ({type(error).__name__})"
                self.close()
                if isinstance(error, ssl.SSLCertVerificationError):
                    failure = f"the server's certificate is not accepted ({error.verify_message})"
                    break
                if attempt:  # the first time it may only have closed a connection that was idle
                    self.sleep(min(2.0 ** (attempt - 1), SECONDS_WAIT))
                continue
            if status == _OK:
                return content
            if status in _ABSENT:
                return None
            self._refuse(status, name, headers.get("Location"))
            failure = f"the server is busy (status {status})"
            self.sleep(_wait(headers.get("Retry-After"), attempt))
        raise BundleRefused("served.unreachable", f"{name} cannot be read: {failure}")

    def _refuse(self, status: int, name: str, location: str | None) -> None:
        """Raise for an answer that asking again would not better."""
        if status in _BUSY:
            return
        if status in _DENIED:
            words = f"the server refuses {name} (status {status}): entries need the token of an auditor (--token-file)"
            raise BundleRefused("served.denied", words)
        if status in _REDIRECTIONS:
            words = f"the server sends on to {location or 'nowhere'}; give that address, if you trust it"
            raise BundleRefused("served.redirected", words)
        raise BundleRefused("served.status", f"the server answered {status} when asked for {name}")

    def _ask(self, name: str, longest: int) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Ask once; return status, headers and content."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "audit-verify"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = self._connected()
        with _deadline(connection):
            connection.request("GET", f"{self.address.path}/{name}", headers=headers)
            answer = connection.getresponse()
            length = answer.length
            if answer.status != _OK:
                if length is None or len(answer.read(_PIECE)) < length:
                    self.close()
                return answer.status, answer.headers, b""
            content = bytearray()
            while (length or 0) <= longest and len(content) <= longest:
                piece = answer.read(min(_PIECE, longest + 1 - len(content)))
                if not piece:
                    break
                content += piece
        if (length or 0) > longest or len(content) > longest:
            self.close()
            raise BundleRefused("bundle.too_long", f"{name} is longer than {longest} bytes")
        if length is not None and len(content) != length:
            raise http.client.IncompleteRead(bytes(content))
        return answer.status, answer.headers, bytes(content)

    def _connected(self) -> http.client.HTTPConnection:
        """Return the open connection, or open one."""
        if self._connection is None:
            host, port = self.proxy or (self.address.host, self.address.port)
            if self.address.scheme == "https":
                context = self.context or ssl.create_default_context()
                made: http.client.HTTPConnection = http.client.HTTPSConnection(
                    host, port, timeout=SECONDS_SILENT, context=context
                )
            else:
                made = http.client.HTTPConnection(host, port, timeout=SECONDS_SILENT)
            if self.proxy is not None:
                made.set_tunnel(self.address.host, self.address.port or http.client.HTTPS_PORT)
            self._connection = made
        if self._connection.sock is None:  # never opened, or closed by the server's wish
            self._connection.connect()
        return self._connection


@contextmanager
def _deadline(connection: http.client.HTTPConnection) -> Iterator[None]:
    """Cut the connection off when an answer takes too long: a byte now and then keeps any time-out waiting."""
    timer = threading.Timer(SECONDS_ANSWER, _cut_off, [connection.sock])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut_off(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it was closed just now
        return


def _cut(content: bytes, tile: Tile) -> bytes:
    """Return the first part of a full tile's content."""
    if tile.level is not None:
        return content[: tile.width * HASH_SIZE]
    try:
        return encode_entries(decode_entries(content)[: tile.width])
    except TileRefused:
        return content  # whoever reads it refuses it


def _wait(named: str | None, attempt: int) -> float:
    """Return how long to wait before asking again, in seconds: as the server says, or longer each time."""
    wait = 2.0**attempt
    if named is not None:
        try:
            wait = float(named) if named.isascii() and named.isdigit() else _until(named)
        except (ValueError, TypeError, OverflowError):
            wait = 2.0**attempt
    return max(0.0, min(wait, SECONDS_WAIT))


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
