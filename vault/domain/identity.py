"""Identities at a provider (OpenID Connect): which person one belongs to, and what its groups take away.

Decided here: an identity is an issuer and a subject, never an e-mail address (OpenID Connect Core 1.0 section 5.7:
only both together are unique and stay). A role that the settings list needs one of its groups; a role they do not
list is not the provider's to judge. Groups take away, they never give (S19). Never decided here: whether a
provider's answer is genuine (the adapter does), or whom to let in (`services.federation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.actor import Role

VISIT_LASTS: Final = timedelta(minutes=10)
"""From leaving for the provider until everything is done."""

RoleGroups = Mapping[Role, frozenset[str]]
"""The groups that let a role be used, for each role that is listed; a role that is not listed needs none."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A subject at an issuer that stands for a person's password, from when they linked it until it is unlinked."""

    id: str
    person_id: str
    issuer: str
    subject: str
    linked_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None


class VisitPurpose(StrEnum):
    """Why a browser is sent to the provider."""

    SIGN_IN = "sign_in"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Visit:
    """One way to the provider and back: of one browser, once, for ten minutes.

    `id` is the hex SHA-256 of the state that went with it, `browser_hash` that of the browser's cookie. Nonce and
    PKCE verifier are computed from the state under the server's key and stand nowhere. `session` and `person_id`
    are of who links. What the provider answered is in `subject`, `label` (what to show of it) and `withheld`.
    """

    id: str
    browser_hash: str
    purpose: VisitPurpose
    issuer: str
    asked_for: str
    begun_at: datetime
    until: datetime
    person_id: str | None = None
    session: str = ""
    subject: str | None = None
    label: str = ""
    withheld: frozenset[str] = field(default_factory=frozenset)
    answered_at: datetime | None = None
    used_at: datetime | None = None

    def waits(self, now: datetime) -> bool:
        """Say whether the provider's answer is awaited."""
        return self.answered_at is None and self.used_at is None and now < self.until

    def answered(self, now: datetime) -> bool:
        """Say whether the provider vouched for somebody, and nothing was made of it yet."""
        return self.subject is not None and self.used_at is None and now < self.until


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine answer said of whom: nothing else of it is looked at."""

    subject: str
    label: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Vouched:
    """That the provider vouched for a person, in a visit that their second factor uses up."""

    visit_id: str
    person_id: str
    issuer: str
    withheld: frozenset[str]


def withheld(needed: RoleGroups, groups: frozenset[str]) -> frozenset[str]:
    """Name the roles that these groups do not let be used."""
    return frozenset(role.value for role, names in needed.items() if not names & groups)


def is_subject(text: str) -> bool:
    """Say whether a text can be a subject (OpenID Connect Core 1.0 section 2: at most 255 ASCII characters)."""
    return 1 <= len(text) <= 255 and text.isascii() and text.isprintable()  # noqa: PLR2004 - the section's number
