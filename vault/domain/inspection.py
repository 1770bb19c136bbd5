"""What was seen of an account through its role: facts, each known or not, and never guessed.

Decided here: what is looked at, and that what could not be seen is `Unknown` with its reason, which passes for
nothing: neither for a fault nor for its absence. Access denied is unknown, never a pass. Never decided here: how it
is asked for (`vault.adapters.inspection`), and what is a finding (`vault.domain.hygiene`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, TypeAlias, TypeVar

T = TypeVar("T")


class Reason(StrEnum):
    """Why a fact is not known."""

    DENIED = "denied"
    """AWS refused the role this question."""
    NO_ROLE = "no_role"
    """The role could not be assumed, so nothing was asked."""
    NO_ANSWER = "no_answer"
    """AWS did not answer, or not in time."""
    THROTTLED = "throttled"
    """AWS put the question off until there was no time left."""
    FAILED = "failed"
    """AWS answered with an error of another kind."""
    UNREADABLE = "unreadable"
    """The answer lacked what was asked for, or was of no known shape."""
    NOT_ASKED = "not_asked"
    """Nothing was asked: the settings leave it out, or the time was up before."""


IN_WORDS: Final[Mapping[Reason, str]] = {
    Reason.DENIED: "AWS refuses the role this question",
    Reason.NO_ROLE: "the role cannot be assumed",
    Reason.NO_ANSWER: "AWS did not answer",
    Reason.THROTTLED: "AWS put it off until the time was up",
    Reason.FAILED: "AWS answered with an error",
    Reason.UNREADABLE: "the answer did not hold it",
    Reason.NOT_ASKED: "it was not asked",
}
"""Each reason as part of a sentence."""


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A fact as AWS told it."""

    value: T


@dataclass(frozen=True, slots=True)
class Unknown:
    """No fact. `code` is AWS's word for the error, or empty."""

    reason: Reason
    code: str = ""


Fact: TypeAlias = Known[T] | Unknown
"""A fact, or why there is none."""


class Place(StrEnum):
    """Where an account stands towards an Organization."""

    ALONE = "alone"
    PAYER = "payer"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Membership:
    """The Organization an account is in; ids are empty for an account alone."""

    place: Place
    organization: str = ""
    payer_id: str = ""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """IAM's password policy of an account; `remembers` is how many former passwords may not come again."""

    length: int
    upper: bool
    lower: bool
    number: bool
    symbol: bool
    remembers: int


class Contact(StrEnum):
    """AWS's alternate contacts."""

    BILLING = "billing"
    OPERATIONS = "operations"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """Root's row of the credential report, which AWS keeps for up to four hours (`generated_at`).

    `password_last_used` is None where AWS tells of no use; the others are None where AWS says neither.
    """

    generated_at: datetime
    password_enabled: bool | None
    password_last_used: datetime | None
    mfa_active: bool | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was seen of one account at one time.

    The four of root come from IAM's account summary, which is fresh. `policy` is `Known(None)` where the account
    has none. `contacts` names those that are there. `defaults` tells of each default by its name whether it is
    there (A5). `request_ids` are those of AWS's answers, to be found in CloudTrail.
    """

    id: str
    account_id: str
    at: datetime
    root_keys: Fact[bool]
    root_mfa: Fact[bool]
    root_password: Fact[bool]
    root_certificates: Fact[bool]
    policy: Fact[PasswordPolicy | None]
    membership: Fact[Membership]
    contacts: Fact[frozenset[Contact]]
    report: Fact[ReportRow]
    defaults: Mapping[str, Fact[bool]] = field(default_factory=dict)
    request_ids: tuple[str, ...] = ()
    again_at: datetime | None = None
    """When the very same was seen last, if it was seen again: what is unchanged is kept once."""

    @property
    def seen_at(self) -> datetime:
        """When it was seen last."""
        return self.again_at or self.at


def unseen(
    number: str, account_id: str, at: datetime, why: Unknown, defaults: Iterable[str] = ()
) -> Inspection:
    """Make the inspection of an account of which nothing could be seen."""
    return Inspection(
        number, account_id, at, why, why, why, why, why, why, why, why, dict.fromkeys(defaults, why)
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as its Organization lists it; `state` is AWS's word (`State`, else `Status`)."""

    id: str
    name: str
    email: str
    state: str


@dataclass(frozen=True, slots=True)
class Roster:
    """An Organization's list of accounts as its payer saw it, the whole of it or nothing."""

    payer_id: str
    at: datetime
    listed: Fact[tuple[Listed, ...]]
    request_ids: tuple[str, ...] = ()
