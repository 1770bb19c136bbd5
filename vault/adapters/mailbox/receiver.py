"""SMTP (RFC 5321) and LMTP (RFC 2033) on the loopback address or a unix socket, behind a mail server.

Decided here: nothing is answered with 250 before it is kept; what cannot be kept now is answered with 4yz, so that the
server before us has it and sends it again. Over LMTP each address has an answer of its own; over SMTP, which has one
for all, the worst counts, and what was kept is known again. Sizes are refused by MAIL's SIZE before anything is sent;
whoever sends more is read on to a bound, told, and cut off. A connection ends after some time without a word and, in
any case, after ten times that. No line of a message is ever logged. Never done here: reading a message.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import stat
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.smtp import SMTP, syntax
from typing_extensions import override

from vault.errors import Limited, NotFound, Refused, VaultError

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session

HOST: Final = "root-mailbox.invalid"
IDENT: Final = "ready"
UNIX: Final = "unix:"
_WHOLE: Final = 10
_DRAINED: Final = 4
"""So many times the largest message is read of one that is larger, to be able to say so."""
_LINE: Final = 65_536
_TURNS: Final = 5
_COMMANDS: Final = 1_000
_LATER: Final = "451 4.3.0 Not kept now; send it again later"
_FULL: Final = "452 4.2.2 Mailbox full for now; send it again later"
_NOBODY: Final = "550 5.1.1 No such mailbox here"
_ORDER: Final = ("250", "550", "452", "451")
"""From best to worst: over SMTP the last that was given counts for all."""
_KEPT: Final = "250 2.0.0 Kept"

Take = Callable[[bytes, str], object]
Would = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Listening:
    """Where is listened, and what one connection may do. Sizes are in bytes, times in seconds."""

    address: str
    message_bytes: int = 10_485_760
    recipients: int = 20
    connections: int = 20
    timeout: float = 60.0
    takers: int = 4
    """Messages that are kept at once."""

    @property
    def is_unix(self) -> bool:
        """Whether it is a unix socket."""
        return self.address.startswith(UNIX)

    @property
    def path(self) -> Path:
        """Give the socket's path."""
        return Path(self.address.removeprefix(UNIX))

    @property
    def host_port(self) -> tuple[str, int]:
        """Give the address of this machine and the port; 0 is any."""
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)

    def check(self) -> None:
        """Return if nothing but this machine can reach it; else raise `Refused`."""
        words = "mailbox.listen must be an address of this machine, such as 127.0.0.1:2525, or unix:/PATH"
        if self.is_unix:
            if not self.path.is_absolute():
                raise Refused("settings.invalid", f"{words}: the path is not absolute.")
            return
        try:
            host, port = self.host_port
            if ip_address(host).is_loopback and 0 <= port <= 65_535:  # noqa: PLR2004 - what a port is
                return
        except ValueError:
            pass
        raise Refused("settings.invalid", f"{words}: anybody could write to it.")


