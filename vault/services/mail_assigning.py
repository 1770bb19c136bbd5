"""Mail to no account is given to one: by a custodian of everything, whose fresh factor it takes (C7).

Decided here: the beats, which are those of an opening. First commit: who, why, the mail and the account are looked at,
the factor is used, the entry ``authorized`` is written. Then the content is opened and, where it may be a way in,
sealed anew for its account, with no lock held; nobody sees it. Second commit: the mail becomes the account's, once.
What it is was decided when it came and stands in the sealed content: what was found harmless then goes to a ticket.
Mail to an address that is another account's by now is given to nobody else, and who gave it to an account does not open
it (`mail_opening`): together they keep one person from reading what is not theirs to read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from vault.crypto.context import mail_place
from vault.crypto.envelope import encode_wraps
from vault.domain.account import Custody
from vault.domain.actor import Scope
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType, Result
from vault.domain.ids import is_account_id
from vault.domain.mail import Attachment, Letter, Mail, MailKind
from vault.domain.mail_rules import UNKNOWN, Classed
from vault.domain.policy import Permission
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, KeysUnavailable, Tampered, VaultError, not_found
from vault.services.deciding import meanwhile
from vault.services.frozen import frozen, require_thawed
from vault.services.gate import refuse
from vault.services.mailbox import CLASSED, lease_of, note_of
from vault.services.proposals import check_why
from vault.services.sealing import logged
from vault.services.sight import word_counts

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.mail import MailNote
    from vault.errors import KeyCall
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.factors import Factors
    from vault.services.gate import Gate
    from vault.services.sealing import Sealer

NOT_OURS: Final = frozenset({Custody.RELEASED, Custody.CUSTOMER_HELD, Custody.DEAD})
"""Accounts whose root is nobody's here: nothing is sealed for them any more."""


@dataclass(frozen=True, slots=True)
class MailAssigning:
    """The use case."""

    units: Units
    gate: Gate
    factors: Factors
    sealer: Sealer
    clock: Clock

    def assign(self, actor: Actor, mail_id: str, account_id: str, why: str, otp: str) -> Mail:
        """Give mail to no account to one; said again for the same account, it is as it was.

        Nothing is given of what is frozen, nor by who is.

        Raises `NotFound` for either, `Conflict` mail.assigned, mail.gone or custody.state, `Invalid`, and what factors
        and key services raise.
        """
        check_why(why)
        if not is_account_id(account_id):
            words = "Give the AWS account number: 12 digits."
            raise Invalid("input.invalid", words, errors=(FieldError("/account_id", words),))
        now = self.clock.now()
        detail = {"mail": mail_id[:40], "why": why.strip()}
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.ACCOUNT_REGISTER, now, asked_for="mail to no account")
            refused = Event(EventType.ACCESS_DENIED, actor, detail=detail)
            mail = self._there(unit, actor, mail_id, account_id, refused, now)
            if mail.account_id is not None:
                return mail
            actor = self.factors.check(unit, actor, otp, now, refused)
            event = Event(EventType.MAIL_ASSIGNING, actor, account_id=account_id, rule="C7", detail=detail)
            unit.log.record(replace(event, detail={**detail, "sha256": mail.sha256}), now)
            vault_id = unit.vault_id
            unit.commit()
        told = replace(event, type=EventType.MAIL_ASSIGNED, subject=f"mail:{mail.id}")
        given, note, calls = self._resealed(vault_id, replace(mail, account_id=account_id), told)
        return self._keep(mail, given, note, calls, told)

    def _there(
        self, unit: Unit, actor: Actor, mail_id: str, account_id: str, refused: Event, now: datetime
    ) -> Mail:
        """Find the mail, with its content, where it may become this account's now, or is it already."""
        everything = self.gate.policy.reach(actor, Permission.ACCOUNT_REGISTER).everything
        account = self.gate.account(unit, actor, account_id, now, lock=True)
        mail = unit.mail.lock(mail_id)
        if mail is None or not everything:
            refuse(unit, refused, not_found("mail", mail_id[:40]), now)
        why_not = _why_not(unit, mail, account.id, account.custody)
        if why_not is not None:
            refuse(unit, refused, why_not, now)
        if mail.account_id is None:
            require_thawed(unit, account, actor, refused, now)
        return mail

    def _resealed(
        self, vault_id: str, given: Mail, told: Event
    ) -> tuple[Mail, MailNote | None, tuple[dict[str, str], ...]]:
        """Open the content and seal it anew for its account, or make it words for a ticket; tell of every call."""
        now = self.clock.now()
        calls: list[dict[str, str]] = []
        try:
            place = mail_place(vault_id, None, given.id)
            opened = self.sealer.open_in(place, given.body or b"", given.wraps or b"")
            calls.extend(_told("mail", opened.calls))
            content = json.loads(opened.plaintext.expose())
            classed = _classed(content.pop(CLASSED, None))
            given = replace(
                given,
                kind=classed.kind,
                rule=classed.rule,
                half=classed.half,
                assigned_at=now,
                assigned_by=told.actor.id,
            )
            if classed.kind is MailKind.ORDINARY:
                given = replace(given, body=None, wraps=None, sha256="")
                return given, note_of(given, _letter(given, content), now), tuple(calls)
            text = Secret(json.dumps(content, ensure_ascii=False))
            envelope, made = self.sealer.seal_in(mail_place(vault_id, given.account_id, given.id), text)
            calls.extend(_told("seal", made))
        except (KeysUnavailable, Tampered) as error:
            calls.extend(_told("mail", error.calls))
            self._failed(told, error, tuple(calls))
        given = replace(
            given,
            body=envelope.body,
            wraps=encode_wraps(envelope.wraps),
            sha256=envelope.body_sha256.hex(),
        )
        return given, note_of(given, _letter(given, content), now), tuple(calls)

    def _keep(
        self, was: Mail, given: Mail, note: MailNote | None, calls: tuple[dict[str, str], ...], told: Event
    ) -> Mail:
        now = self.clock.now()
        with self.units.write() as unit:
            account = unit.accounts.lock(str(given.account_id))
            there = unit.mail.lock(was.id)
            # what may have happened meanwhile: another gave it away, it was emptied, the account was given back
            why_not: VaultError | None = _changed()
            if account is not None and there is not None and there.sha256 == was.sha256:
                why_not = _why_not(unit, there, account.id, account.custody) or self._shut_out(
                    unit, account, told.actor, now
                )
            if why_not is not None or there is None:
                error = why_not or _changed()
                refuse(unit, replace(told, result=Result.FAILED, kms=calls), error, now)
            unit.mail.assign(given)
            if note is not None:
                unit.mail.add_note(note)
            lease = lease_of(unit, str(given.account_id), now)
            detail = {
                **told.detail,
                "kind": given.kind.value,
                "rule": given.rule,
                "recipient": given.recipient,
            }
            unit.log.record(
                replace(
                    told,
                    checkout_id=None if lease is None else lease.id,
                    changes=changes(was, given),
                    kms=calls,
                    detail=detail,
                ),
                now,
            )
            unit.commit()
        return given

    def _shut_out(self, unit: Unit, account: Account, actor: Actor, now: datetime) -> VaultError | None:
        """Say who or what was frozen meanwhile, or that this person may give no mail away any more."""
        freeze = unit.freezes.over(account, actor.id)
        if freeze is not None:
            return frozen(freeze)
        counts = word_counts(unit, self.gate.policy, actor.id, Permission.ACCOUNT_REGISTER, Scope(), now)
        return None if counts else meanwhile()

    def _failed(self, told: Event, error: VaultError, calls: tuple[dict[str, str], ...]) -> NoReturn:
        with self.units.write() as unit:
            refuse(unit, replace(told, result=Result.FAILED, kms=calls), error, self.clock.now())


