"""The log's side of a witness: ask for a cosignature, and find out what the witness has seen.

Decided here: what is believed of an answer. A cosignature counts only if it is by the key that was agreed on, over
what we sent, and its time is near ours. No redirect is followed and no proxy of the environment used; an answer is
bounded in length, and in time however slowly it comes.

Never done here: a second try after a failure, or a database: a caller asks with no transaction open.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, urlsplit

from audit.checkpoint import Checkpoint
from audit.errors import AuditError, NoteRefused, SizeConflict, Unreachable, WitnessRefused
from audit.note import COSIGNATURE, Line, Verifier, open_note, split
from audit.witness.wire import ADD, LARGEST_REQUEST, PLAIN, SIZE, Submission, place_of, size_of

SECONDS: Final = 10.0
TOLERANCE: Final = 300.0
_CODES: Final[dict[int, tuple[str, str]]] = {
    HTTPStatus.BAD_REQUEST: ("witness.request", "it cannot read what we sent"),
    HTTPStatus.NOT_FOUND: ("witness.unknown_log", "it does not know this log: give it the log's key"),
    HTTPStatus.FORBIDDEN: (
        "witness.unsigned",
        "it does not know the key that signed this: give it the log's new key",
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("witness.proof", "what we sent does not continue what it has seen"),
}


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified cosignature: its line, with newline, and the time it swears to, in seconds since 1970."""

    line: str
    time: int


@dataclass(frozen=True, slots=True)
class Client:
    """One witness at an address, under its key.

    `timeout` bounds a whole request, in seconds; `tolerance` is how far its clock may be from `now`, ours, also in
    seconds. Raises `WitnessRefused` for what is no address or no witness's key.
    """

    url: str
    verifier: Verifier
    timeout: float = SECONDS
    tolerance: float = TOLERANCE
    now: Callable[[], float] = field(default=time.time, repr=False)

    def __post_init__(self) -> None:
        _parts(self.url)
        if self.verifier.type != COSIGNATURE:
            raise WitnessRefused(
                "witness.key", f"the key of {self.verifier.name} is a log's, not a witness's"
            )

    def latest(self, origin: str) -> str | None:
        """Return the newest checkpoint that it cosigned of a log, None if it never did or does not show it.

        The witness's line in it is verified, of the log's lines none. Raises `Unreachable`, or `WitnessRefused` if it
        shows something that it did not sign.
        """
        status, _, body = self._ask("GET", f"/{place_of(origin)}/checkpoint")
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK:
            raise self._refused(status)
        try:
            note = body.decode("utf-8")
            shown = Checkpoint.parse(open_note(note, [self.verifier]).text)
        except (UnicodeDecodeError, AuditError) as error:
            words = error.words if isinstance(error, AuditError) else "it is not UTF-8"
            raise self._wrong("witness.answer", f"shows no checkpoint that it signed ({words})") from None
        if shown.origin != origin:
            raise self._wrong("witness.answer", f"shows a checkpoint of {shown.origin}")
        return note

    def add(self, old: int, proof: Sequence[bytes], note: str) -> Cosignature:
        """Send a checkpoint with the proof that it continues the one of `old` entries, 0 for the first.

        Raises `SizeConflict` if the witness has another size, `Unreachable` if it gave no answer, `WitnessRefused` if
        it refuses or what it answers is no cosignature of this checkpoint at this time.
        """
        body = Submission(old, tuple(proof), note).format()
        status, kind, answer = self._ask("POST", ADD, body)
        if status == HTTPStatus.CONFLICT:
            size = size_of(answer) if kind.partition(";")[0].strip() == SIZE else None
            if size is None:
                raise self._wrong("witness.answer", "refuses the size and does not tell its own")
            raise SizeConflict(size)
        if status != HTTPStatus.OK:
            raise self._refused(status)
        line = self._mine(answer)
        try:
            signed = self.verifier.check(split(note)[0], line.signature)
        except NoteRefused as error:
            raise self._wrong("witness.answer", f"answers a wrong cosignature ({error.words})") from None
        away = (signed.time or 0) - self.now()
        if abs(away) > self.tolerance:
            raise self._wrong(
                "witness.time", f"has a clock {away:+.0f} seconds from ours: find out which is right"
            )
        return Cosignature(line.format(), signed.time or 0)

    def _mine(self, answer: bytes) -> Line:
        """Find the witness's line among those of an answer; others are of keys that we do not know."""
        try:
            lines = [Line.parse(each) for each in answer.decode("utf-8").removesuffix("\n").split("\n")]
        except (UnicodeDecodeError, NoteRefused):
            raise self._wrong("witness.answer", "answers what is no signature line") from None
        for line in lines:
            if (line.name, line.key_id) == (self.verifier.name, self.verifier.key_id):
                return line
        raise self._wrong("witness.answer", "answers with another key than the one agreed on")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
        parts, until = _parts(self.url), time.monotonic() + self.timeout
        headers = {"Connection": "close", "User-Agent": "audit-witness-client"}
        if body is not None:
            headers["Content-Type"] = PLAIN
        try:
            with _connected(parts, self.timeout) as connection:
                connection.request(method, parts.path.rstrip("/") + path, body, headers)
                response = connection.getresponse()
                answer = response.read(LARGEST_REQUEST + 1)
        except (OSError, HTTPException, ValueError) as error:
            told = getattr(error, "strerror", None) or type(error).__name__
            raise self._silent(told) from None
        if len(answer) > LARGEST_REQUEST:
            raise self._wrong("witness.answer", f"answers with more than {LARGEST_REQUEST} bytes")
        if response.length or time.monotonic() > until:
            raise self._silent("it was cut off")
        return response.status, response.headers.get("Content-Type", ""), answer

    def _silent(self, told: str) -> Unreachable:
        words = f"the witness {self.verifier.name} at {self.url} gives no answer ({told})"
        return Unreachable("witness.unreachable", words)

    def _refused(self, status: int) -> AuditError:
        code, words = _CODES.get(status, ("witness.answer", f"it answers {status}"))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            return Unreachable(
                "witness.unavailable", f"the witness {self.verifier.name} cannot now ({status})"
            )
        return WitnessRefused(code, f"the witness {self.verifier.name} does not cosign: {words}")

    def _wrong(self, code: str, words: str) -> WitnessRefused:
        return WitnessRefused(code, f"the witness {self.verifier.name} {words}")


