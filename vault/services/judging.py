"""What explains one of AWS's records: the entry that tells of it, the checkout that covers it, or nothing.

Decided here: the rules. A use of a key is explained by one call that an entry tells of, under the same
RequestId, of the same operation and key; each call explains one request. AWS records a request twice where key
and caller are of two accounts, under one `sharedEventID`: those are one. A call that KMS never answered has no
RequestId in its entry, and a disclosure that was cut off has no call in its entry: both are matched by key,
place and time instead, each once. An act of root is explained by a checkout of the account that was active then, or
that ended at most `AFTERWARDS` before and disclosed something (a session of ``aws login`` lasts so long), and by
the `AssumeRoot` whose session did it; an `AssumeRoot` of ours by its entry (`task_sessions`).

Never done here: looking at when a record came. What counts is when it happened; checkouts are kept for ever.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.crypto.context import mail_in
from vault.domain.account import Custody
from vault.domain.cloudtrail import CloudKind, CloudRecord, Kept, Ours, parse
from vault.domain.credential import PartKind
from vault.domain.incident import IncidentKind
from vault.errors import VaultError
from vault.ports.store import RevealState
from vault.services import task_sessions

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.checkout import Checkout
    from vault.ports.cloud import LoggedCall, SeenEvent
    from vault.ports.store import Unit

AFTERWARDS: Final = timedelta(hours=12)
"""How long what was begun under a lease can go on by itself: `aws login` renews its session so long."""
SLACK: Final = timedelta(seconds=60)
"""How far AWS's clock and ours may differ; AWS tells whole seconds."""
SETTLED: Final = timedelta(minutes=15)
"""So long after it happened a record waits for its explanation: entries and records come in any order."""
NOT_OURS: Final = "not_ours"
NOTED: Final = "noted"
_OURS_NOW: Final = frozenset({Custody.HELD, Custody.IN_TRANSFER, Custody.CLOSING, Custody.KEYLESS})
_LEASES: Final = 20
_PARTS: Final = frozenset(kind.value for kind in PartKind)
_DECRYPT: Final = "Decrypt"


@dataclass(frozen=True, slots=True)
class Explained:
    """What a record matched."""

    matched: str


@dataclass(frozen=True, slots=True)
class Unexplained:
    """That nothing explains a record, in words for whoever looks into it."""

    kind: IncidentKind
    summary: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """That it is too early to say."""


Verdict = Explained | Unexplained | Waiting


def undecided(record: CloudRecord, failure: Exception) -> Unexplained:
    """Say that a record's judging failed, in words that hold nothing of the record but its id."""
    kinds = {
        CloudKind.KEY_USE: IncidentKind.UNLOGGED_DECRYPT,
        CloudKind.SIGN_IN: IncidentKind.ROOT_SIGN_IN,
        CloudKind.RECOVERY: IncidentKind.ROOT_SIGN_IN,
    }
    why = failure.code if isinstance(failure, VaultError) else type(failure).__name__
    words = f"AWS's record {record.event_id} could not be judged ({why}); read it, and tell who keeps this program."
    return Unexplained(kinds.get(record.kind, IncidentKind.ROOT_USE), words)


