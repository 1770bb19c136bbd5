"""The log told as a story: for each entry a sentence, a sign, and how long after the one before.

Decided here: the words, for a reader who knows nothing of the program; each sentence is only a reading, and leads
to the entry whose bytes count. Names, reasons and tickets in it are what somebody typed: they go through
`show.text` in the templates like all text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from vault.domain.event import EventType, Result
from vault.web.ui import words

if TYPE_CHECKING:
    from vault.ports.store import Entry

SENTENCES: Final[Mapping[EventType, str]] = {
    EventType.CHECKOUT_REQUESTED: "{who} asked for the root credentials.",
    EventType.CHECKOUT_APPROVED: "{who} agreed to the request.",
    EventType.CHECKOUT_REJECTED: "{who} said no; that ended the request.",
    EventType.CHECKOUT_REOPENED: "A word on the request did not count any more; it waited for another.",
    EventType.CHECKOUT_GRANTED: "{who} began: from here on the account was checked out.",
    EventType.CHECKOUT_RETURNED: "{who} gave the account back.",
    EventType.CHECKOUT_SHORTENED: "{who} tightened the customer's limit, and the lease ends earlier.",
    EventType.CHECKOUT_EXPIRED: "The time was over; nobody could see anything any more.",
    EventType.CHECKOUT_LAPSED: "Nobody decided or began in time; the request ended by itself.",
    EventType.CHECKOUT_CANCELLED: "{who} withdrew the request.",
    EventType.CHECKOUT_REVOKED: "{who} ended it before its time.",
    EventType.CHECKOUT_JOINED: "{who} took the codes: the password was another person's.",
    EventType.BREAK_GLASS_BEGUN: "{who} broke the glass: nobody was asked before, and somebody has to look afterwards.",
    EventType.BREAK_GLASS_REVIEWED: "{who}, who had no part in it, looked at the broken glass.",
    EventType.FREEZE_SET: "{who} stopped every disclosure of it.",
    EventType.FREEZE_LIFTED: "{who} was the second who wanted disclosures to go on.",
    EventType.VELOCITY_EXCEEDED: "{who} opened more accounts in an hour than they may, and was stopped.",
    EventType.CAMPAIGN_BEGUN: "A campaign began: {who} was the second who agreed to it.",
    EventType.CAMPAIGN_ASSIGNED: "{who} said whose accounts of a campaign these are.",
    EventType.CAMPAIGN_ENDED: "A campaign ended; its pace counts no more.",
    EventType.UPKEEP_REMINDED: "The vault reminded somebody of work that waits for them.",
    EventType.CASE_OPENED: "{who} opened a case: work on accounts of a customer, in steps.",
    EventType.CASE_JOINED: "The account came into the case that {who} opened.",
    EventType.CASE_CHANGED: "The case, or the account in it, came to another state or day.",
    EventType.CASE_CANCELLED: "{who} cancelled the case.",
    EventType.STEP_ASKED: "{who} said the first of two words on a step of the case.",
    EventType.STEP_BEGUN: "{who} had the vault begin a step of the case at AWS.",
    EventType.STEP_DONE: "A step of the case was done, on the word of {who}.",
    EventType.STEP_WAIVED: "{who} was the second who let a step of the case go.",
    EventType.STEP_FAILED: "A step of the case was not done as a whole; it is done again.",
    EventType.LINK_MADE: "{who} made a link to the customer's page of a handover.",
    EventType.LINK_MAILED: "The link to the customer's page was handed to the mail server, or was not taken.",
    EventType.LINK_OPENED: "The customer opened their page with the link and its code.",
    EventType.LINK_LEFT: "The customer closed their page.",
    EventType.LINK_REFUSED: "A link or a code for a customer's page did not count.",
    EventType.LINK_ENDED: "A link to the customer's page ended without having been opened.",
    EventType.HANDOVER_ACKNOWLEDGED: "The customer's signatory acknowledged the handover.",
    EventType.GRACE_ENDING: "Nobody acknowledged the handover; what is kept will be destroyed soon.",
    EventType.STEPPED_UP: "{who} proved with a second factor to be who they are.",
    EventType.STEP_UP_REFUSED: "A second factor that {who} gave was not accepted.",
    EventType.TICKET_UNTOLD: "The ticket system did not take the note on this checkout.",
    EventType.MAIL_RECEIVED: "Mail came to the root address and went to a ticket.",
    EventType.MAIL_SEALED: "Security mail came to the root address; it was sealed unread.",
    EventType.MAIL_UNASKED: "Security mail came although nobody here held the account; it was sealed unread.",
    EventType.MAIL_EMPTIED: "The sealed content of an old mail was removed.",
    EventType.MAIL_UNTOLD: "The ticket system did not take what came of a mail.",
    EventType.MAIL_ASSIGNING: "{who} may give mail that came for no account to this one.",
    EventType.MAIL_ASSIGNED: "{who} gave mail that came for no account to this one; nobody saw what it says.",
    EventType.MAIL_RECOVERED: "A sealed mail was opened offline, with shares of the recovery identity.",
    EventType.MAIL_AUTHORIZED: "The vault wrote down that {who} may now read a sealed mail, before opening it.",
    EventType.MAIL_OPENED: "A sealed mail was shown to {who}.",
    EventType.MAIL_FAILED: "A sealed mail could not be opened; {who} saw nothing.",
    EventType.MAIL_UNKNOWN: "Whether {who} saw a sealed mail is not known; it counts as seen.",
    EventType.MAIL_REFUSED: "{who} tried to read a sealed mail and was refused.",
    EventType.REVEAL_AUTHORIZED: "The vault wrote down that {who} may now see the {secret}, before opening it.",
    EventType.REVEAL_RELEASED: "The {secret} was shown to {who}.",
    EventType.REVEAL_FAILED: "The {secret} could not be opened; {who} saw nothing.",
    EventType.REVEAL_UNKNOWN: "Whether {who} saw the {secret} is not known; it counts as seen.",
    EventType.REVEAL_REFUSED: "{who} tried to see the {secret} and was refused.",
    EventType.CREDENTIAL_LOST: "{who} tried what the vault holds, and AWS took none of it.",
    EventType.ROTATION_PLANNED: "{who} had the vault make a new {secret}; nobody has seen it yet.",
    EventType.ROTATION_DISPLAYED: "The new {secret} was shown to {who}, to be set at AWS.",
    EventType.ROTATION_ACCEPTED: "{who} confirmed that AWS took the new {secret}.",
    EventType.ROTATION_REFUSED: "{who} told that AWS did not take the new {secret}; the old one stays.",
    EventType.ROTATION_UNKNOWN: "{who} could not tell whether AWS took the new {secret}.",
    EventType.ROTATION_ABANDONED: "{who} dropped the new {secret} before anybody saw it.",
    EventType.ROTATION_VERIFIED: "{who} proved that the new {secret} works.",
    EventType.ROTATION_UNVERIFIED: "Nobody had proven in time that the new value works.",
    EventType.DEVICE_REMOVED: "{who} took an old MFA device off at AWS.",
    EventType.SECRET_PROMOTED: "The new {secret} became the one that counts.",
    EventType.CREDENTIAL_RECOVERED: "The {secret} was opened offline, with shares of the recovery identity.",
    EventType.CREDENTIAL_TAKEN_IN: "{who} put the existing {secret} into the vault.",
    EventType.CREDENTIAL_REUSED: "Another account was seen to have the same {secret}: it has to change.",
    EventType.KEYS_REWRAPPED: "The {secret} was wrapped under other keys, or proven under them; nobody saw it.",
    EventType.DRILL_OPENED: "A drill opened the {secret} under each of its keys; nobody saw it.",
    EventType.CUSTODY_HELD: "Password and device are both confirmed: the vault holds the account.",
    EventType.KEYLESS_ASKED: "{who} is about to ask AWS for a session on the root, for one task.",
    EventType.KEYLESS_SESSION: "AWS gave {who} a session on the root, for one task and some minutes.",
    EventType.KEYLESS_SEEN: "{who} had AWS list what the root has.",
    EventType.KEYLESS_BEGUN: "{who} began at AWS what two people had agreed to for the root.",
    EventType.KEYLESS_STOPPED: "What {who} began at AWS did not come to its end; it can be done again.",
    EventType.KEYLESS_REACHED: "AWS says that the root has no credentials any more; what was held is retired.",
    EventType.KEYLESS_LEFT: "{who} had AWS allow the root's recovery again; custody begins anew.",
    EventType.ACCOUNT_REOPENED: "{who} says that AWS reopened the account.",
    EventType.ACCOUNT_DEAD: "The 90 days after its closing were over: what was in the account is gone.",
    EventType.CREDENTIAL_DESTROYED: "Everything that was sealed for the account was destroyed; nothing here opens it.",
    EventType.ACCOUNT_REGISTERED: "{who} registered the account.",
    EventType.ACCOUNT_CHANGED: "{who} changed what is known about the account.",
    EventType.ACCOUNT_MOVED: "The account moved to another customer, on the second word of {who}.",
    EventType.SIGNED_IN: "{who} signed in.",
    EventType.SIGNED_OUT: "{who} ended a session.",
    EventType.ACCESS_DENIED: "{who} tried something that is not theirs to do, and was refused.",
    EventType.AUDIT_VIEWED: "{who} read the log.",
    EventType.AUDIT_EXPORTED: "{who} took a copy of the log.",
    EventType.AUDIT_SAMPLED: "{who} drew a random sample of the log.",
    EventType.PASSKEY_ADDED: "{who} enrolled a passkey.",
    EventType.PASSKEY_REMOVED: "{who} removed a passkey.",
    EventType.PASSKEY_ASKED: "A program of {who} asked for something that a passkey has to confirm.",
    EventType.PASSKEY_CONFIRMED: "{who} confirmed by passkey what a program had asked for.",
    EventType.PASSKEY_SUSPECT: "A passkey of {who} counted backwards: a copy of it may exist. It was refused.",
    EventType.PROPOSAL_MADE: "{who} proposed something that takes two people.",
    EventType.PROPOSAL_AGREED: "{who} agreed to what somebody else had proposed.",
    EventType.PROPOSAL_ENDED: "{who} ended a proposal, or what it had led to.",
    EventType.ROLE_PROPOSED: "{who} proposed a role for somebody.",
    EventType.ROLE_GRANTED: "{who} confirmed a role for somebody.",
    EventType.ROLE_REMOVED: "{who} took a role away from somebody.",
    EventType.PERSON_INVITED: "{who} invited a person.",
    EventType.PERSON_DISABLED: "{who} shut a person out.",
    EventType.LEAVER_KNOWS: "What somebody who was shut out may know was made due for rotation.",
    EventType.RECOVERY_LINK: "{who} took the link by which a person enrols again.",
    EventType.TOKEN_ISSUED: "{who} made a token for a program.",
    EventType.TOKEN_REVOKED: "{who} ended a program's token.",
    EventType.TOKEN_REFUSED: "A token came from an address that it is not for, and was refused.",
    EventType.IDENTITY_LINKED: "{who} linked an identity at the provider to themself.",
    EventType.IDENTITY_UNLINKED: "{who} unlinked an identity at the provider.",
    EventType.NOTICE_DEAD: "Notices to people could not be delivered, and are tried no more.",
    EventType.NOTICE_REPLAYED: "{who} had notices sent again that could not be delivered.",
    EventType.NOTICE_CHOSEN: "{who} chose how to be told of what happens.",
}
"""Sentences of what people meet most; all else is told by the catalogue's few words."""

SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    "checkout.requested": ("question", "info"),
    "checkout.approved": ("check", "ok"),
    "checkout.rejected": ("stop", "bad"),
    "checkout.reopened": ("question", "warn"),
    "checkout.granted": ("key", "accent"),
    "checkout.returned": ("in", "ok"),
    "checkout.expired": ("clock", "info"),
    "checkout.lapsed": ("clock", "warn"),
    "checkout.revoked": ("stop", "bad"),
    "checkout": ("arrow", "info"),
    "secret.reveal.authorized": ("lock", "info"),
    "secret.reveal.released": ("eye", "warn"),
    "secret.reveal": ("alert", "bad"),
    "secret": ("check", "ok"),
    "rotation.displayed": ("eye", "warn"),
    "rotation.unknown": ("question", "bad"),
    "rotation.verified": ("shield", "ok"),
    "rotation": ("turn", "accent"),
    "stepup": ("person", "info"),
    "passkey": ("key", "info"),
    "session": ("person", "info"),
    "person": ("people", "info"),
    "role": ("people", "info"),
    "token": ("token", "info"),
    "account": ("accounts", "info"),
    "customer": ("accounts", "info"),
    "credential": ("in", "accent"),
    "custody": ("lock", "ok"),
    "audit": ("trail", "info"),
    "review": ("check", "ok"),
    "incident": ("alert", "warn"),
    "inspection": ("eye", "info"),
    "finding.opened": ("alert", "warn"),
    "finding": ("check", "info"),
    "campaign": ("turn", "info"),
    "case": ("reasons", "info"),
    "case.step.asked": ("people", "warn"),
    "case.step.done": ("check", "ok"),
    "case.step.waived": ("check", "warn"),
    "case.step.failed": ("alert", "warn"),
    "case.cancelled": ("stop", "info"),
    "handover": ("out", "info"),
    "handover.acknowledged": ("check", "ok"),
    "handover.grace": ("alert", "warn"),
    "upkeep": ("bell", "info"),
    "outlet": ("out", "info"),
    "notice": ("mail", "info"),
    "notice.dead": ("mail", "bad"),
}
_FAILED: Final = {
    Result.DENIED: ("stop", "bad"),
    Result.FAILED: ("alert", "bad"),
    Result.UNKNOWN: ("question", "warn"),
}
_SECRETS: Final = {"password": "password", "mfa": "one-time code"}
_SEEDS: Final = frozenset({"rotation", "credential", "secret.promoted"})


