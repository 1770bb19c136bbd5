"""Mail to root addresses: what is kept of it, its openings, and what the ticket system is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, case, exists, func, insert, literal, null, select, tuple_, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.mail import mail, mail_note, mail_opening, mail_ticket
from vault.adapters.db.paging import decode_dated, encode_dated, limited, page
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.stores.freezes import stopped
from vault.adapters.db.types import Blob
from vault.domain.actor import Reach
from vault.domain.mail import PAUSES, Emptied, Mail, MailKind, MailNote, MailTicket, MailWay, NoteState
from vault.errors import Conflict
from vault.ports.mail import Kept, MailCounts, Opening
from vault.ports.records import Page, RevealState, Slice

_c = mail.c
_note = mail_note.c
_opening = mail_opening.c
_ticket = mail_ticket.c
_account = tables.account.c
_email = tables.root_email.c
_ONE: Final = select(*mapping.mail.columns)
_THERE: Final = case((_c.body.is_not(None), literal(b"\x00", Blob)), else_=null())
"""Stands in lists for a content, which they do not carry."""
_LISTED: Final = select(
    *(_THERE if column.name in {"body", "wraps"} else column for column in mapping.mail.columns)
)
_NOTE: Final = select(*mapping.mail_note.columns)
_OPENING: Final = select(*mapping.mail_opening.columns)
_END: Final = (
    update(mail_opening)
    .where(_opening.id == bindparam("at"), _opening.state == RevealState.AUTHORIZED)
    .values(state=bindparam("outcome"), ended_at=bindparam("ended"))
)
_RELEASE: Final = _END.where(~stopped(_opening.account_id, _opening.person_id))
_SETTLED: Final = ("state", "text", "next_at", "ticket", "error", "ended_at")
_ASSIGNED: Final = (
    "account_id",
    "kind",
    "rule",
    "half",
    "sha256",
    "body",
    "wraps",
    "assigned_at",
    "assigned_by",
)
"""What changes when mail to no account is given to one."""
_MANY: Final = 100_000


@dataclass(frozen=True, slots=True)
class Mails:
    """Implements `MailStore`."""

    db: Statements

    def account_of(self, address: str) -> str | None:
        """Give the account whose root e-mail a folded address is, or ever was."""
        row = self.db.one(select(_email.account_id).where(_email.folded == address))
        return None if row is None else str(row[0])

    def known(self, fingerprint: str) -> Mail | None:
        """Find the mail that came before with the same fingerprint."""
        return _mail(self.db.one(_LISTED.where(_c.fingerprint == fingerprint)))

    def of_source(self, way: MailWay, source: str) -> tuple[Mail, ...]:
        """List what came of one message, by the other side's id."""
        rows = self.db.all(_LISTED.where(_c.way == way, _c.source == source).order_by(_c.id))
        return tuple(mapping.mail.value(row) for row in rows)

    def kept(self, recipient: str, since: datetime) -> Kept:
        """Count what is kept, of one folded address too, and what came since a time."""
        sealed = select(func.count()).select_from(mail).where(_c.body.is_not(None))
        waiting = select(func.count()).select_from(mail_note).where(_note.state == NoteState.WAITING)
        own = sealed.where(_c.recipient == recipient)
        lately = select(func.count()).select_from(mail).where(_c.received_at > since)
        row = self.db.one(
            select(
                sealed.scalar_subquery() + waiting.scalar_subquery(),
                own.scalar_subquery(),
                lately.scalar_subquery(),
            )
        )
        return Kept(0, 0, 0) if row is None else Kept(int(row[0]), int(row[1]), int(row[2]))

    def last_at(self) -> datetime | None:
        """Give when the last mail came; None before the first."""
        row = self.db.one(select(_c.received_at).order_by(_c.received_at.desc(), _c.id.desc()).limit(1))
        return None if row is None else row[0]

    def add(self, found: Mail) -> None:
        """Keep a new one; `Conflict` mail.known where its fingerprint is there."""
        self.db.change(insert(mail), mapping.mail.row(found))

    def get(self, mail_id: str) -> Mail | None:
        """Find by id."""
        return _mail(self.db.one(_ONE.where(_c.id == mail_id)))

    def page(
        self, reach: Reach, part: Slice, account_id: str | None = None, kind: MailKind | None = None
    ) -> Page[Mail]:
        """List accounts' within reach, newest first, without contents: of one, or of one kind."""
        chosen = _LISTED.join(tables.account, _account.id == _c.account_id)
        chosen = within(chosen, reach, _account.customer_id, _account.id)
        if account_id is not None:
            chosen = chosen.where(_c.account_id == account_id)
        if kind is not None:
            chosen = chosen.where(_c.kind == kind)
        return self._page(chosen, part)

    def unmatched(self, part: Slice) -> Page[Mail]:
        """List those of no account, newest first, without contents."""
        return self._page(_LISTED.where(_c.account_id.is_(None)), part)

    def old(self, before: datetime, limit: int) -> tuple[Mail, ...]:
        """List those received before a time that still have a sealed content, oldest first."""
        chosen = _LISTED.where(_c.body.is_not(None), _c.received_at < before)
        rows = self.db.all(chosen.order_by(_c.received_at, _c.id).limit(limit))
        return tuple(mapping.mail.value(row) for row in rows)

    def sealed_of(self, account_id: str) -> tuple[Mail, ...]:
        """List an account's that have a sealed content, oldest first."""
        chosen = _LISTED.where(_c.account_id == account_id, _c.body.is_not(None))
        rows = self.db.all(chosen.order_by(_c.received_at, _c.id).limit(_MANY))
        return tuple(mapping.mail.value(row) for row in rows)

    def sealed_piece(self, after: str, most: int) -> tuple[Mail, ...]:
        """List those that have a sealed content, with it, next to the id `after` (empty: from the first), by id."""
        chosen = _ONE.where(_c.body.is_not(None), _c.id > after).order_by(_c.id).limit(most)
        return tuple(mapping.mail.value(row) for row in self.db.all(chosen))

    def sealed_count(self) -> int:
        """Count those that have a sealed content."""
        return int(self.db.all(select(func.count()).select_from(mail).where(_c.body.is_not(None)))[0][0])

    def rewrap(self, found: Mail, wraps: bytes) -> bool:
        """Put other wraps in place of exactly those that `found` has; False where it has others by now, or none."""
        there = update(mail).where(_c.id == found.id, _c.wraps == found.wraps)
        return self.db.change(there.values(wraps=wraps)) == 1

    def lock(self, mail_id: str) -> Mail | None:
        """Find by id and hold the row."""
        return _mail(self.db.one(_ONE.where(_c.id == mail_id).with_for_update()))

    def assign(self, found: Mail) -> None:
        """Write mail to no account as the account's that it names; `Conflict` concurrent.change where it is one's."""
        row = mapping.mail.row(found)
        there = update(mail).where(_c.id == found.id, _c.account_id.is_(None), _c.body.is_not(None))
        if self.db.change(there.values({name: row[name] for name in _ASSIGNED})) != 1:
            raise Conflict(
                "concurrent.change", "Somebody assigned this mail, or its content was removed meanwhile."
            )

    def empty(self, found: Mail, why: Emptied, now: datetime) -> Mail | None:
        """Remove body and wraps; give it as it is then, None where they were gone."""
        emptied = found.emptied(why, now)
        values = {"body": null(), "wraps": null(), "emptied_at": now, "emptied_why": why}
        there = update(mail).where(_c.id == found.id, _c.body.is_not(None)).values(values)
        return emptied if self.db.change(there) == 1 else None

    def destroy(self, account_id: str, now: datetime) -> tuple[tuple[Mail, Mail], ...]:
        """Remove body and wraps of all of an account's sealed mail, and the words of notes that wait.

        Gives each mail as it was and as it is then, for `changes` in the caller's entry.
        """
        done = []
        for each in self.sealed_of(account_id):
            emptied = self.empty(each, Emptied.DESTROYED, now)
            if emptied is not None:
                done.append((each, emptied))
        words = update(mail_note).where(_note.account_id == account_id, _note.text != "")
        self.db.change(words.values(text=""))
        return tuple(done)

    def add_opening(self, opening: Opening) -> None:
        """Keep an authorised opening."""
        self.db.change(insert(mail_opening), mapping.mail_opening.row(opening))

    def end_opening(self, opening_id: str, state: RevealState, at: datetime) -> bool:
        """Write the outcome; False where one was written before."""
        return self.db.change(_END, {"at": opening_id, "outcome": state, "ended": at}) == 1

    def release(self, opening_id: str, at: datetime) -> bool:
        """Write that it was released, unless it has an outcome or is frozen; False where nothing was written."""
        return self.db.change(_RELEASE, {"at": opening_id, "outcome": RevealState.RELEASED, "ended": at}) == 1

    def unfinished(self, before: datetime, limit: int) -> tuple[Opening, ...]:
        """List openings authorised before a time and without outcome."""
        chosen = _OPENING.where(_opening.state == RevealState.AUTHORIZED, _opening.authorized_at < before)
        rows = self.db.all(chosen.order_by(_opening.authorized_at, _opening.id).limit(limit))
        return tuple(mapping.mail_opening.value(row) for row in rows)

    def openings(self, mail_id: str) -> tuple[Opening, ...]:
        """List a mail's openings, oldest first."""
        chosen = _OPENING.where(_opening.mail_id == mail_id)
        rows = self.db.all(chosen.order_by(_opening.authorized_at, _opening.id))
        return tuple(mapping.mail_opening.value(row) for row in rows)

    def opened_under(self, checkout_id: str) -> int:
        """Count the openings authorised under a checkout."""
        counted = select(func.count()).select_from(mail_opening).where(_opening.checkout_id == checkout_id)
        row = self.db.one(counted)
        return 0 if row is None else int(row[0])

    def add_note(self, note: MailNote) -> None:
        """Keep what the ticket system is to be told of a mail, as the last that came."""
        last = select(func.coalesce(func.max(_note.arrived), 0) + 1).scalar_subquery()
        self.db.change(insert(mail_note).values(mapping.mail_note.row(note) | {"arrived": last}))

    def note_of(self, mail_id: str) -> MailNote | None:
        """Find a mail's note."""
        row = self.db.one(_NOTE.where(_note.mail_id == mail_id))
        return None if row is None else mapping.mail_note.value(row)

    def notes_of(self, mail_ids: tuple[str, ...]) -> Mapping[str, MailNote]:
        """Find the notes of several mails."""
        rows = self.db.all(_NOTE.where(_note.mail_id.in_(mail_ids))) if mail_ids else ()
        return {each.mail_id: each for each in map(mapping.mail_note.value, rows)}

    def claim_notes(self, now: datetime, until: datetime, limit: int) -> tuple[MailNote, ...]:
        """Take notes that are due, in the order in which they came; nobody else takes them before `until`.

        What came after one of the same account and topic that is not due waits with it, while that is still young.
        """
        first = mail_note.alias("first")
        held_up = exists().where(
            first.c.account_id == _note.account_id,
            first.c.topic == _note.topic,
            first.c.state == NoteState.WAITING,
            first.c.arrived < _note.arrived,
            first.c.next_at > now,
            first.c.tries <= len(PAUSES),
        )
        due = (
            select(_note.mail_id)
            .where(_note.state == NoteState.WAITING, _note.next_at <= now, ~held_up)
            .order_by(_note.arrived, _note.mail_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        names = [row[0] for row in self.db.all(due)]
        if not names:
            return ()
        taken = update(mail_note).where(_note.mail_id.in_(names)).values(tries=_note.tries + 1, next_at=until)
        rows = self.db.all(taken.returning(*mapping.mail_note.columns))
        found = {each.mail_id: each for each in map(mapping.mail_note.value, rows)}
        return tuple(found[name] for name in names)

    def settle_note(self, was: MailNote, note: MailNote) -> bool:
        """Write what came of a try; False where another began meanwhile."""
        values: dict[str, Any] = {name: getattr(note, name) for name in _SETTLED}
        mine = (_note.mail_id == was.mail_id, _note.state == NoteState.WAITING, _note.tries == was.tries)
        return self.db.change(update(mail_note).where(*mine).values(values)) == 1

    def ticket(self, account_id: str, topic: str) -> MailTicket | None:
        """Find the ticket of a topic."""
        row = self.db.one(
            select(*mapping.mail_ticket.columns).where(
                _ticket.account_id == account_id, _ticket.topic == topic
            )
        )
        return None if row is None else mapping.mail_ticket.value(row)

    def put_ticket(self, ticket: MailTicket) -> None:
        """Write which ticket takes a topic from now on."""
        row = mapping.mail_ticket.row(ticket)
        added = self.db.insert(mail_ticket).values(row)
        later = {"ticket": ticket.ticket, "made_at": ticket.made_at}
        self.db.change(added.on_conflict_do_update(index_elements=["account_id", "topic"], set_=later))

    def counts(self, now: datetime) -> MailCounts:
        """Count for metrics and checks."""
        sealed = select(_c.kind, func.count()).where(_c.body.is_not(None)).group_by(_c.kind)
        notes = (
            select(_note.state, func.count(), func.min(_note.next_at))
            .where(_note.state != NoteState.TOLD)
            .group_by(_note.state)
        )
        found = {row[0]: row for row in self.db.all(notes)}
        waiting, untold = (found.get(state) for state in (NoteState.WAITING, NoteState.UNTOLD))
        oldest = None if waiting is None else waiting[2]
        return MailCounts(
            sealed={row[0]: int(row[1]) for row in self.db.all(sealed)},
            waiting=0 if waiting is None else int(waiting[1]),
            untold=0 if untold is None else int(untold[1]),
            oldest_waiting=oldest if oldest is not None and oldest <= now else None,
        )

    def _page(self, chosen: Select[Any], part: Slice) -> Page[Mail]:
        after = decode_dated(part.cursor)
        if after is not None:
            chosen = chosen.where(tuple_(_c.received_at, _c.id) < after)
        chosen = chosen.order_by(_c.received_at.desc(), _c.id.desc()).limit(limited(part.limit))
        found = [mapping.mail.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda each: encode_dated(each.received_at, each.id))


def _mail(row: AnyRow | None) -> Mail | None:
    return None if row is None else mapping.mail.value(row)