@dataclass(frozen=True, slots=True)
class Judge:
    """The rules, for this vault's keys."""

    ours: Ours

    def judge(self, unit: Unit, seen: SeenEvent, now: datetime) -> Verdict:
        """Say what explains a record; a call that does is claimed in the caller's transaction."""
        record = self.whole(seen.record)
        due = min(record.happened_at, seen.seen_at) + SETTLED <= now
        if record.kind is CloudKind.ASSUME_ROOT:
            found = _assumed(unit, record)
        else:
            found = self._key_use(unit, record) if record.kind is CloudKind.KEY_USE else _root(unit, record)
        return found if due or isinstance(found, Explained) else Waiting()

    def whole(self, record: CloudRecord) -> CloudRecord:
        """Give a record with what only its text has: keys and context."""
        read = parse(json.loads(record.record), self.ours)
        return read.record if isinstance(read, Kept) else record

    def _key_use(self, unit: Unit, record: CloudRecord) -> Verdict:
        calls = unit.cloud.calls(record.request_id) if record.request_id else ()
        if len(calls) > 1:
            entries = " and ".join(str(entry) for entry in sorted({call.entry for call in calls}))
            for call in calls:
                unit.cloud.claim(call, record.event_id)
            return Unexplained(
                IncidentKind.UNLOGGED_DECRYPT,
                f"Entries {entries} both claim request {record.request_id}: one of them did not make it.",
            )
        if calls:
            return self._by_request(unit, record, calls[0])
        silent = self._unanswered(unit, record)
        if silent is not None:
            unit.cloud.claim(silent, record.event_id)
            return Explained(f"entry:{silent.entry}")
        cut_off = self._cut_off(unit, record)
        if cut_off is not None:
            return Explained(cut_off)
        return Unexplained(IncidentKind.UNLOGGED_DECRYPT, _unlogged(record))

    def _by_request(self, unit: Unit, record: CloudRecord, call: LoggedCall) -> Verdict:
        if call.event_id not in {None, record.event_id} and not _is_copy(unit, record, call.event_id):
            words = (
                f"AWS recorded request {record.request_id} twice, and entry {call.entry} tells of it once."
            )
            return Unexplained(IncidentKind.UNLOGGED_DECRYPT, words)
        if call.operation != record.name or (record.keys and call.key not in record.keys):
            words = (
                f"Entry {call.entry} tells of {call.operation} under this RequestId, AWS of {record.name}."
            )
            return Unexplained(IncidentKind.UNLOGGED_DECRYPT, words)
        if not _is_told(unit, call):
            words = f"Entry {call.entry} was said to tell of this request, and does not."
            return Unexplained(IncidentKind.UNLOGGED_DECRYPT, words)
        if call.event_id is None:
            unit.cloud.claim(call, record.event_id)
        return Explained(f"entry:{call.entry}")

    def _unanswered(self, unit: Unit, record: CloudRecord) -> LoggedCall | None:
        """Find a call of this place and time that KMS did not answer in time."""
        account = record.context.get("account")
        if account is None:
            return None
        since, until = record.happened_at - SLACK, record.happened_at + SLACK
        found = unit.cloud.unanswered(record.keys, record.name, since, until)
        return next((call for call in found if call.account_id == account and _is_told(unit, call)), None)

    def _cut_off(self, unit: Unit, record: CloudRecord) -> str | None:
        """Name what was authorised for this place and time without an outcome: a disclosure, or a mail's opening."""
        if record.name != _DECRYPT or record.account_id is None:
            return None
        for name in _unknown(unit, record, record.account_id):
            explained = unit.cloud.matching((name,), 20)
            opened = [each.record for each in explained if each.record.error is None]
            if record.error is not None or all(_are_copies(record, each) for each in opened):
                return name
        return None


def _unknown(unit: Unit, record: CloudRecord, account_id: str) -> tuple[str, ...]:
    since, until = record.happened_at - SLACK, record.happened_at + SLACK
    kind = record.context.get("kind", "")
    mail_id = mail_in(kind)
    if mail_id is not None:
        openings = (each for each in unit.mail.openings(mail_id) if since <= each.authorized_at <= until)
        return tuple(f"opening:{each.id}" for each in openings if each.state is RevealState.UNKNOWN)
    if kind not in _PARTS:
        return ()
    place = (account_id, kind, int(record.context["version"]))
    return tuple(f"reveal:{each.id}" for each in unit.cloud.unknown_reveals(place, since, until))


def _unlogged(record: CloudRecord) -> str:
    context = record.context
    what = "was refused" if record.error is not None else "succeeded"
    where = f"{record.name} by {record.who} from {record.ip or 'an address not named'} {what}"
    if not context:
        return f"{where}, outside of any place of this vault; no entry tells of it."
    part = f"{context.get('kind', 'a secret')} version {context.get('version', '?')}"
    return f"{where}, for {part} of account {record.account_id}; no entry tells of it."


