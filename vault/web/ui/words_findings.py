"""Findings and what is seen of accounts, in the words of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vault.domain.hygiene import FindingState, Rule
from vault.domain.inspection import IN_WORDS, Inspection, Known, Place, Unknown
from vault.web.ui.words import Word

RULE: Final[Mapping[Rule, Word]] = {
    Rule.ROOT_KEYS: Word(
        "Root has access keys", "bad", "key", "None may exist. Delete them signed in as root."
    ),
    Rule.MFA_OFF: Word(
        "Root without MFA", "bad", "alert", "The vault holds a device that AWS does not have."
    ),
    Rule.PASSWORD_GONE: Word(
        "Root without password", "bad", "alert", "The vault holds one, and AWS has none that it could open."
    ),
    Rule.ROOT_BACK: Word(
        "Root credentials are back", "bad", "alert", "The account is kept without any; somebody set some."
    ),
    Rule.ROOT_CERTIFICATES: Word(
        "Root has signing certificates", "bad", "key", "They are keys by another name. Delete them."
    ),
    Rule.PLACE: Word(
        "Elsewhere in an Organization", "warn", "accounts", "AWS has it at another place than the vault."
    ),
    Rule.UNSEEN: Word(
        "Cannot be looked at", "warn", "question", "Its role cannot be assumed; nothing is checked."
    ),
    Rule.PASSWORD_POLICY: Word(
        "Weak password policy", "warn", "shield", "It is IAM's, for IAM users; root has AWS's own rules."
    ),
    Rule.CONTACT: Word("Contact missing", "warn", "mail", "AWS has nobody to write to about this."),
    Rule.DEFAULT: Word(
        "Default missing", "warn", "question", "It was applied when the account was taken over."
    ),
    Rule.NOT_IN_VAULT: Word(
        "Not in the vault", "warn", "question", "Its Organization has it. Register it, or let it go."
    ),
    Rule.NOT_IN_ORGANIZATION: Word(
        "Not in the Organization", "warn", "out", "It left, or was never there. Find out whose it is now."
    ),
    Rule.OTHER_CUSTOMER: Word(
        "Under another customer", "warn", "people", "One customer's Organization lists another's account."
    ),
    Rule.EMAIL_DIFFERS: Word(
        "Another root e-mail", "bad", "mail", "Whoever reads that mailbox may reset this root. Find out why."
    ),
    Rule.NAME_DIFFERS: Word("Another name", "info", "accounts", "The names differ; one of them is old."),
    Rule.STATE_DIFFERS: Word(
        "Open or closed", "warn", "clock", "AWS and the vault disagree whether it is open."
    ),
}
FINDING_STATE: Final[Mapping[FindingState, Word]] = {
    FindingState.OPEN: Word("Open", "warn", "alert", "It waits for somebody."),
    FindingState.ACCEPTED: Word("Accepted", "info", "check", "It may stay for a time."),
    FindingState.CLOSED: Word("Closed", "ok", "check", "It is mended."),
}
UNKNOWN: Final = IN_WORDS
_FACT: Final[Mapping[str, str]] = {
    "root_keys": "Root access keys",
    "root_certificates": "Root signing certificates",
    "root_mfa": "Root MFA",
    "root_password": "Root password",
    "policy": "Password policy for IAM users",
    "membership": "Organization",
    "contacts": "Alternate contacts",
    "report": "Root password last used",
}
_PLACE: Final[Mapping[Place, str]] = {
    Place.ALONE: "in none",
    Place.PAYER: "its payer",
    Place.MEMBER: "member under",
}


def rows(seen: Inspection) -> list[tuple[str, str, Unknown | None]]:
    """Give the facts of an inspection as a page lists them: name, words, and why one is not known."""
    told = {name: _told(name, getattr(seen, name)) for name in _FACT}
    return [
        (words, told[name], fact if isinstance(fact := getattr(seen, name), Unknown) else None)
        for name, words in _FACT.items()
    ]


def _told(name: str, fact: object) -> str:
    if not isinstance(fact, Known):
        return ""
    value = fact.value
    if isinstance(value, bool):
        return "there" if value else "none"
    if name == "membership":
        return f"{_PLACE[value.place]} {value.payer_id if value.place is Place.MEMBER else ''}".strip()
    if name == "contacts":
        return ", ".join(sorted(value)) or "none"
    if name == "report":
        used = value.password_last_used
        return "no use is known" if used is None else f"{used:%Y-%m-%d %H:%M} UTC"
    if value is None:
        return "none"
    return f"{value.length} characters, {value.remembers} remembered"
