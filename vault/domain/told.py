"""What the log tells of each thing that is kept, so that the log replayed is the database (S3).

A thing has a state, told under its own name (`checkout`), and facts, each told under a name of its own
(`checkout.ends`). `changes(was, now)` is the whole difference between two moments of a thing, so that a use case
cannot forget one of its columns; `told(thing)` is what replay reads out of a row. Both look at the same
list. Values are text; what is absent, and the state that a thing of its kind begins in, is an empty text.

Decided here: what is told. Never told: a password's hash, an OTP seed, a token, a code, or anything computed
from a password; of an enrolment link the first half of its hash, which finds nothing; when somebody was last
seen, and which time step of a code was used last, are not states.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from vault.domain.account import CUSTODY, Account, Customer, Tenure
from vault.domain.case_states import CASE, HANDOVER, PLACE
from vault.domain.checkout import CHECKOUT, Approval, Checkout, content_hash
from vault.domain.credential import PART, VERSION, Part, Version
from vault.domain.due import Reused
from vault.domain.event import Change, stamp
from vault.domain.freeze import Freeze
from vault.domain.hygiene import Finding
from vault.domain.identity import Identity
from vault.domain.incident import Incident
from vault.domain.inspection import Inspection
from vault.domain.inspection_text import write as facts_of
from vault.domain.keyless import KEYLESS, Keyless
from vault.domain.leaver import LeaverKnows
from vault.domain.lifecycle import Lifecycle
from vault.domain.notice import Choice
from vault.domain.passkey import Passkey
from vault.domain.person import Grant, Person, Session, Token
from vault.domain.policy_version import PolicyVersion
from vault.domain.proposal import Proposal
from vault.domain.recipient import Recipient
from vault.domain.rotation import ROTATION, Rotation

if TYPE_CHECKING:
    from collections.abc import Mapping

Told: TypeAlias = "tuple[str, str, Mapping[str, str]]"
"""Kind and id of a thing, and its facts by name; the state's name is empty."""

LIFECYCLES: Final[Mapping[str, Lifecycle[Any, Any]]] = {
    "account": CUSTODY,
    "case": Lifecycle("case", CASE.start, {**CASE.transitions, **HANDOVER.transitions}),
    "case_account": PLACE,
    "checkout": CHECKOUT,
    "keyless": KEYLESS,
    "part": PART,
    "rotation": ROTATION,
    "version": VERSION,
}
BEGINNINGS: Final[Mapping[str, str]] = {"checkout": CHECKOUT.start, "part": PART.start, "session": "ended"}
"""States in which nothing has been told yet; for all other kinds an empty text."""
EVERY_SESSION: Final = "sessions"
EVERY_TOKEN: Final = "tokens"  # noqa: S105 - the name of a kind
"""Kinds that mean all sessions or tokens of the person who is named, so that an entry stays short."""
_LINK: Final = 32


def fact(kind: str, name: str) -> str:
    """Give the name under which a fact, or with an empty `name` the state, stands in a change."""
    return f"{kind}.{name}" if name else kind


def changes(was: object | None, now: object) -> tuple[Change, ...]:
    """Give all differences of a thing between two moments; `was` is None for a new one."""
    kind, number, facts = told(now)
    before = {} if was is None else told(was)[2]
    start = {"": BEGINNINGS.get(kind, "")}
    return tuple(
        Change(fact(kind, name), number, before.get(name, start.get(name, "")), value)
        for name, value in facts.items()
        if value != before.get(name, start.get(name, ""))
    )


def every_session(person_id: str) -> Change:
    """Say that all of a person's sessions ended."""
    return Change(EVERY_SESSION, person_id, "open", "ended")


def every_token(person_id: str) -> Change:
    """Say that all of a person's tokens were revoked."""
    return Change(EVERY_TOKEN, person_id, "issued", "revoked")


@singledispatch
def told(thing: object) -> Told:
    """Give what the log tells of a thing as it is."""
    message = f"nothing is told of {type(thing).__name__}"
    raise AssertionError(message)


@told.register(Customer)
def _(thing: Customer) -> Told:
    return "customer", thing.id, {
        "": "registered",
        "ddi": thing.ddi,
        "name": thing.name,
        "public_sector": _text(thing.public_sector),
        "aws_india": _text(thing.aws_india),
        "session_idle_seconds": _text(thing.session_idle_seconds),
        "session_max_seconds": _text(thing.session_max_seconds),
        "split_custody": _text(thing.split_custody),
    }  # fmt: skip


@told.register(Account)
def _(thing: Account) -> Told:
    return "account", thing.id, {
        "": thing.custody.value,
        "customer": thing.customer_id,
        "name": thing.name,
        "model": thing.model.value,
        "kind": thing.kind.value,
        "root_email": thing.root_email,
        "mailbox": thing.mailbox.value,
        "phone": thing.phone.value,
        "held_since": _text(thing.held_since),
        "split_custody": _text(thing.split_custody),
        "new": _text(thing.is_new),
    }  # fmt: skip