def _assumed(unit: Unit, record: CloudRecord) -> Verdict:
    ours = task_sessions.explained(unit, record)
    if ours is not None:
        return Explained(ours)
    if not task_sessions.is_intrusion(unit, record):
        return Explained(NOTED)
    words = f"{record.who} took a session on the root of {record.account_id}, which has no credentials by our doing; "
    return Unexplained(IncidentKind.ROOT_USE, f"{words}no entry tells of it.")


def _root(unit: Unit, record: CloudRecord) -> Verdict:
    account = None if record.account_id is None else unit.accounts.get(record.account_id)
    if account is None or record.account_id is None:
        return Explained(NOT_OURS)
    if record.access_key is not None:
        ours = task_sessions.explained(unit, record)
        if ours is not None:
            return Explained(ours)
        session = unit.cloud.session(record.access_key)
        if session is not None and session.record.account_id in {None, account.id}:
            return Explained(f"session:{session.record.event_id}")
    for checkout in unit.cloud.leases(account.id, record.happened_at + SLACK, _LEASES):
        if covers(unit, checkout, record.happened_at):
            return Explained(f"checkout:{checkout.id}")
    since = account.held_since
    if account.custody not in _OURS_NOW or since is None or record.happened_at < since:
        return Explained(NOT_OURS)
    kind = IncidentKind.ROOT_USE if record.kind is CloudKind.ROOT_USE else IncidentKind.ROOT_SIGN_IN
    return Unexplained(kind, _unchecked(record))


def covers(unit: Unit, checkout: Checkout, at: datetime) -> bool:
    """Say whether a checkout explains what root did at a moment."""
    began, end = checkout.activated_at, lease_end(checkout)
    if began is None or end is None or at < began - SLACK:
        return False
    return at <= end or (at <= end + AFTERWARDS and _disclosed(unit, checkout, at))


def lease_end(checkout: Checkout) -> datetime | None:
    """Give when a lease ended, or will: by its time, or before it by somebody."""
    ends = [end for end in (checkout.expires_at, checkout.ended_at) if end is not None]
    return min(ends, default=None)


def last_holder(unit: Unit, account_id: str | None, at: datetime) -> Checkout | None:
    """Give the checkout whose holder had an account last by then."""
    return None if account_id is None else next(iter(unit.cloud.leases(account_id, at + SLACK, 1)), None)


def _disclosed(unit: Unit, checkout: Checkout, at: datetime) -> bool:
    shown = unit.reveals.of_checkout(checkout.id)
    return any(each.state is not RevealState.FAILED and each.authorized_at <= at + SLACK for each in shown)


def _is_copy(unit: Unit, record: CloudRecord, event_id: str | None) -> bool:
    """Say whether a record is the other account's of one that was matched."""
    first = None if event_id is None else unit.cloud.get(event_id)
    return first is not None and _are_copies(record, first.record)


def _are_copies(one: CloudRecord, other: CloudRecord) -> bool:
    return one.shared_id is not None and one.shared_id == other.shared_id and one.recipient != other.recipient


def _is_told(unit: Unit, call: LoggedCall) -> bool:
    """Say whether the entry itself tells of a call: the table of calls is only an index."""
    entry = unit.log.entry(call.entry)
    told = None if entry is None else entry.content.get("kms")
    if not isinstance(told, list) or call.place >= len(told) or not isinstance(told[call.place], dict):
        return False
    words = told[call.place]
    return (words.get("request_id"), words.get("operation"), words.get("key")) == (
        call.request_id,
        call.operation,
        call.key,
    )


def _unchecked(record: CloudRecord) -> str:
    factor = {True: "with MFA", False: "WITHOUT MFA", None: "MFA not told"}[record.mfa]
    result = "" if record.error is None else f", refused: {record.error[:80]}"
    told = f" {factor}" if record.kind is CloudKind.SIGN_IN or record.mfa is not None else ""
    return (
        f"Root of {record.account_id}: {record.name} from {record.ip or 'an address not named'}{told}{result}; "
        "no checkout covers it."
    )