@dataclass(frozen=True, slots=True)
class Step:
    """One entry as a step of a story; `later` is how long after the step before it in time, None for the first."""

    index: int
    at: datetime
    type: str
    sentence: str
    icon: str
    tone: str
    result: words.Word | None
    facts: tuple[tuple[str, str], ...]
    account_id: str | None
    checkout_id: str | None
    later: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """The steps of one day (UTC), in the story's order."""

    date: date
    steps: tuple[Step, ...]


def days(entries: Sequence[Entry], *, newest_first: bool) -> tuple[Day, ...]:
    """Tell entries day by day; they are given in the order in which they are told."""
    steps = list(_steps(entries, newest_first=newest_first))
    return tuple(Day(day, tuple(group)) for day, group in groupby(steps, key=lambda step: step.at.date()))


def _steps(entries: Sequence[Entry], *, newest_first: bool) -> Iterator[Step]:
    times = [at_of(entry.content) for entry in entries]
    for place, entry in enumerate(entries):
        before = place + 1 if newest_first else place - 1
        later = times[place] - times[before] if 0 <= before < len(entries) else None
        yield step_of(entry, gap(later))


def step_of(entry: Entry, later: str | None = None) -> Step:
    """Tell one entry."""
    content = entry.content
    kind, result = str(content.get("type")), str(content.get("outcome"))
    icon, tone = _FAILED[Result(result)] if result in set(_FAILED) else sign_of(kind)
    return Step(
        index=entry.index,
        at=at_of(content),
        type=kind,
        sentence=sentence(content),
        icon=icon,
        tone=tone,
        result=None if result == Result.SUCCESS else words.outcome(result),
        facts=tuple(_facts(content)),
        account_id=_text(_part(content, "account").get("id")),
        checkout_id=_text(content.get("checkout")),
        later=later,
    )


