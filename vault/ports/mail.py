"""The store of mail to root addresses, and the places where mail comes in.

As in `vault.ports.store`, every method of a store works inside the unit's transaction; a queue is asked in none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.actor import Reach
from vault.domain.mail import Emptied, Mail, MailKind, MailNote, MailTicket, MailWay
from vault.domain.told import Told, told
from vault.ports.records import Page, RevealState, Slice


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of a sealed mail, from authorisation to outcome; its states are those of disclosures."""

    id: str
    mail_id: str
    checkout_id: str
    account_id: str
    person_id: str
    state: RevealState
    authorized_at: datetime
    ended_at: datetime | None = None


@told.register(Opening)
def _(thing: Opening) -> Told:
    of = f"{thing.mail_id} {thing.account_id} {thing.checkout_id} {thing.person_id}"
    return "mail_opening", thing.id, {"": thing.state.value, "of": of}


@dataclass(frozen=True, slots=True)
class Kept:
    """How much is kept: mails with content, of which those of one address; and how many came lately."""

    contents: int
    of_address: int
    lately: int


@dataclass(frozen=True, slots=True)
class MailCounts:
    """What metrics and checks tell: sealed by kind, notes by state, when the oldest that waits came due."""

    sealed: Mapping[MailKind, int]
    waiting: int
    untold: int
    oldest_waiting: datetime | None


class MailStore(Protocol):
    """Mail, the notes that come of it, and its openings."""

    def account_of(self, address: str) -> str | None:
        """Give the account whose root e-mail a folded address is, or ever was."""
        ...

    def known(self, fingerprint: str) -> Mail | None:
        """Find the mail that came before with the same fingerprint."""
        ...

    def of_source(self, way: MailWay, source: str) -> tuple[Mail, ...]:
        """List what came of one message, by the other side's id."""
        ...

    def kept(self, recipient: str, since: datetime) -> Kept:
        """Count what is kept, of one folded address too, and what came since a time."""
        ...

    def last_at(self) -> datetime | None:
        """Give when the last mail came; None before the first."""
        ...

    def add(self, mail: Mail) -> None:
        """Keep a new one; `Conflict` mail.known where its fingerprint is there."""
        ...

    def get(self, mail_id: str) -> Mail | None:
        """Find by id."""
        ...

    def page(
        self, reach: Reach, part: Slice, account_id: str | None = None, kind: MailKind | None = None
    ) -> Page[Mail]:
        """List accounts' within reach, newest first, without contents: of one, or of one kind."""
        ...

    def unmatched(self, part: Slice) -> Page[Mail]:
        """List those of no account, newest first, without contents."""
        ...

    def old(self, before: datetime, limit: int) -> tuple[Mail, ...]:
        """List those received before a time that still have a sealed content, oldest first."""
        ...

    def sealed_of(self, account_id: str) -> tuple[Mail, ...]:
        """List an account's that have a sealed content, oldest first."""
        ...

    def sealed_piece(self, after: str, most: int) -> tuple[Mail, ...]:
        """List those that have a sealed content, with it, next to the id `after` (empty: from the first), by id."""
        ...

    def sealed_count(self) -> int:
        """Count those that have a sealed content."""
        ...

    def rewrap(self, mail: Mail, wraps: bytes) -> bool:
        """Put other wraps in place of exactly those that `mail` has; False where it has others by now, or none."""
        ...

    def lock(self, mail_id: str) -> Mail | None:
        """Find by id and hold the row."""
        ...

    def assign(self, mail: Mail) -> None:
        """Write mail to no account as the account's that it names; `Conflict` concurrent.change where it is one's."""
        ...

    def empty(self, mail: Mail, why: Emptied, now: datetime) -> Mail | None:
        """Remove body and wraps; give it as it is then, None where they were gone."""
        ...

    def destroy(self, account_id: str, now: datetime) -> tuple[tuple[Mail, Mail], ...]:
        """Remove body and wraps of all of an account's sealed mail, and the words of notes that wait.

        Gives each mail as it was and as it is then, for `changes` in the caller's entry.
        """
        ...

    def add_opening(self, opening: Opening) -> None:
        """Keep an authorised opening."""
        ...

    def end_opening(self, opening_id: str, state: RevealState, at: datetime) -> bool:
        """Write the outcome; False where one was written before."""
        ...

    def release(self, opening_id: str, at: datetime) -> bool:
        """Write that it was released, unless it has an outcome or is frozen; False where nothing was written."""
        ...

    def unfinished(self, before: datetime, limit: int) -> tuple[Opening, ...]:
        """List openings authorised before a time and without outcome."""
        ...

    def openings(self, mail_id: str) -> tuple[Opening, ...]:
        """List a mail's openings, oldest first."""
        ...

    def opened_under(self, checkout_id: str) -> int:
        """Count the openings authorised under a checkout."""
        ...

    def add_note(self, note: MailNote) -> None:
        """Keep what the ticket system is to be told of a mail, as the last that came."""
        ...

    def note_of(self, mail_id: str) -> MailNote | None:
        """Find a mail's note."""
        ...

    def notes_of(self, mail_ids: tuple[str, ...]) -> Mapping[str, MailNote]:
        """Find the notes of several mails."""
        ...

    def claim_notes(self, now: datetime, until: datetime, limit: int) -> tuple[MailNote, ...]:
        """Take notes that are due, in the order in which they came; nobody else takes them before `until`.

        What came after one of the same account and topic that is not due waits with it, while that is still young.
        """
        ...

    def settle_note(self, was: MailNote, note: MailNote) -> bool:
        """Write what came of a try; False where another began meanwhile."""
        ...

    def ticket(self, account_id: str, topic: str) -> MailTicket | None:
        """Find the ticket of a topic."""
        ...

    def put_ticket(self, ticket: MailTicket) -> None:
        """Write which ticket takes a topic from now on."""
        ...

    def counts(self, now: datetime) -> MailCounts:
        """Count for metrics and checks."""
        ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message that a queue has: raw bytes, to whom, what the server in front said, its own id.

    `said` is the receipt of SES as it stands in the notification. `raw` is None where the object is not there any more.
    """

    handle: str
    source: str
    recipients: tuple[str, ...]
    said: Mapping[str, object]
    raw: bytes | None
    place: str


class MailQueue(Protocol):
    """A queue of notifications that each name a message in a bucket (SES)."""

    def take(self, seconds: int) -> tuple[Delivered, ...]:
        """Wait at most so long for messages; raise `Unavailable` mailbox.unavailable.

        What cannot be read as a notification of ours is left in the queue, for its dead-letter queue.
        """
        ...

    def done(self, delivered: Delivered) -> None:
        """Delete the object, then the message; raise `Unavailable` mailbox.unavailable."""
        ...

    def bad(self) -> int:
        """Give how many notifications could not be read since the start."""
        ...
