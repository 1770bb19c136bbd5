"""The root mailbox: a mail comes in, is read within bounds, classified, sealed or made a note for a ticket, and kept.

Decided here: the order. Nothing is answered before the commit, so a mail that was answered for is kept; whatever fails
before is the sender's to send again, and the same mail again is the one that is there. Sealing asks the key service
before the transaction. What may be a way in is sealed whole: beside it stand neither its subject nor a word of it, and
the ticket gets a notice alone (C7). What is not proven to be harmless counts as such.
Never decided here: who opens it (`mail_opening`), how tickets are told (`mail_telling`), or what SMTP says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.crypto.context import mail_place
from vault.crypto.envelope import encode_wraps
from vault.domain.actor import Reach, system_actor
from vault.domain.checkout import CheckoutState, state_at
from vault.domain.event import Event, EventType, Result
from vault.domain.ids import fold_email, is_email, new_id
from vault.domain.mail import Letter, Mail, MailKind, MailNote, MailWay, Said, Verdict
from vault.domain.mail_rules import Classed, classify, is_aws_domain, is_way_in, title_of
from vault.domain.mail_said import heard, heard_of_ses
from vault.domain.mail_text import hashed_content, read_letter
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import Limited, NotFound, not_found
from vault.ports.records import EntryFilter, Slice
from vault.services.sealing import logged, told_anyway

if TYPE_CHECKING:
    from datetime import datetime

    from vault.crypto.local import ServerKey
    from vault.domain.checkout import Checkout
    from vault.ports.clock import Clock
    from vault.ports.keys import KeyCall
    from vault.ports.mail import Delivered, Kept
    from vault.ports.store import Unit, Units
    from vault.services.sealing import Sealer

ACTOR: Final = "mailbox"
PURPOSE: Final = "mail.fingerprint"
UNMATCHED: Final = "unmatched"
SECURITY_TOPIC: Final = "security"
CLASSED: Final = "classed"
"""Where the sealed content of mail to no account says what it would have been to one."""
_SEALED_MOST: Final = 60_000
"""Bytes of what is sealed of one mail; an envelope holds 65,532."""
_FLOOD: Final = timedelta(hours=1)
_RESERVE: Final = 2
_LINKS_MOST: Final = 12_000
"""Characters of all links that are kept: with everything else at its bound, an envelope still holds them."""
_AGAIN: Final = re.compile(r"\A(?:(?:re|fwd?|aw|wg)\s*:\s*)+", re.IGNORECASE)
_CASE: Final = re.compile(r"case\W{0,3}(?:id\W{0,3})?(\d{6,20})", re.IGNORECASE)
_RETRY: Final = 900
_SAME: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: contents in all and of one address, mails an hour, for how long; and what is believed.

    `hops` is the number of Received lines that our own servers add, `authserv_id` the one whose results count.
    """

    kept: int = 5_000
    kept_of_address: int = 500
    per_hour: int = 600
    keep: timedelta = timedelta(days=30)
    authserv_id: str = ""
    hops: int = 1
    domains: frozenset[str] = frozenset()
    ordinary_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Came:
    """A mail as it came: bytes, one address, and by which way; `receipt` is what SES said of it."""

    raw: bytes = field(repr=False)
    recipient: str
    way: MailWay = MailWay.SMTP
    source: str = ""
    receipt: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The use case of whatever takes mail in."""

    units: Units
    sealer: Sealer
    server_key: ServerKey
    clock: Clock
    bounds: Bounds = field(default=Bounds())

    def would_take(self, recipient: str) -> None:
        """Return if a mail to an address could be taken now, before any of it is read.

        Raises `NotFound` where the address is not one of ours to receive for, `Limited` mailbox.full where too much
        is kept or came lately.
        """
        address = fold_email(recipient)
        if not self._is_ours(address):
            raise not_found("mailbox", "of this address")
        now = self.clock.now()
        with self.units.read() as unit:
            kept = unit.mail.kept(address, now - timedelta(hours=1))
        self._require_room(kept, now, is_proven=True)

    def receive(self, came: Came) -> Mail:
        """Take a mail for one address in; it is kept when this returns. The same again is given as it was.

        Raises what `would_take` raises, and `Unavailable` where a key service or the database does not do its part.
        """
        address = fold_email(came.recipient)
        if not is_email(address) or not self._is_ours(address):
            raise not_found("mailbox", "of this address")
        letter = read_letter(came.raw, self.bounds.hops)
        fingerprint = self._fingerprint(came, address, letter)
        now = self.clock.now()
        with self.units.read() as unit:
            known = unit.mail.known(fingerprint)
            vault_id = unit.vault_id
            owner = unit.mail.account_of(address)
            kept = unit.mail.kept(address, now - timedelta(hours=1))
        if known is not None:
            return known
        said = self._said(came, letter)
        is_aws = is_aws_domain(letter.sender.rpartition("@")[2]) and said.verdict is Verdict.PASSED
        self._require_room(kept, now, is_proven=is_aws)
        classed = classify(letter, said, self.bounds.ordinary_from)
        mail, note = self._made(came, letter, said, classed, (owner, address, fingerprint), now)
        if mail.kind is MailKind.ORDINARY:
            return self._keep(mail, note, (), now)
        told = Event(_TYPES[mail.kind], system_actor(ACTOR), account_id=owner, detail=_detail(mail))
        with told_anyway(self.units, self.clock, told) as calls:
            plaintext = Secret(written(letter, classed if owner is None else None))
            envelope, made = self.sealer.seal_in(mail_place(vault_id, owner, mail.id), plaintext)
            calls.extend(made)
            from_envelope = replace(
                mail,
                body=envelope.body,
                wraps=encode_wraps(envelope.wraps),
                sha256=envelope.body_sha256.hex(),
            )
            return self._keep(from_envelope, note, made, now)

    def take_along(self, delivered: Delivered) -> tuple[Mail, ...]:
        """Take what a queue delivered for each of its addresses that are ours; the caller deletes it after this.

        Raises `NotFound` where its object is gone and was never taken: then it stays in the queue for somebody to see.
        """
        if delivered.raw is None:
            with self.units.read() as unit:
                before = unit.mail.of_source(MailWay.SES, delivered.source)
            if not before:
                raise not_found("object", "of this message")
            return before
        taken = []
        for recipient in dict.fromkeys(map(fold_email, delivered.recipients)):
            came = Came(delivered.raw, recipient, MailWay.SES, delivered.source, delivered.said)
            try:
                taken.append(self.receive(came))
            except NotFound:
                continue  # SES was told to take mail for a domain that is none of ours
        return tuple(taken)

    def _is_ours(self, address: str) -> bool:
        return address.rpartition("@")[2] in self.bounds.domains

    def _require_room(self, kept: Kept, now: datetime, *, is_proven: bool) -> None:
        """Return if there is room; a flood is refused, so that the sender keeps it, and told of once an hour.

        Proven mail of AWS has as much room again, so that nobody can shut a reset out by writing to its address.
        """
        found = {"kept": kept.contents, "kept_of_address": kept.of_address, "per_hour": kept.lately}
        share = _RESERVE if is_proven else 1
        why = next((name for name, count in found.items() if count >= share * getattr(self.bounds, name)), "")
        if not why:
            return
        self._tell_flood(why, now)
        words = f"More mail is here, or came lately, than mailbox.{why} lets in. Send it again later."
        raise Limited("mailbox.full", words, retry_after=_RETRY)

    def _tell_flood(self, why: str, now: datetime) -> None:
        lately = EntryFilter(type=EventType.MAIL_FLOOD, since=now - _FLOOD)
        with self.units.read() as unit:
            if unit.log.page(lately, Reach(everything=True), Slice(1)).items:
                return
        with self.units.write() as unit:
            event = Event(
                EventType.MAIL_FLOOD, system_actor(ACTOR), Result.DENIED, detail={"bound": f"mailbox.{why}"}
            )
            unit.log.record(event, now)
            unit.commit()

    def _fingerprint(self, came: Came, address: str, letter: Letter) -> str:
        """Know the same mail again by a keyed hash: a plain one would let whoever reads the database try codes."""
        content = hashlib.sha256(hashed_content(came.raw)).digest()
        data = b"\x00".join([address.encode(), letter.message_id.encode("utf-8", "replace"), content])
        return self.server_key.mac(PURPOSE, data).hex()

    def _said(self, came: Came, letter: Letter) -> Said:
        if came.way is MailWay.SES:
            return heard_of_ses(came.receipt or {}, letter.sender)
        return heard(letter.results, self.bounds.authserv_id, letter.sender)

    def _made(
        self,
        came: Came,
        letter: Letter,
        said: Said,
        classed: Classed,
        found: tuple[str | None, str, str],
        now: datetime,
    ) -> tuple[Mail, MailNote | None]:
        owner, address, fingerprint = found
        if owner is None:
            classed = Classed(MailKind.UNMATCHED, UNMATCHED, forged=classed.forged)
        mail = Mail(
            id=new_id(),
            account_id=owner,
            recipient=address,
            kind=classed.kind,
            rule=classed.rule,
            half=classed.half,
            sender=letter.sender,
            verdict=said.verdict,
            forged=classed.forged,
            way=came.way,
            source=came.source,
            fingerprint=fingerprint,
            size=len(came.raw),
            received_at=now,
        )
        return mail, None if owner is None else note_of(mail, letter, now)

    def _keep(self, mail: Mail, note: MailNote | None, calls: tuple[KeyCall, ...], now: datetime) -> Mail:
        with self.units.write() as unit:
            known = unit.mail.known(mail.fingerprint)
            if known is not None:  # another delivery of it was faster; its entry tells of these calls too
                if calls:
                    detail = {**_detail(mail), "mail": known.id, "again": True}
                    event = Event(
                        EventType.MAIL_SEALED, system_actor(ACTOR), account_id=mail.account_id, detail=detail
                    )
                    unit.log.record(replace(event, result=Result.FAILED, kms=logged("seal", calls)), now)
                    unit.commit()
                return known
            mail = replace(mail, received_at=_in_order(unit.mail.last_at(), mail.received_at))
            unit.mail.add(mail)
            if note is not None:
                unit.mail.add_note(note)
            lease = None if mail.account_id is None else lease_of(unit, mail.account_id, now)
            unit.log.record(_event(mail, lease, calls), now)
            unit.commit()
        return mail


_TYPES: Final = {
    MailKind.SECURITY: EventType.MAIL_SEALED,
    MailKind.ORDINARY: EventType.MAIL_RECEIVED,
    MailKind.UNMATCHED: EventType.MAIL_UNMATCHED,
}


def written(letter: Letter, classed: Classed | None = None) -> str:
    """Write what is sealed of a mail as JSON; its text is cut where it would not fit.

    `classed` is what mail to no account would have been to one: nobody reads that but who gives it to one.
    """
    kept = {} if classed is None else {CLASSED: [classed.kind.value, classed.rule, classed.half.value]}
    links = tuple(_as_many(letter.links))
    faults = [*letter.faults, *(["not every link is kept"] if len(links) < len(letter.links) else [])]
    most = len(letter.text)
    while True:
        content = {
            "subject": letter.subject,
            "from_name": letter.sender_name,
            "date": letter.date,
            "text": letter.text[:most],
            "links": links,
            "attachments": [[each.name[:80], each.type[:60], each.size] for each in letter.attachments],
            "faults": faults if most == len(letter.text) else [*faults, "it is cut"],
            **kept,
        }
        text = json.dumps(content, ensure_ascii=False)
        if len(text.encode("utf-8", "replace")) <= _SEALED_MOST or most == 0:
            return text
        most = most * 3 // 4


def _as_many(links: tuple[str, ...]) -> Iterator[str]:
    """Give the links that fit, in order."""
    left = _LINKS_MOST
    for link in links:
        left -= len(link)
        if left >= 0:
            yield link


def note_of(mail: Mail, letter: Letter, now: datetime) -> MailNote:
    """Make what the ticket system is told: of ordinary mail its words, of security mail a notice with none of them."""
    number = str(mail.account_id)
    if mail.kind is MailKind.ORDINARY:
        names = "".join(f"\nAttached: {each.name or 'no name'} ({each.type})" for each in letter.attachments)
        head = f"From: {letter.sender}\nTo: {mail.recipient}\nDate: {letter.date}\n"
        subject = letter.subject or title_of(mail.rule)
        return MailNote(
            mail.id, number, _topic(letter), subject, f"{head}\n{letter.text}{names}", next_at=now
        )
    words = (
        f"{title_of(mail.rule)}: security mail came to the root address of AWS account {number} and is sealed in the "
        "vault. It opens under a lease of that account alone."
    )
    subject = f"Security mail for AWS account {number}"
    return MailNote(mail.id, number, SECURITY_TOPIC, subject, words, next_at=now)


def _topic(letter: Letter) -> str:
    """Give what one ticket is about: AWS's case, or the subject without the marks of an answer."""
    case = _CASE.search(letter.subject)
    if case is not None:
        return f"case {case.group(1)}"
    subject = " ".join(_AGAIN.sub("", letter.subject).lower().split())
    return "subject " + hashlib.sha256(subject.encode("utf-8", "replace")).hexdigest()[:32]