@told.register(Tenure)
def _(thing: Tenure) -> Told:
    return "tenure", f"{thing.account_id}/{thing.number}", {
        "": thing.customer_id,
        "since": stamp(thing.since),
        "until": stamp(thing.until),
    }  # fmt: skip


@told.register(Part)
def _(thing: Part) -> Told:
    return "part", f"{thing.account_id}/{thing.kind}", {"": thing.state.value}


@told.register(Version)
def _(thing: Version) -> Told:
    return "version", f"{thing.account_id}/{thing.kind}/{thing.number}", {
        "": thing.label.value,
        "sha256": thing.sha256,
        "origin": thing.origin.value,
        "weak": _text(thing.weak),
        "current_since": _text(thing.current_since),
        "disclosed_at": _text(thing.disclosed_at),
        "restored_at": _text(thing.restored_at),
        "device_removed_at": _text(thing.device_removed_at),
        "device_removed_by": _text(thing.device_removed_by),
        "drilled_at": _text(thing.drilled_at),
        "drill_fault": thing.drill_fault,
    }  # fmt: skip


@told.register(Checkout)
def _(thing: Checkout) -> Told:
    content = content_hash(
        checkout_id=thing.id,
        account_id=thing.account_id,
        requester_id=thing.requester_id,
        reason=thing.reason,
        ticket=thing.ticket,
        justification=thing.justification,
        seconds=thing.requested_seconds,
    )
    return "checkout", thing.id, {
        "": thing.state.value,
        "content": content,
        "approvals_needed": _text(thing.approvals_needed),
        "seconds": _text(thing.granted_seconds),
        "decide_by": _text(thing.decide_by),
        "use_by": _text(thing.use_by),
        "ends": _text(thing.expires_at),
        "reveals": _text(thing.reveals or None),
        "codes": _text(thing.codes or None),
        "ticket": thing.ticket_mark,
        "break_glass": _text(thing.break_glass),
        "revoked": _text(thing.revoked_id),
        "reviewed_by": _text(thing.reviewed_by),
        "verdict": _text(thing.verdict),
        "second": _text(thing.second_id),
    }  # fmt: skip


@told.register(Approval)
def _(thing: Approval) -> Told:
    return "approval", thing.id, {
        "": thing.decision.value,
        "of": f"{thing.checkout_id} {thing.approver_id}",
        "content": thing.content_hash,
        "seconds": _text(thing.seconds),
    }  # fmt: skip


@told.register(Rotation)
def _(thing: Rotation) -> Told:
    return "rotation", thing.id, {
        "": thing.state.value,
        "of": f"{thing.account_id}/{thing.kind}/{thing.version}",
        "recovering": _text(thing.recovering),
        "displayed_by": _text(thing.displayed_by),
        "attested_by": _text(thing.attested_by),
        "attested_in": _text(thing.attested_in),
        "verified_by": _text(thing.verified_by),
        "evidence": _text(thing.evidence),
        "overdue": _text(thing.overdue_at),
    }  # fmt: skip


@told.register(Person)
def _(thing: Person) -> Told:
    return "person", thing.id, {
        "": thing.state.value,
        "email": thing.email,
        "name": thing.name,
        "link": _text(thing.enrolment_hash)[:_LINK],
        "link_until": _text(thing.enrolment_until),
        "link_by": _text(thing.link_by),
    }  # fmt: skip


@told.register(Grant)
def _(thing: Grant) -> Told:
    state = "removed" if thing.removed_at else "confirmed" if thing.confirmed_by else "proposed"
    return "grant", thing.id, {
        "": state,
        "of": f"{thing.person_id} {thing.role} {thing.scope}",
        "proposed_by": thing.proposed_by,
        "confirmed_by": _text(thing.confirmed_by),
        "effective_at": _text(thing.effective_at),
        "ends_at": _text(thing.ends_at),
    }  # fmt: skip


@told.register(Session)
def _(thing: Session) -> Told:
    ended = thing.ended_at is not None
    return "session", thing.id, {
        "": "ended" if ended else "open",
        "person": thing.person_id,
        "issuer": thing.issuer,
        "withheld": " ".join(sorted(thing.withheld)),
    }  # fmt: skip


@told.register(Token)
def _(thing: Token) -> Told:
    return "token", thing.id, {
        "": "issued" if thing.revoked_at is None else "revoked",
        "person": _text(thing.person_id),
        "name": thing.name,
        "permissions": " ".join(sorted(thing.permissions)),
        "scope": str(thing.scope),
        "until": stamp(thing.expires_at),
        "from": _text(thing.effective_at),
        "addresses": " ".join(sorted(thing.addresses)),
        "withheld": " ".join(sorted(thing.withheld)),
    }  # fmt: skip


