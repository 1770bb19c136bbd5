"""Mail to root addresses for tests: bytes as AWS and as others write them, and a vault that takes them in."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from typing import TYPE_CHECKING

from tests.support.world import World
from vault.adapters.mailbox.receiver import Listening, Receiver
from vault.services.mailbox import Bounds, Came

if TYPE_CHECKING:
    from vault.domain.mail import Mail
    from vault.ports.tickets import TicketSystem

AUTHSERV = "mx.msp.example"
ROOT = "root+111122223333@msp.example"
AWS = '"Amazon Web Services" <no-reply@signin.aws>'
CODE = "418293"
RESET = "https://signin.aws.amazon.com/resetpassword?type=RootUser&token=Zx81TokenOfTheMail&key=9"
BOUNDS = Bounds(authserv_id=AUTHSERV, domains=frozenset({"msp.example"}))


def with_mailbox(world: World, system: TicketSystem | None = None, **bounds: object) -> World:
    """Give the same vault, people and clock with a mailbox for the world's domain."""
    vault = world.vault
    made = replace(
        vault,
        mailbox=replace(vault.mailbox, bounds=replace(BOUNDS, **bounds)),  # type: ignore[arg-type]  # a test names fields
        mail_telling=replace(vault.mail_telling, system=system),
    )
    return World(made, world.clock, world.people)


def message(
    subject: str,
    text: str,
    sender: str = AWS,
    *,
    to: str = ROOT,
    said: str = "dmarc=pass header.from=signin.aws",
    headers: Mapping[str, str] | None = None,
    message_id: str = "<1@signin.aws>",
    html: str = "",
) -> bytes:
    """Write a mail as our server hands it on: with its own Received line and its results above all others."""
    mail = EmailMessage()
    mail["Received"] = f"from outside by {AUTHSERV}; Mon, 23 Nov 2026 09:00:00 +0000"
    if said:
        mail["Authentication-Results"] = f"{AUTHSERV}; {said}"
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = sender, to, subject, message_id
    for name, value in (headers or {}).items():
        mail[name] = value
    mail.set_content(text or "-")
    if html:
        mail.add_alternative(html, subtype="html")
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


def reset(**more: object) -> bytes:
    """Write AWS's answer to a forgotten password."""
    text = f"You asked for it.\r\nReset it here: {RESET}\r\nIf it was not you, tell us."
    return message("Amazon Web Services Password Assistance", text, **more)  # type: ignore[arg-type]  # as above


def code(**more: object) -> bytes:
    """Write AWS's verification code."""
    return message(f"{CODE} is your AWS verification code", f"Your verification code is {CODE}.", **more)  # type: ignore[arg-type]  # as above


def invoice(**more: object) -> bytes:
    """Write something harmless of AWS's."""
    words: dict[str, object] = {
        "sender": "AWS <no-reply-aws@amazon.com>",
        "said": "dkim=pass header.d=amazon.com; dmarc=pass header.from=amazon.com",
        "message_id": "<invoice-1@amazon.com>",
    }
    text = "Your invoice for October is available in the console.\nTotal: $1,204.10"
    return message("Amazon Web Services Invoice Available", text, **words | more)  # type: ignore[arg-type]  # as above


def came(world: World, raw: bytes, recipient: str = ROOT) -> Mail:
    """Take one in without a wire."""
    return world.vault.mailbox.receive(Came(raw, recipient))


@contextmanager
def listening(world: World, **limits: object) -> Iterator[Receiver]:
    """Listen on loopback for a world's mailbox."""
    place = replace(Listening("127.0.0.1:0"), **limits)  # type: ignore[arg-type]  # a test names fields
    box = world.vault.mailbox
    receiver = Receiver(place, box.would_take, lambda raw, to: box.receive(Came(raw, to)))
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.close()


@contextmanager
def client(receiver: Receiver) -> Iterator[smtplib.SMTP]:
    """Give a connection that has greeted."""
    with smtplib.SMTP("127.0.0.1", receiver.port, local_hostname="mx.msp.example", timeout=10) as made:
        made.ehlo()
        yield made


def wire(receiver: Receiver) -> socket.socket:
    """Give a bare connection, for what no client would send."""
    made = socket.create_connection(("127.0.0.1", receiver.port), timeout=10)
    made.recv(200)
    return made
