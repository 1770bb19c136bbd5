"""Sealed mail is listed to whoever may see its account, and opened under a live lease of it (C7).

Decided here: the beats of an opening, which are those of a reveal. First commit: lease, factor, freeze, split custody,
ticket and the mail itself are looked at, the entry ``authorized`` is written. Then the key is unwrapped with no lock
held. Second commit: the lease is looked at again and the outcome is written. Only then the content is given. Who dies
in between leaves an opening that is closed as ``unknown``. Mail of no account is never opened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

from vault.crypto.context import mail_place
from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType, Result
from vault.domain.ids import new_id
from vault.domain.mail import Attachment, Emptied, Mail
from vault.domain.policy import Permission
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import (
    Conflict,
    Forbidden,
    KeysUnavailable,
    Limited,
    NotFound,
    Tampered,
    VaultError,
    not_found,
)
from vault.ports.mail import Opening
from vault.ports.store import Page, Receipt, RevealState
from vault.services.frozen import frozen
from vault.services.gate import Gate, refuse
from vault.services.reveals import ABANDONED_AFTER, Reveals, ended_meanwhile
from vault.services.sealing import logged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from vault.domain.actor import Actor
    from vault.domain.event import Change
    from vault.domain.mail import MailKind, MailNote
    from vault.errors import KeyCall
    from vault.ports.clock import Clock
    from vault.ports.mail import MailCounts
    from vault.ports.store import Held, Slice, Unit, Units
    from vault.services.tickets import Looked

BATCH = 100


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail without its content, what the ticket system was told of it, and who opened it when.

    `owner` is the account whose address it is by now, where the mail is no account's; `names` are those of the people.
    """

    mail: Mail
    note: MailNote | None
    openings: tuple[Opening, ...] = ()
    owner: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class OpenedMail:
    """A mail on its way out, with the receipt of its entry; `links` in the order in which they stand in it.

    None of a forged mail's links is given: its words hold what it wrote, as words.
    """

    mail: Mail
    subject: Secret[str]
    sender_name: str
    text: Secret[str]
    links: tuple[Secret[str], ...]
    attachments: tuple[Attachment, ...]
    faults: tuple[str, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Authorized:
    actor: Actor
    held: Held
    opening: Opening
    mail: Mail
    vault_id: str


@dataclass(frozen=True, slots=True)
class Mails:
    """Use cases on mail that was taken in."""

    units: Units
    gate: Gate
    reveals: Reveals
    clock: Clock
    keep: timedelta

    def of_account(self, actor: Actor, account_id: str, part: Slice) -> Page[MailView]:
        """List an account's, newest first, without contents."""
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        with self.units.read() as unit:
            self.gate.account(unit, actor, account_id, self.clock.now())
            return _with_notes(unit, unit.mail.page(reach, part, account_id))

    def page(self, actor: Actor, part: Slice, kind: MailKind | None = None) -> Page[MailView]:
        """List that of every account in sight, newest first, without contents."""
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        with self.units.read() as unit:
            return _with_notes(unit, unit.mail.page(reach, part, kind=kind))

    def unmatched(self, actor: Actor, part: Slice) -> Page[MailView]:
        """List what came to addresses of no account, to custodians of the whole vault."""
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.ACCOUNT_REGISTER, now)
        if not self.gate.policy.reach(actor, Permission.ACCOUNT_REGISTER).everything:
            # whose it is is not known, so it is not known either that it is theirs
            return Page((), None)
        with self.units.read() as unit:
            return _with_notes(unit, unit.mail.unmatched(part))

    def get(self, actor: Actor, mail_id: str) -> MailView:
        """Read what is known of one mail, without its content."""
        with self.units.read() as unit:
            mail = unit.mail.get(mail_id)
            if mail is None or not self._sees(unit, actor, mail):
                raise not_found("mail", mail_id[:40])
            listed = replace(mail, body=mail.body and b"\x00", wraps=mail.wraps and b"\x00")
            openings = unit.mail.openings(mail.id)
            owner = None if mail.account_id is not None else unit.mail.account_of(mail.recipient)
            ids = {each.person_id for each in openings} | {mail.assigned_by or ""}
            people = (unit.people.get(each) for each in sorted(ids - {""}))
            names = {each.id: each.name for each in people if each is not None}
            return MailView(listed, unit.mail.note_of(mail.id), openings, owner, names)

    def counts(self) -> MailCounts:
        """Count for metrics and checks."""
        with self.units.read() as unit:
            return unit.mail.counts(self.clock.now())

    def open(self, actor: Actor, checkout_id: str, mail_id: str) -> OpenedMail:
        """Open a sealed mail of the account that one holds."""
        authorized = self._authorize(actor, checkout_id, mail_id)
        plaintext, receipt = self._disclose(authorized)
        return _parted(authorized.mail, plaintext, receipt)

    def close_abandoned(self, limit: int = BATCH) -> int:
        """Close authorised openings that never got an outcome: the mail counts as read."""
        now = self.clock.now()
        with self.units.read() as unit:
            if not unit.mail.unfinished(now - ABANDONED_AFTER, 1):
                return 0
        with self.units.write() as unit:
            found = unit.mail.unfinished(now - ABANDONED_AFTER, limit)
            for opening in found:
                if unit.mail.end_opening(opening.id, RevealState.UNKNOWN, now):
                    event = _event(EventType.MAIL_UNKNOWN, system_actor("worker"), opening, Result.UNKNOWN)
                    unit.log.record(replace(event, changes=_ended(opening, RevealState.UNKNOWN)), now)
            unit.commit()
        return len(found)

    def empty_old(self, limit: int = BATCH) -> int:
        """Remove the contents of mail older than it is kept; give how many."""
        now = self.clock.now()
        with self.units.read() as unit:
            if not unit.mail.old(now - self.keep, 1):
                return 0
        with self.units.write() as unit:
            old = unit.mail.old(now - self.keep, limit)
            for mail in old:
                emptied = unit.mail.empty(mail, Emptied.AGE, now)
                if emptied is not None:
                    event = Event(
                        EventType.MAIL_EMPTIED,
                        system_actor("worker"),
                        account_id=mail.account_id,
                        changes=changes(mail, emptied),
                        detail={"mail": mail.id},
                    )
                    unit.log.record(event, now)
            unit.commit()
        return len(old)

    def _sees(self, unit: Unit, actor: Actor, mail: Mail) -> bool:
        if mail.account_id is None:
            return self.gate.policy.reach(actor, Permission.ACCOUNT_REGISTER).everything
        account = unit.accounts.get(mail.account_id)
        return account is not None and self.gate.sees(actor, account)

    def _authorize(self, actor: Actor, checkout_id: str, mail_id: str) -> _Authorized:
        looked = self.reveals.tickets.look_again(self.units, actor, checkout_id)
        now = self.clock.now()
        with self.units.write() as unit:
            held = self.reveals.checkouts.user(unit, actor, checkout_id, now)
            refused = Event(
                EventType.MAIL_REFUSED,
                actor,
                account_id=held.account.id,
                checkout_id=held.checkout.id,
                detail={"mail": mail_id[:40]},
            )
            actor, mail = self._may_open(unit, actor, held, mail_id, looked, refused, now)
            opening = Opening(
                new_id(), mail.id, held.checkout.id, held.account.id, actor.id, RevealState.AUTHORIZED, now
            )
            unit.mail.add_opening(opening)
            event = _event(EventType.MAIL_AUTHORIZED, actor, opening)
            event = replace(event, changes=changes(None, opening), subject="disclosure")
            unit.log.record(replace(event, detail={**event.detail, "sha256": mail.sha256}), now)
            authorized = _Authorized(actor, held, opening, mail, unit.vault_id)
            unit.commit()
        return authorized

    def _may_open(
        self,
        unit: Unit,
        actor: Actor,
        held: Held,
        mail_id: str,
        looked: Looked | None,
        refused: Event,
        now: datetime,
    ) -> tuple[Actor, Mail]:
        mail = unit.mail.get(mail_id)
        if mail is None or mail.account_id != held.account.id:
            refuse(unit, refused, NotFound("not_found", "There is no such mail of this account."), now)
        if mail.assigned_by == actor.id:
            words = "You gave this mail to the account, so somebody else opens it."
            refuse(unit, refused, Forbidden("policy.second_person", words, rule="C7"), now)
        actor = self.reveals.may_see(unit, actor, held, mail.half, looked, refused, now)
        if not mail.is_sealed:
            words = f"The content of this mail is not sealed here: it is {mail.state.replace('_', ' ')}."
            refuse(unit, refused, Conflict("mail.gone", words, state=mail.state), now)
        most = self.gate.policy.limits.codes_per_checkout
        if unit.mail.opened_under(held.checkout.id) >= most:
            words = "This checkout has used up its openings of mail. Check in and ask again."
            refuse(unit, refused, Limited("reveal.quota", words), now)
        return actor, mail

    def _disclose(self, authorized: _Authorized) -> tuple[Secret[str], Receipt]:
        actor, mail, opening = authorized.actor, authorized.mail, authorized.opening
        place = mail_place(authorized.vault_id, mail.account_id, mail.id)
        try:
            opened = self.reveals.sealer.open_in(place, mail.body or b"", mail.wraps or b"")
        except (KeysUnavailable, Tampered) as error:
            now = self.clock.now()
            with self.units.write() as unit:
                self._failed(unit, authorized, error, error.calls, now)
        now = self.clock.now()
        with self.units.write() as unit:
            session = actor.origin.session
            found = unit.checkouts.hold(opening.checkout_id, actor.id, session, to_release=True)
            ended = ended_meanwhile(authorized.held, found, now)
            if ended is not None:
                self._failed(unit, authorized, ended, opened.calls, now)
            if not unit.mail.release(opening.id, now):
                stop = None if found is None else unit.freezes.over(found.account, opening.person_id)
                words = "This opening was closed as unknown; ask again."
                why = Conflict("checkout.state", words) if stop is None else frozen(stop)
                self._failed(unit, authorized, why, opened.calls, now)
            event = _event(EventType.MAIL_OPENED, actor, opening, calls=opened.calls)
            event = replace(event, changes=_ended(opening, RevealState.RELEASED))
            if opened.tampered:
                event = replace(event, detail={**event.detail, "tampered_wraps": ", ".join(opened.tampered)})
            receipt = unit.log.record(event, now)
            unit.commit()
        return opened.plaintext, receipt

    def _failed(
        self,
        unit: Unit,
        authorized: _Authorized,
        error: VaultError,
        calls: tuple[KeyCall, ...],
        now: datetime,
    ) -> NoReturn:
        ended = unit.mail.end_opening(authorized.opening.id, RevealState.FAILED, now)
        event = _event(
            EventType.MAIL_FAILED, authorized.actor, authorized.opening, Result.FAILED, calls=calls
        )
        # one that was closed as unknown meanwhile stays so
        changed = _ended(authorized.opening, RevealState.FAILED) if ended else ()
        refuse(unit, replace(event, changes=changed), error, now)