@told.register(Identity)
def _(thing: Identity) -> Told:
    return "identity", thing.id, {
        "": "linked" if thing.ended_at is None else "unlinked",
        "of": f"{thing.person_id} {thing.issuer} {thing.subject}",
    }  # fmt: skip


@told.register(Incident)
def _(thing: Incident) -> Told:
    return "incident", thing.id, {
        "": thing.state,
        "of": f"{thing.kind} {thing.subject}",
        "account": _text(thing.account_id),
        "checkout": _text(thing.checkout_id),
        "evidence": hashlib.sha256(f"{thing.summary}\n{thing.evidence}".encode()).hexdigest(),
        "happened_at": stamp(thing.happened_at),
        "owner": _text(thing.owner_id),
        "closed_by": _text(thing.closed_by),
        "closing": _text(thing.closing),
    }  # fmt: skip


@told.register(Inspection)
def _(thing: Inspection) -> Told:
    return "inspection", thing.id, {
        "": f"{thing.account_id} {stamp(thing.at)}",
        "facts": hashlib.sha256(facts_of(thing).encode()).hexdigest(),
    }  # fmt: skip


@told.register(Finding)
def _(thing: Finding) -> Told:
    return "finding", thing.id, {
        "": thing.state.value,
        "of": f"{thing.account_id} {thing.rule} {thing.subject}",
        "summary": hashlib.sha256(thing.summary.encode()).hexdigest(),
        "opened_at": stamp(thing.opened_at),
        "owner": _text(thing.owner_id),
        "ended_by": _text(thing.ended_by),
        "ending": _text(thing.ending),
        "until": _text(thing.accepted_until),
    }  # fmt: skip


@told.register(PolicyVersion)
def _(thing: PolicyVersion) -> Told:
    return "policy_version", str(thing.number), {
        "": "ended" if thing.ended_at else thing.way,
        "of": thing.digest,
        "effective_at": stamp(thing.effective_at),
    }  # fmt: skip


@told.register(Recipient)
def _(thing: Recipient) -> Told:
    return "recovery_recipient", str(thing.number), {
        "": "ended" if thing.ended_at else thing.way,
        "of": thing.recipient,
        "effective_at": stamp(thing.effective_at),
    }  # fmt: skip


@told.register(Proposal)
def _(thing: Proposal) -> Told:
    state = "ended" if thing.ended_at else "agreed" if thing.confirmed_by else "proposed"
    return "proposal", thing.id, {
        "": state,
        "of": f"{thing.kind} {thing.subject} {thing.scope}",
        "content": hashlib.sha256(f"{thing.content}\n{thing.why}".encode()).hexdigest(),
        "proposed_by": thing.proposed_by,
        "confirmed_by": _text(thing.confirmed_by),
        "effective_at": _text(thing.effective_at),
    }  # fmt: skip


@told.register(Choice)
def _(thing: Choice) -> Told:
    return "notice_choice", f"{thing.person_id}/{thing.topic}", {"": thing.way.value}


@told.register(Keyless)
def _(thing: Keyless) -> Told:
    return "keyless", thing.account_id, {
        "": thing.state.value,
        "payer": thing.payer_id,
        "found": thing.found,
        "seen_at": stamp(thing.seen_at),
        "proposal": _text(thing.proposal_id),
    }  # fmt: skip


@told.register(LeaverKnows)
def _(thing: LeaverKnows) -> Told:
    number = f"{thing.person_id}/{thing.account_id}/{thing.kind}/{thing.version}"
    return "leaver_knows", number, {"": f"{thing.way} {stamp(thing.known_since)}"}


@told.register(Reused)
def _(thing: Reused) -> Told:
    number = f"{thing.account_id}/{thing.kind}/{thing.version}"
    return "reused_value", number, {"": f"{thing.found_by} {stamp(thing.found_at)}"}


@told.register(Freeze)
def _(thing: Freeze) -> Told:
    return "freeze", thing.id, {
        "": "set" if thing.lifted_at is None else "lifted",
        "of": str(thing.covered),
        "set_by": thing.set_by,
        "lifted_by": _text(thing.lifted_by),
    }  # fmt: skip


@told.register(Passkey)
def _(thing: Passkey) -> Told:
    return "passkey", thing.id, {
        "": "enrolled" if thing.removed_at is None else "removed",
        "person": thing.person_id,
        "name": thing.name,
        "key": hashlib.sha256(thing.credential.encode() + b"\n" + thing.public_key).hexdigest(),
        "backed_up": _text(thing.backed_up),
    }  # fmt: skip


def _text(value: object) -> str:
    """Write a value as changes hold it."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    return stamp(value) if isinstance(value, datetime) else str(value)
