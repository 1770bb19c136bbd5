"""What came of mail is told to the ticket system: a ticket for each topic of an account, and notes on it after that.

Decided here: a note waits in the database until the system took it, however long that is away; it is claimed for a time
in one transaction, sent with none open, and what came of it is written in another, under the mail's id as key, so that
who was killed in between sends the same again. Mails of a topic are told in the order in which they came: while one is
tried again, those behind it wait, unless it failed so often that it may be its own fault. A ticket that takes no more
notes, or is old, gives way to a new one. What is refused for good is an entry, and its words stay here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType, Result
from vault.domain.mail import PAUSES, MailNote, MailTicket, NoteState

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.clock import Clock
    from vault.ports.feeds import Delivery
    from vault.ports.store import Units
    from vault.ports.tickets import TicketSystem

_BATCH: Final = 10
_BATCHES: Final = 20
_TURN: Final = timedelta(seconds=300)
"""Longer than a batch takes, each of its notes with two questions of ten seconds: nobody else sends it meanwhile."""
TICKET_LASTS: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class MailTelling:
    """The worker's use case on notes that wait; `system` None where the settings name none that makes tickets."""

    units: Units
    clock: Clock
    base: str
    """The vault's public address, for links."""
    system: TicketSystem | None = None

    @property
    def is_set(self) -> bool:
        """Whether tickets can be made."""
        return self.system is not None and self.system.makes_tickets

    def once(self) -> int:
        """Tell what is due, some batches at most; give how many notes the system took."""
        system = self.system
        if system is None or not system.makes_tickets:
            return 0
        told = 0
        for _ in range(_BATCHES):
            claimed = self._claim()
            took = self._tell_all(system, claimed)
            told += took
            if len(claimed) < _BATCH or took < len(claimed):
                break
        return told

    def _tell_all(self, system: TicketSystem, claimed: tuple[MailNote, ...]) -> int:
        """Send notes in their order; give how many were taken. Those behind one that was not are put back."""
        failed: dict[tuple[str, str], MailNote] = {}
        took = 0
        for note in claimed:
            first = failed.get((note.account_id, note.topic))
            after = self._tell(system, note) if first is None else self._put_back(note, first)
            if after.state is not NoteState.WAITING:
                took += 1
            elif after.tries <= len(PAUSES):
                failed.setdefault((note.account_id, note.topic), after)
        return took

    def _put_back(self, note: MailNote, first: MailNote) -> MailNote:
        after = note.behind(first)
        with self.units.write() as unit:
            unit.mail.settle_note(note, after)
            unit.commit()
        return after

    def _claim(self) -> tuple[MailNote, ...]:
        now = self.clock.now()
        with self.units.read() as unit:
            if unit.mail.counts(now).oldest_waiting is None:
                return ()
        with self.units.write() as unit:
            claimed = unit.mail.claim_notes(now, now + _TURN, _BATCH)
            unit.commit()
        return claimed

    def _tell(self, system: TicketSystem, note: MailNote) -> MailNote:
        """Send one note, and write what came of it; what still waits has to be tried again."""
        words = f"{note.text}\n\n{self.base.rstrip('/')}/accounts/{note.account_id}/mail"
        with self.units.read() as unit:
            known = unit.mail.ticket(note.account_id, note.topic)
        is_young = known is not None and self.clock.now() - known.made_at < TICKET_LASTS
        if known is not None and is_young and system.takes_notes:
            came = system.note(known.ticket, words, note.mail_id)
            if came.error is None or not came.gone:
                return self._settle(note, came, known.ticket)
        number, came = system.create(note.subject, words, note.mail_id)
        return self._settle(note, came, number, is_new=True)

    def _settle(self, note: MailNote, came: Delivery, ticket: str, *, is_new: bool = False) -> MailNote:
        now = self.clock.now()
        if came.error is None:
            after = note.told(ticket, now)
        elif came.gone:
            after = note.refused(came.error, now)
        else:
            after = note.failed(came.error, now, came.wait)
        with self.units.write() as unit:
            if unit.mail.settle_note(note, after):
                if after.state is NoteState.TOLD and is_new and ticket:
                    unit.mail.put_ticket(MailTicket(note.account_id, note.topic, ticket, now))
                if after.state is NoteState.UNTOLD:
                    unit.log.record(_untold(note, after.error), now)
            unit.commit()
        return after


def _untold(note: MailNote, error: str) -> Event:
    return Event(
        EventType.MAIL_UNTOLD,
        system_actor("tickets"),
        Result.FAILED,
        account_id=note.account_id,
        rule="C7",
        detail={"mail": note.mail_id, "error": error},
    )


def due_since(oldest: datetime | None, now: datetime) -> int:
    """Give for how many seconds the oldest note waits beyond its time; 0 where none does."""
    return 0 if oldest is None else max(0, int((now - oldest).total_seconds()))
