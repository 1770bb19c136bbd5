"""A vault that tells people: a real mail server and a real room on loopback, and a worker that is stepped by hand."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.support.places import Mailbox, mail_server
from tests.support.receivers import Hook
from vault.adapters.clock import SystemClock
from vault.adapters.feeds.webhook import Webhook
from vault.adapters.mailer import SmtpMailer
from vault.ports.store import Slice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage, Message

    from tests.support.world import Human, World
    from vault.bootstrap.compose import Vault
    from vault.domain.notice import Notice

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(slots=True)
class Post(Mailbox):
    """A mail server; `unknown` are addresses that it refuses for good, `busy` those that it refuses for now."""

    unknown: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: object, session: object, envelope: Any, address: str, options: object
    ) -> str:
        """Take or refuse one recipient."""
        del server, session, options
        if address in self.unknown:
            return "550 no such mailbox"
        if address in self.busy:
            return "450 later"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    def to(self, name: str) -> list[EmailMessage]:
        """Give the letters to one person of the world."""
        address = f"{name}@msp.example"
        return [
            letter  # type: ignore[misc] # the policy makes them so
            for letter, given in zip(self.letters, self.recipients, strict=True)
            if given == [address]
        ]


@dataclass(slots=True)
class Told:
    """A world whose vault tells people."""

    world: World
    box: Post
    hook: Hook | None = None

    @property
    def vault(self) -> Vault:
        """Give the vault."""
        return self.world.vault

    def work(self) -> None:
        """Let the worker's jobs run once: read, then send."""
        self.vault.telling.once()
        self.vault.sending.mail()
        self.vault.sending.tell()

    def inbox(self, human: Human, *, unread: bool = False) -> list[Notice]:
        """Give a person's notices, oldest first."""
        return list(reversed(self.vault.notices.inbox(human.actor, Slice(200), unread=unread).items))

    def lines(self, human: Human) -> list[str]:
        """Give the lines of a person's inbox, oldest first."""
        return [each.title for each in self.inbox(human)]


@contextmanager
def telling(world: World, *, room: bool = False, **server: Any) -> Iterator[Told]:
    """Give a world a mail server, and perhaps a room."""
    with ExitStack() as stack:
        box = Post()
        address = stack.enter_context(mail_server(box, **server))
        hook = stack.enter_context(Hook(SECRET)) if room else None
        mailer = SmtpMailer(address, "none", "vault@msp.example", timeout=2, whole=4)
        receiver = None if hook is None else Webhook(hook.url, (SECRET,), SystemClock(), timeout=2)
        vault = world.vault
        world.vault = replace(
            vault,
            telling=replace(vault.telling, by_mail=True, by_room=room),
            sending=replace(vault.sending, mailer=mailer, room=receiver),
            notices=replace(vault.notices, by_mail=True),
        )
        try:
            yield Told(world, box, hook)
        finally:
            world.vault = vault


def subject(letter: Message) -> str:
    """Give a letter's subject; where it was folded right after its name, the blank of the fold is none of it."""
    return str(letter["Subject"]).strip()


def part(letter: EmailMessage, kind: str) -> str:
    """Give the text of a letter's part of a kind: plain or html."""
    found = letter.get_body((kind,))
    assert found is not None
    return str(found.get_content())
