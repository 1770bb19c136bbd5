"""Port and stores of what is seen of accounts through their roles, and of what was found wrong.

Decided here: looking crosses the network, never within a transaction, and never raises: what could not be seen is
`Unknown` in the answer. Stores work, as in `vault.ports.store`, inside the unit's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from vault.domain.account import Account
from vault.domain.actor import Reach
from vault.domain.hygiene import DRIFT, Finding, FindingState, Rule, Wanted
from vault.domain.inspection import Inspection, Reason, Roster
from vault.ports.records import Page, Slice


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to look at: the account, its customer's DDI (of which an external id may be made), and for whom.

    `source` is who asked, as AWS's own records will name them (SourceIdentity).
    """

    account_id: str
    ddi: str
    source: str


class Inspector(Protocol):
    """Looks at accounts through a role in each."""

    def look(self, target: Target, wanted: Wanted, at: datetime) -> Inspection:
        """See what can be seen of an account, in bounded time; never raises for what AWS answers."""
        ...

    def roster(self, target: Target, at: datetime) -> Roster:
        """Read an Organization's list of accounts as its payer sees it: the whole of it, or why not."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """When an account is looked at next; `asked_by` is who asked for it, empty for the schedule."""

    account_id: str
    next_at: datetime
    asked_by: str = ""
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RosterState:
    """How the last reading of a payer's list went: how many accounts, or why it is not known."""

    payer_id: str
    at: datetime
    count: int | None
    reason: Reason | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class InspectionNumbers:
    """How many accounts are looked at at all, how many were, and since when the longest ago was."""

    accounts: int
    seen: int
    oldest: datetime | None


class InspectionStore(Protocol):
    """What was seen of accounts; the same seen again is kept once."""

    def add(self, inspection: Inspection) -> None:
        """Keep what was seen for the first time."""
        ...

    def again(self, inspection: Inspection, at: datetime) -> None:
        """Write that the very same was seen again."""
        ...

    def latest(self, account_ids: tuple[str, ...]) -> Mapping[str, Inspection]:
        """Give what was seen of each account last, in one query."""
        ...

    def of(self, account_id: str, since: datetime | None, limit: int) -> tuple[Inspection, ...]:
        """List what was seen of an account, newest first; with `since`, what was still seen by then or later."""
        ...

    def turn(self, account_id: str) -> Turn | None:
        """Give when an account is looked at next; None where it never was."""
        ...

    def put_turn(self, turn: Turn) -> None:
        """Write when an account is looked at next."""
        ...

    def claim(self, now: datetime, until: datetime, limit: int) -> tuple[Turn, ...]:
        """Take accounts whose turn it is: nobody else gets them before `until`. Asked for ones come first."""
        ...

    def rosters(self, reach: Reach) -> tuple[RosterState, ...]:
        """List how the reading of each payer's list went."""
        ...

    def put_roster(self, state: RosterState) -> None:
        """Write how the reading of a payer's list went."""
        ...

    def numbers(self) -> InspectionNumbers:
        """Count accounts looked at."""
        ...

    def scene(self, customer_id: str, listed: tuple[str, ...]) -> Mapping[str, Account]:
        """Give a customer's payers and members, and whatever accounts of these numbers there are."""
        ...


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings; None does not narrow."""

    state: FindingState | None = None
    rules: frozenset[Rule] | None = None
    account_id: str | None = None
    customer_id: str | None = None
    owner_id: str | None = None


OF_DRIFT = FindingFilter(rules=DRIFT)


@dataclass(frozen=True, slots=True)
class FindingCount:
    """How many findings of a rule are open, and since when the oldest is."""

    rule: Rule
    count: int
    oldest: datetime


class FindingStore(Protocol):
    """Findings."""

    def add(self, finding: Finding) -> bool:
        """Keep a new one; False, and nothing is changed, where there is one of this account, rule and subject."""
        ...

    def get(self, finding_id: str) -> Finding | None:
        """Find by id."""
        ...

    def lock(self, finding_id: str) -> Finding | None:
        """Find by id and hold its row until the unit ends."""
        ...

    def hold(self, account_ids: tuple[str, ...]) -> tuple[Finding, ...]:
        """Give all findings of these accounts, holding their rows, in one order."""
        ...

    def left(self, rules: frozenset[Rule], limit: int) -> tuple[Finding, ...]:
        """List standing findings of these rules whose accounts are not looked at any more."""
        ...

    def update(self, finding: Finding) -> None:
        """Write all that changes of one."""
        ...

    def touch(self, finding_ids: tuple[str, ...], at: datetime) -> None:
        """Write that these were seen again."""
        ...

    def page(self, reach: Reach, wanted: FindingFilter, part: Slice) -> Page[Finding]:
        """List within `reach`: open ones first, the weightiest and then the oldest first."""
        ...

    def open_counts(self, reach: Reach) -> tuple[FindingCount, ...]:
        """Count open ones by rule."""
        ...

    def open_of(self, account_ids: tuple[str, ...]) -> Mapping[str, tuple[Finding, ...]]:
        """Give the open findings of many accounts in one query."""
        ...


SPREAD = timedelta(minutes=1)
"""How often the worker takes accounts whose turn it is."""