class _Answers:
    """What aiosmtpd asks of its handler: whether an address is taken, and the message once it is whole."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Say at once what is known of an address."""
        del server, session, options
        if len(envelope.rcpt_tos) >= self.receiver.listening.recipients:
            return "452 4.5.3 Too many recipients; send the others by themselves"
        if address in envelope.rcpt_tos:
            return "250 2.1.5 Known already"
        answer = await self.receiver.ask(lambda: self.receiver.would(address), "250 2.1.5 Ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_exception(self, error: Exception) -> str:
        """Answer to what nobody foresaw; its words could be a message's."""
        self.receiver.failures.append(type(error).__name__)
        return _LATER


class _Speaker(SMTP):
    """One connection; speaks LMTP to who greets with LHLO."""

    line_length_limit = _LINE

    def __init__(self, receiver: Receiver, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            _Answers(receiver),
            data_size_limit=receiver.listening.message_bytes,
            hostname=HOST,
            ident=IDENT,
            timeout=receiver.listening.timeout,
            command_call_limit={"*": _COMMANDS},
            loop=loop,
        )
        self.receiver = receiver
        self.speaks_lmtp = False
        self._last: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, where there are not too many."""
        super().connection_made(transport)
        self.receiver.speakers.add(self)
        self._last = self.loop.call_later(self.receiver.listening.timeout * _WHOLE, self._cut)
        if len(self.receiver.speakers) > self.receiver.listening.connections and isinstance(
            transport, asyncio.Transport
        ):
            transport.write(b"421 4.3.2 Too many connections; come again later\r\n")
            transport.close()

    @override
    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        self.receiver.speakers.discard(self)
        if self._last is not None:
            self._last.cancel()
        super().connection_lost(error)

    @override
    def eof_received(self) -> bool:
        """End with the other side: half a connection is of no use here."""
        super().eof_received()
        return False

    def _cut(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802 - the name that aiosmtpd looks for
        """Greet, in LMTP (RFC 2033 section 4.1)."""
        self.speaks_lmtp = True
        await self.smtp_EHLO(arg)

    @override
    async def smtp_VRFY(self, arg: str) -> None:
        """Say nothing about anybody."""
        await self.push("252 2.5.0 Not told")

    @override
    async def smtp_DATA(self, arg: str) -> None:
        """Read a message, no further than is taken, and answer once it is kept."""
        envelope = self.envelope
        if await self.check_helo_needed() or envelope is None:
            return
        if not envelope.rcpt_tos or arg:
            await self.push("503 5.5.1 RCPT first, and nothing after DATA")
            return
        await self.push("354 End with a dot")
        message = await self._message()
        addresses = tuple(envelope.rcpt_tos)
        self.envelope = self._create_envelope()
        if message is None:
            answers = ["552 5.3.4 Too large, or a line of it is"] * len(addresses)
        else:
            answers = [
                await self.receiver.ask(lambda to=to: self.receiver.take(message, to), _KEPT)  # type: ignore[misc]  # the loop's own value, bound at once
                for to in addresses
            ]
        if self.speaks_lmtp:
            for answer in answers:
                await self.push(answer)
        else:
            await self.push(_worst(answers))

    async def _message(self) -> bytes | None:
        """Read up to the dot; None where it is too large. Who sends far too much is cut off."""
        limit = self.receiver.listening.message_bytes
        kept: list[bytes] = []
        size, begins, is_good = 0, True, True
        while True:
            try:
                line = await self._reader.readuntil(b"\r\n")
                ends = True
            except asyncio.LimitOverrunError as over:
                line, ends, is_good = await self._reader.read(over.consumed), False, False
            self._reset_timeout()
            if begins and ends and line == b".\r\n":
                return b"".join(kept) if is_good else None
            size += len(line)
            if size > limit:
                is_good = False
                kept.clear()
            if size > limit * _DRAINED:
                await self.push("552 5.3.4 Too large")
                self._cut()
                raise asyncio.CancelledError
            if is_good:
                kept.append(line[1:] if begins and line.startswith(b".") else line)
            begins = ends


def _worst(answers: Sequence[str]) -> str:
    return max(answers, key=lambda each: _ORDER.index(each[:3]) if each[:3] in _ORDER else len(_ORDER))


@dataclass(slots=True, eq=False)
class Receiver:
    """Takes messages in until it is closed; `would` and `take` run in threads and answer by returning or raising."""

    listening: Listening
    would: Would
    take: Take
    failures: list[str] = field(default_factory=list)
    """Types of what nobody foresaw."""
    speakers: set[_Speaker] = field(default_factory=set)
    port: int = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _pool: ThreadPoolExecutor | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; returns once it does. Raises `Refused` where the place is taken or is not ours."""
        self.listening.check()
        _silence()
        listener = self._bound()
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(self.listening.takers, thread_name_prefix="mail")
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._loop, listener, ready), daemon=True)
        self._thread.start()
        ready.wait()

    def close(self) -> None:
        """Stop; a message that is being kept is answered for before."""
        loop, thread, pool = self._loop, self._thread, self._pool
        if loop is None or thread is None or pool is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        pool.shutdown()
        if self.listening.is_unix:
            self.listening.path.unlink(missing_ok=True)
        self._loop = None

    @property
    def is_running(self) -> bool:
        """Whether it still listens."""
        return self._thread is not None and self._thread.is_alive()

    async def ask(self, do: Callable[[], object], good: str) -> str:
        """Do what waits for a database or a key service in a thread, and say in SMTP what came of it."""
        loop = asyncio.get_running_loop()
        try:
            await asyncio.shield(loop.run_in_executor(self._pool, do))
        except NotFound:
            return _NOBODY
        except Limited:
            return _FULL
        except VaultError:
            return _LATER
        except Exception as failure:  # noqa: BLE001 - whatever it is, the sender keeps the mail; its words stay out
            self.failures.append(type(failure).__name__)
            return _LATER
        return good

    def _bound(self) -> socket.socket:
        listening = self.listening
        family = socket.AF_UNIX if listening.is_unix else socket.AF_INET
        if not listening.is_unix and ":" in listening.host_port[0]:
            family = socket.AF_INET6
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if listening.is_unix:
                _make_way(listening.path)
                listener.bind(str(listening.path))
                listening.path.chmod(0o660)
            else:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(listening.host_port)
                self.port = listener.getsockname()[1]
            listener.listen(listening.connections)
        except OSError as failure:
            listener.close()
            words = f"mailbox.listen: {listening.address} cannot be listened on ({failure.strerror})."
            raise Refused("operation.failed", words) from None
        return listener

    def _run(self, loop: asyncio.AbstractEventLoop, listener: socket.socket, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        make = lambda: _Speaker(self, loop)  # noqa: E731 - a factory of one line
        serving: Any = (
            loop.create_unix_server(make, sock=listener)
            if self.listening.is_unix
            else loop.create_server(make, sock=listener)
        )
        server = loop.run_until_complete(serving)
        ready.set()
        loop.run_forever()
        loop.remove_reader(listener)
        _turn(loop)  # who was just accepted is let in, to be cut off like all others
        server.close()
        for speaker in tuple(self.speakers):
            speaker._cut()  # noqa: SLF001 - its own module
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        _turn(loop)  # what was cut off lets go of its socket in a turn of its own
        loop.close()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(_TURNS):
        loop.run_until_complete(asyncio.sleep(0))


def _make_way(path: Path) -> None:
    """Remove a socket that somebody who was killed left behind."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
        path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
    return True


def _silence() -> None:
    """Let aiosmtpd log nothing: it would log every line of every message."""
    for name in ("mail.log", "mail.debug"):
        logging.getLogger(name).disabled = True
