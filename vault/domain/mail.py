"""Mail to root addresses: what it is, what is known of where it came from, and what becomes of it (C7).

Decided here: the values, and how long a note to the ticket system is tried. Security mail is a credential: its content
is sealed, and what stands beside it says neither its subject nor a word of it. Never decided here: which mail is
security mail (`vault.domain.mail_rules`), or how hostile bytes are read (`vault.domain.mail_text`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.credential import PartKind
from vault.domain.event import stamp
from vault.domain.told import Told, told


class MailKind(StrEnum):
    """What a mail is to the vault."""

    SECURITY = "security"
    """It may be a way in, or could not be told to be none: sealed."""
    ORDINARY = "ordinary"
    """Proven to be AWS's and known to be harmless: it becomes a ticket, or a note on one."""
    UNMATCHED = "unmatched"
    """Its address is no account's and never was: sealed, and nobody's to open."""


class MailWay(StrEnum):
    """How it came in."""

    SMTP = "smtp"
    SES = "ses"


class Verdict(StrEnum):
    """What the mail server in front says of the sender's domain (RFC 8601, or SES's verdicts)."""

    PASSED = "pass"
    FAILED = "fail"
    UNSAID = "none"
    """Nobody whom the settings name said anything."""


class Emptied(StrEnum):
    """Why a mail's content is gone."""

    AGE = "age"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address, without its content.

    `account_id` is None where the address is nobody's. `rule` names what classified it, `half` the part of the
    credential that it stands for under split custody. `fingerprint` is a keyed hash that knows the same mail again;
    `source` the other side's own id, if it has one. `sha256` is the hash of the sealed `body` (hex), empty for ordinary
    mail. `size` is in bytes, as it came. `emptied_at` and `emptied_why` are set when body and wraps were removed;
    `assigned_at` and `assigned_by` (a person's id) when somebody gave mail to no account to one.
    """

    id: str
    account_id: str | None
    recipient: str
    kind: MailKind
    rule: str
    half: PartKind
    sender: str
    verdict: Verdict
    forged: bool
    way: MailWay
    source: str
    fingerprint: str
    size: int
    received_at: datetime
    sha256: str = ""
    body: bytes | None = field(default=None, repr=False)
    wraps: bytes | None = field(default=None, repr=False)
    emptied_at: datetime | None = None
    emptied_why: Emptied | None = None
    assigned_at: datetime | None = None
    assigned_by: str | None = None

    @property
    def is_sealed(self) -> bool:
        """Whether there is a sealed content that could be opened."""
        return self.body is not None

    @property
    def state(self) -> str:
        """One word for what is there: sealed, emptied, or passed on to a ticket."""
        if self.is_sealed:
            return "sealed"
        return "emptied" if self.emptied_at is not None else "passed_on"

    def emptied(self, why: Emptied, now: datetime) -> Mail:
        """Give it without its content."""
        return replace(self, body=None, wraps=None, emptied_at=now, emptied_why=why)


@told.register(Mail)
def _(thing: Mail) -> Told:
    forged = " forged" if thing.forged else ""
    return "mail", thing.id, {
        "": thing.state,
        "of": f"{thing.account_id or ''} {thing.recipient}",
        "kind": f"{thing.kind} {thing.rule} {thing.half}",
        "sender": f"{thing.sender} {thing.verdict}{forged}",
        "came": f"{thing.way} {thing.size} {thing.fingerprint}",
        "sha256": thing.sha256,
        "emptied": "" if thing.emptied_why is None else thing.emptied_why.value,
        "assigned": "" if thing.assigned_at is None else f"{thing.assigned_by} {stamp(thing.assigned_at)}",
    }  # fmt: skip


class NoteState(StrEnum):
    """How far a note to the ticket system has come."""

    WAITING = "waiting"
    TOLD = "told"
    UNTOLD = "untold"
    """The system refused it for good, or never answered in all its tries; an entry says so."""


@dataclass(frozen=True, slots=True)
class MailNote:
    """What the ticket system is told of one mail; of security mail a notice alone.

    `topic` is what one ticket is about; `text` is emptied once it was told. `tries` counts those made, `next_at` is
    when the next may be. `arrived` counts notes as they come: those of a topic are told in that order.
    """

    mail_id: str
    account_id: str
    topic: str
    subject: str
    text: str = field(repr=False)
    state: NoteState = NoteState.WAITING
    tries: int = 0
    next_at: datetime | None = None
    ticket: str = ""
    error: str = ""
    ended_at: datetime | None = None
    arrived: int = 0

    def told(self, ticket: str, now: datetime) -> MailNote:
        """Give it as told on a ticket; the words are the ticket's from now on."""
        return replace(
            self, state=NoteState.TOLD, ticket=ticket, text="", error="", next_at=None, ended_at=now
        )

    def failed(self, words: str, now: datetime, wait: timedelta | None) -> MailNote:
        """Give it after a try that came to nothing: tried again later, without end, since nothing may be lost."""
        pause = max(wait or timedelta(0), PAUSES[min(self.tries, len(PAUSES)) - 1])
        return replace(self, error=words, next_at=now + min(pause, PAUSES[-1]))

    def behind(self, first: MailNote) -> MailNote:
        """Give it as waiting for one that came before it, which is tried again at its time."""
        return replace(self, error=BEHIND, next_at=first.next_at)

    def refused(self, words: str, now: datetime) -> MailNote:
        """Give it after the system refused it for good; its words stay, for somebody to read here."""
        return replace(self, state=NoteState.UNTOLD, error=words, next_at=None, ended_at=now)


BEHIND: Final = "what came before it waits"
PAUSES: Final = (
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
"""Between tries; the last for ever after."""


@dataclass(frozen=True, slots=True)
class MailTicket:
    """The ticket that takes what comes of one topic of an account."""

    account_id: str
    topic: str
    ticket: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is never opened: the name it gives itself, its type, its size in bytes as it was sent."""

    name: str
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What was read of a mail's bytes: text alone, all of it bounded and printable.

    `text` is what is shown, `searched` every word of every part, the hidden version of two as well. `links` are
    addresses as they stand in it, in order, each once. `faults` say what was left out or could not be
    read. `results` are the lines of Authentication-Results that may be the mail server's, topmost first.
    """

    message_id: str = ""
    subject: str = field(default="", repr=False)
    sender_name: str = ""
    sender: str = ""
    date: str = ""
    text: str = field(default="", repr=False)
    searched: str = field(default="", repr=False)
    links: tuple[str, ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = ()
    faults: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    is_whole: bool = True
    """False where the bytes are no mail, or beyond a bound: then nothing of it is believed."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the server in front said of a mail, as methods and results: `dmarc`, `dkim`, `spf`."""

    verdict: Verdict = Verdict.UNSAID
    methods: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a mail is read. Sizes in bytes or characters; beyond them it is kept as text, unread."""

    header_bytes: int = 131_072
    headers: int = 400
    depth: int = 8
    parts: int = 64
    text: int = 40_000
    subject: int = 300
    links: int = 50
    link: int = 4_000
    attachments: int = 50