def _why_not(unit: Unit, mail: Mail, account_id: str, custody: Custody) -> VaultError | None:
    """Say why a mail cannot become this account's; None where it can, or was given to it before."""
    if mail.account_id == account_id and mail.assigned_at is not None:
        return None
    if mail.account_id is not None:
        return Conflict(
            "mail.assigned", "This mail is an account's already; mail is given to one account, once."
        )
    if not mail.is_sealed:
        return Conflict("mail.gone", "The content of this mail is not there any more.", state=mail.state)
    owner = unit.mail.account_of(mail.recipient)
    if owner not in {None, account_id}:
        words = f"This address is another account's by now: give the mail to {owner}."
        return Conflict("mail.assigned", words)
    if custody in NOT_OURS:
        return Conflict(
            "custody.state", f"Account {account_id} is {custody}: nothing is sealed for it.", state=custody
        )
    return None


def _changed() -> Conflict:
    return Conflict("concurrent.change", "The mail or its account changed meanwhile; nothing was done.")


def _classed(kept: Any) -> Classed:
    """Read what a mail was found to be when it came; one that came before that was written down may be a way in."""
    if not isinstance(kept, list):
        return Classed(MailKind.SECURITY, UNKNOWN)
    kind, rule, half = kept
    return Classed(MailKind(kind), str(rule), PartKind(half))


def _letter(mail: Mail, content: dict[str, Any]) -> Letter:
    """Give what a ticket may be told of, out of what was sealed."""
    return Letter(
        subject=content["subject"],
        sender=mail.sender,
        date=content["date"],
        text=content["text"],
        attachments=tuple(Attachment(*each) for each in content["attachments"]),
    )


def _told(purpose: str, calls: tuple[KeyCall, ...]) -> tuple[dict[str, str], ...]:
    return tuple(dict(each) for each in logged(purpose, calls))
