"""Campaigns: many accounts to rotate until a day, at a pace that two people agreed to, and who does which.

Decided here: what exactly two people agree to (`Plan`), when a campaign runs, and how far one account of it has come:
computed from the versions and rotations since it began, never stored. Never decided here: who may propose, take or
hand on (`services/campaigns`), or whether a lease may begin (the policy).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.credential import PartKind
from vault.domain.event import stamp
from vault.domain.told import Told, told

MOST_ACCOUNTS: Final = 5_000
MOST_PEOPLE: Final = 50
LONGEST: Final = timedelta(days=90)
"""The longest time that a campaign runs; what takes longer is proposed again, and looked at again."""
NAME_MAX: Final = 80
REASON: Final = "CRED_ROTATE"
"""The one reason under which a campaign's pace counts."""


class Parts(StrEnum):
    """What a campaign rotates of each account."""

    BOTH = "both"
    PASSWORD = "password"  # noqa: S105 - the name of a part, not a value
    MFA = "mfa"

    @property
    def kinds(self) -> tuple[PartKind, ...]:
        """The parts of a credential that it means."""
        return tuple(PartKind) if self is Parts.BOTH else (PartKind(self.value),)


class Stage(StrEnum):
    """How far one account of a campaign has come."""

    LEFT = "left"
    """Nothing that the campaign is about was rotated since it began."""
    STARTED = "started"
    """One of two parts was."""
    ROTATED = "rotated"
    """All were; not all of it is proven yet."""
    VERIFIED = "verified"
    """All were, and all is proven."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What two people agree to, whole: no list is looked up again later.

    `shares` gives the account numbers of each person by id, under an empty name those that nobody has yet;
    `people` names all who may have accounts of it. `until` is aware and in UTC, the pace is distinct accounts that one
    person opens in an hour.
    """

    name: str
    parts: Parts
    until: datetime
    accounts_per_hour: int
    people: frozenset[str]
    shares: Mapping[str, tuple[str, ...]]

    @property
    def accounts(self) -> tuple[str, ...]:
        """All account numbers, in order."""
        return tuple(sorted(number for share in self.shares.values() for number in share))

    def written(self) -> str:
        """Write it as canonical JSON: keys in order, no spaces, ASCII alone."""
        facts = {
            "accounts": {who: " ".join(sorted(share)) for who, share in self.shares.items() if share},
            "accounts_per_hour": self.accounts_per_hour,
            "name": self.name,
            "parts": self.parts.value,
            "people": sorted(self.people),
            "until": self.until.isoformat(timespec="seconds"),
        }
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def read_plan(content: str) -> Plan:
    """Read what `written` wrote."""
    facts = json.loads(content)
    return Plan(
        facts["name"],
        Parts(facts["parts"]),
        datetime.fromisoformat(facts["until"]),
        facts["accounts_per_hour"],
        frozenset(facts["people"]),
        {who: tuple(share.split()) for who, share in facts["accounts"].items()},
    )


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign that two people agreed to. Times are aware and in UTC; `accounts` is how many it has.

    `people` are those who may have accounts of it; whoever is shut out is taken out of them.
    """

    id: str
    proposal_id: str
    name: str
    why: str
    parts: Parts
    accounts: int
    accounts_per_hour: int
    people: frozenset[str]
    proposed_by: str
    agreed_by: str
    begun_at: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def running(self, now: datetime) -> bool:
        """Say whether it runs at `now`: nobody ended it, and its time is not over (rule 10)."""
        return self.ended_at is None and now < self.until


@dataclass(frozen=True, slots=True)
class Assignment:
    """One account of a campaign, and who has it: None where nobody does."""

    campaign_id: str
    account_id: str
    person_id: str | None
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """The day (UTC, as `2026-11-30`) on which a person was last reminded of their work."""

    person_id: str
    day: str


def stage_of(parts: Parts, rotated: int, verified: int) -> Stage:
    """Give how far an account has come, by how many of the campaign's parts were rotated and proven since it began."""
    wanted = len(parts.kinds)
    if rotated < wanted:
        return Stage.STARTED if rotated else Stage.LEFT
    return Stage.VERIFIED if verified >= wanted else Stage.ROTATED


def shared_out(accounts: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    """Share accounts out evenly: each, by number, goes to whoever of those that reach it has the fewest.

    `accounts` gives for each number who of the campaign's people reaches it; what none reaches stays nobody's.
    """
    shares: dict[str, list[str]] = {}
    for number in sorted(accounts):
        near = accounts[number]
        who = min(sorted(near), key=lambda each: len(shares.get(each, ())), default="")
        shares.setdefault(who, []).append(number)
    return {who: tuple(share) for who, share in shares.items()}


@told.register(Campaign)
def _(thing: Campaign) -> Told:
    return "campaign", thing.id, {
        "": "ended" if thing.ended_at else "begun",
        "of": f"{thing.proposal_id} {thing.parts} {thing.accounts}",
        "words": hashlib.sha256(f"{thing.name}\n{thing.why}".encode()).hexdigest(),
        "accounts_per_hour": str(thing.accounts_per_hour),
        "people": " ".join(sorted(thing.people)),
        "by": f"{thing.proposed_by} {thing.agreed_by}",
        "until": stamp(thing.until),
        "ended_by": thing.ended_by or "",
    }  # fmt: skip


@told.register(Assignment)
def _(thing: Assignment) -> Told:
    return "campaign_account", f"{thing.campaign_id}/{thing.account_id}", {"": thing.person_id or "nobody"}


@told.register(Reminder)
def _(thing: Reminder) -> Told:
    return "reminder", thing.person_id, {"": thing.day}