def _ended(opening: Opening, state: RevealState) -> tuple[Change, ...]:
    return changes(opening, replace(opening, state=state))


def _event(
    told: EventType,
    actor: Actor,
    opening: Opening,
    result: Result = Result.SUCCESS,
    calls: tuple[KeyCall, ...] = (),
) -> Event:
    return Event(
        told,
        actor,
        result,
        account_id=opening.account_id,
        checkout_id=opening.checkout_id,
        rule="C7",
        kms=logged("mail", calls),
        detail={"mail": opening.mail_id, "opening": opening.id},
    )


def _with_notes(unit: Unit, page: Page[Mail]) -> Page[MailView]:
    notes = unit.mail.notes_of(tuple(each.id for each in page.items))
    return Page(tuple(MailView(each, notes.get(each.id)) for each in page.items), page.next)


def _parted(mail: Mail, plaintext: Secret[str], receipt: Receipt) -> OpenedMail:
    """Part what was sealed into what is shown; it is our own writing, of a mail that anybody may have written."""
    content = json.loads(plaintext.expose())
    links = () if mail.forged else content["links"]
    return OpenedMail(
        mail,
        subject=Secret(content["subject"]),
        sender_name=content["from_name"],
        text=Secret(content["text"]),
        links=tuple(Secret(each) for each in links),
        attachments=tuple(Attachment(*each) for each in content["attachments"]),
        faults=tuple(content["faults"]),
        receipt=receipt,
    )