def _in_order(last: datetime | None, at: datetime) -> datetime:
    """Give the time of a mail, after that of the one before it: what came at one instant is told as it came.

    Where the clock was set back by more than that, the clock counts.
    """
    if last is None or not last - _SAME < at <= last:
        return at
    return last + timedelta(microseconds=1)


def lease_of(unit: Unit, account_id: str, now: datetime) -> Checkout | None:
    """Find the lease of an account that runs now."""
    checkout = unit.checkouts.open_of(account_id)
    is_live = checkout is not None and state_at(checkout, now) is CheckoutState.ACTIVE
    return checkout if is_live else None


def _detail(mail: Mail) -> dict[str, str | int | bool | None]:
    return {
        "mail": mail.id,
        "kind": mail.kind.value,
        "rule": mail.rule,
        "verdict": mail.verdict.value,
        "forged": mail.forged,
        "size": mail.size,
        "way": mail.way.value,
    }


def _event(mail: Mail, lease: Checkout | None, calls: tuple[KeyCall, ...]) -> Event:
    told = _TYPES[mail.kind]
    if mail.kind is MailKind.SECURITY and lease is None and is_way_in(mail):
        told = EventType.MAIL_UNASKED
    return Event(
        told,
        system_actor(ACTOR),
        account_id=mail.account_id,
        checkout_id=None if lease is None else lease.id,
        rule="C7",
        changes=changes(None, mail),
        kms=logged("seal", calls),
        detail=_detail(mail),
    )