def _parts(url: str) -> SplitResult:
    """Read a witness's address: http or https, a host, perhaps a port and a path."""
    words = "a witness's address is http:// or https://, a host, perhaps a port and a path"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WitnessRefused("witness.address", words) from None
    plain = (
        url.isascii() and url.isprintable() and "@" not in parts.netloc and not parts.query + parts.fragment
    )
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or not plain:
        raise WitnessRefused("witness.address", words)
    return parts


@contextmanager
def _connected(parts: SplitResult, seconds: float) -> Iterator[HTTPConnection]:
    """Lend a connection that is cut when the time is up, whatever was heard until then."""
    until = time.monotonic() + seconds
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection: HTTPConnection = HTTPSConnection(host, parts.port, timeout=seconds, context=context)
    else:
        context, connection = None, HTTPConnection(host, parts.port, timeout=seconds)
    tube = socket.create_connection((host, connection.port), seconds)
    if context is not None:
        tube = context.wrap_socket(tube, server_hostname=host, do_handshake_on_connect=False)
    ending = threading.Timer(max(0.0, until - time.monotonic()), _cut, [tube])
    ending.daemon = True
    ending.start()
    connection.sock = tube
    try:
        if isinstance(tube, ssl.SSLSocket):
            tube.do_handshake()
        yield connection
    finally:
        ending.cancel()
        connection.close()


def _cut(tube: socket.socket) -> None:
    """End whatever waits for this connection; one that is closed already has nobody waiting."""
    with suppress(OSError):
        socket.socket.shutdown(tube, socket.SHUT_RDWR)