def sentence(content: Mapping[str, object]) -> str:
    """Say in one sentence what an entry tells."""
    kind = str(content.get("type"))
    who = str(_part(content, "actor").get("name") or "The vault")
    if kind not in set(SENTENCES):
        return f"{words.event(kind)} ({who})."
    if content.get("outcome") == Result.DENIED and not kind.endswith((".refused", ".denied")):
        return f"{who} was refused: {words.event(kind).lower()}."
    return SENTENCES[EventType(kind)].format(who=who, secret=_secret(content, kind))


def sign_of(kind: str) -> tuple[str, str]:
    """Give the sign and the tone of a type: its own, else that of the family that it is of."""
    while kind:
        if kind in SIGNS:
            return SIGNS[kind]
        kind = kind.rpartition(".")[0]
    return "info", "info"


def gap(between: timedelta | None) -> str | None:
    """Say how much later, in the greatest unit that fits and the next; nothing for less than a second."""
    if between is None or between < timedelta(seconds=1):
        return None
    seconds = int(between.total_seconds())
    units = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for place, (name, size) in enumerate(units):
        count, rest = divmod(seconds, size)
        if count:
            plural = "s" if name == "day" and count > 1 else ""
            smaller = rest // units[place + 1][1] if place + 1 < len(units) else 0
            second = f" {smaller} {units[place + 1][0]}" if smaller and count < 10 and name != "day" else ""  # noqa: PLR2004 - more is not read
            return f"{count} {name}{plural}{second} later"
    return None


def at_of(content: Mapping[str, object]) -> datetime:
    """Give the time that an entry tells."""
    return datetime.fromisoformat(str(content.get("time")))


def _facts(content: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Give what a reader asks next: the reason, the ticket, who else, and why not."""
    reason, approval, detail = (_part(content, name) for name in ("reason", "approval", "detail"))
    for name, value in (
        ("Reason", reason.get("code")),
        ("Ticket", reason.get("ticket")),
        ("In their words", reason.get("text")),
        ("Comment", approval.get("comment")),
        ("Step", detail.get("step") if detail.get("case") else None),
        ("Refused because", detail.get("code")),
    ):
        if value:
            yield name, str(value)


def _secret(content: Mapping[str, object], kind: str) -> str:
    name = str(_part(content, "secret").get("kind"))
    if name == "mfa" and any(kind.startswith(family) for family in _SEEDS):
        return "MFA device"
    return _SECRETS.get(name, "secret")


def _part(content: Mapping[str, object], name: str) -> Mapping[str, Any]:
    found = content.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
