"""Release: what proves that our password is dead, what is kept of a handover's end, and the customer's link (H9, S30).

Decided here: which record of AWS proves that the customer set a password of their own, and what a link and a code are
good for. Never decided here: who releases (`vault.domain.plans.release`), and when what we kept is destroyed.

A link has 256 random bits and goes by mail to the signatory alone; its code goes by another way. Together they open
the customer's page once, in one browser, for `VISIT_LASTS`. Either of the two alone opens nothing and tells nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.credential import PartKind
from vault.domain.event import stamp
from vault.domain.observation import Act, Observation, Source
from vault.domain.proof import SLACK, Use, Window, floor
from vault.domain.told import Told, told

CUSTOMER: Final = "system:customer"
CUSTOMER_NAME: Final = "the customer's page"
"""Who did what was done on a customer's page."""
TRIES: Final = 5
"""So many wrong codes end a link."""
VISIT_LASTS: Final = timedelta(minutes=60)
"""So long the customer's page stays open in the browser that gave the code."""
WARNING: Final = timedelta(days=7)
"""So long before the grace ends its end is warned of."""
CODE_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and letters that are not taken for one another when they are read out; 0, 1, I, L, O and U are missing."""
CODE_LENGTH: Final = 8
NAME_MAX: Final = 100
"""The longest name that is signed with, in characters."""
_TOKEN_TOLD: Final = 32
_RESETS: Final = frozenset({Act.PASSWORD_RECOVERED, Act.PASSWORD_UPDATED})


class Way(StrEnum):
    """How a handover's end was acknowledged."""

    PAGE = "page"
    """By the signatory, on the customer's page."""
    LETTER = "letter"
    """By a letter, a ticket or the like, of which one of us keeps where it is."""


class LinkEnd(StrEnum):
    """Why a link opens nothing any more."""

    REPLACED = "replaced"
    EXPIRED = "expired"
    """Its time was over, and it had not been opened."""
    GUESSED = "guessed"
    """Too many wrong codes."""
    RESTORED = "restored"
    """The vault was restored from a backup, which may be older than its opening."""
    UNSENT = "unsent"
    """No mail server took it."""


@dataclass(frozen=True, slots=True)
class Handed:
    """The end of a handover: released, and perhaps acknowledged. Times are aware and in UTC.

    `destroy_after` is when what we kept is destroyed without an acknowledgement. `signed` is the name that the
    acknowledgement was signed with, `link_id` the link by which it came; empty for a letter.
    """

    case_id: str
    released_at: datetime
    destroy_after: datetime
    warned_at: datetime | None = None
    acknowledged_at: datetime | None = None
    way: Way | None = None
    signed: str = ""
    link_id: str = ""


@dataclass(frozen=True, slots=True)
class CustomerLink:
    """A link to the customer's page of one handover.

    `token_hash` is the hex SHA-256 of its token, `code_hash` the hex HMAC of its code under a key outside the database,
    `visit_hash` that of the visit that it opened. `wrong` counts codes that were not right.
    """

    id: str
    case_id: str
    token_hash: str
    code_hash: str
    sent_to: str
    made_by: str
    made_at: datetime
    until: datetime
    mailed_at: datetime | None = None
    wrong: int = 0
    opened_at: datetime | None = None
    visit_hash: str | None = None
    visit_until: datetime | None = None
    ended_at: datetime | None = None
    ending: LinkEnd | None = None

    def opens(self, now: datetime) -> bool:
        """Say whether link and code open the page now: never twice."""
        return (
            self.ended_at is None
            and self.mailed_at is not None
            and self.opened_at is None
            and self.wrong < TRIES
            and now < self.until
        )

    def shows(self, now: datetime) -> bool:
        """Say whether the visit that it opened goes on."""
        return self.ended_at is None and self.visit_until is not None and now < self.visit_until


def spelled(code: str) -> str:
    """Give a code as it is kept: capitals, without blanks and hyphens; what a phone garbles stays wrong."""
    return "".join(each for each in code.upper() if each not in " -\u2010\u2011\u2013")[: 2 * CODE_LENGTH]


def same_name(one: str, other: str) -> bool:
    """Say whether two names are one: capitals, blanks and ways of writing the same letters aside (Unicode NFKC)."""
    first, second = (
        " ".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in (one, other)
    )
    return first == second


def reset_by_owner(
    account_id: str,
    since: datetime,
    seen: Iterable[Observation],
    windows: Sequence[Window],
    uses: Sequence[Use],
) -> Observation | None:
    """Find what AWS wrote down of the new owner's own password: the first record that nothing of ours explains.

    `since` is when the root e-mail became the customer's; AWS tells whole seconds. A rotation's window explains every
    change in it. A recovery takes the mailbox, which is theirs by then; a change takes whoever is signed in, so one in
    a lease that gave out a value of ours proves nothing. What root did not do itself, and what AWS refused, proves
    nothing either (CloudTrail, "AWS Management Console sign-in events").
    """
    own = [window for window in windows if window.kind is PartKind.PASSWORD and not window.refused]
    for each in sorted(seen, key=lambda one: (one.at, one.id)):
        if (
            each.account_id == account_id
            and each.source is Source.CLOUDTRAIL
            and each.act in _RESETS
            and each.counts
            and each.at >= floor(since)
            and not any(window.covers(each.at) for window in own)
            and (each.act is Act.PASSWORD_RECOVERED or not any(_within(use, each.at) for use in uses))
        ):
            return each
    return None


def _within(use: Use, at: datetime) -> bool:
    return floor(use.began) <= at and (use.ended is None or at <= use.ended + SLACK)


@told.register(Handed)
def _(thing: Handed) -> Told:
    return "handed", thing.case_id, {
        "": "released" if thing.acknowledged_at is None else "acknowledged",
        "released_at": stamp(thing.released_at),
        "destroy_after": stamp(thing.destroy_after),
        "warned_at": "" if thing.warned_at is None else stamp(thing.warned_at),
        "acknowledged_at": "" if thing.acknowledged_at is None else stamp(thing.acknowledged_at),
        "way": thing.way or "",
        "signed": thing.signed,
        "link": thing.link_id,
    }  # fmt: skip


@told.register(CustomerLink)
def _(thing: CustomerLink) -> Told:
    state = "made" if thing.mailed_at is None else "mailed" if thing.opened_at is None else "opened"
    return "handover_link", thing.id, {
        "": state if thing.ending is None else f"ended {thing.ending}",
        "of": thing.case_id,
        "token": thing.token_hash[:_TOKEN_TOLD],
        "until": stamp(thing.until),
        "visit_until": "" if thing.visit_until is None else stamp(thing.visit_until),
    }  # fmt: skip
