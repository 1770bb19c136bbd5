"""What is asked of the stores of campaigns and of coming work.

As in `vault.ports.store`, every method works inside the unit's transaction. None of them runs a number of statements
that grows with the accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from vault.domain.actor import Reach
from vault.domain.campaign import Assignment, Campaign, Reminder, Stage
from vault.domain.credential import PartKind
from vault.ports.records import Page, Slice


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which accounts of a campaign; None does not narrow, an empty person means nobody's."""

    person_id: str | None = None
    stage: Stage | None = None


class Stands(NamedTuple):
    """How many accounts of a campaign one person has (None: nobody) at one stage."""

    campaign_id: str
    person_id: str | None
    stage: Stage
    accounts: int


class Item(NamedTuple):
    """One account of a campaign, whose it is, how far it has come, and its customer and name."""

    assignment: Assignment
    stage: Stage
    customer_id: str
    account_name: str


class Unproven(NamedTuple):
    """An accepted rotation that nothing proved yet, and since when AWS has the value."""

    account_id: str
    kind: PartKind
    rotation_id: str
    attested_at: datetime


class CampaignStore(Protocol):
    """Campaigns, their accounts, and reminders of them."""

    def add(self, campaign: Campaign, accounts: Sequence[Assignment]) -> None:
        """Keep a new one with all its accounts."""
        ...

    def get(self, campaign_id: str) -> Campaign | None:
        """Find by id."""
        ...

    def lock(self, campaign_id: str) -> Campaign | None:
        """Find by id and hold its row until the unit ends: before any of its accounts is given to somebody."""
        ...

    def update(self, campaign: Campaign) -> None:
        """Write its people and its end."""
        ...

    def page(self, reach: Reach, part: Slice, *, running_at: datetime | None = None) -> Page[Campaign]:
        """List those that have an account within `reach`, newest first; with `running_at` only those that run then."""
        ...

    def open(self) -> tuple[Campaign, ...]:
        """List those that nobody ended, oldest first, whether or not their time is over."""
        ...

    def progress(self, campaign_ids: Sequence[str], reach: Reach) -> tuple[Stands, ...]:
        """Count the accounts of many campaigns within `reach` by person and stage."""
        ...

    def accounts(self, campaign_id: str, reach: Reach, wanted: Wanted, part: Slice) -> Page[Item]:
        """List a campaign's accounts within `reach`, by number."""
        ...

    def assignments(
        self, campaign_id: str, account_ids: Sequence[str] | None = None, person_id: str | None = None
    ) -> Mapping[str, Assignment]:
        """Find some, a person's, or all accounts of a campaign by number."""
        ...

    def assign(self, changed: Sequence[Assignment]) -> None:
        """Write whose accounts they are."""
        ...

    def within(self, person_id: str, account_ids: Sequence[str], now: datetime) -> Mapping[str, Campaign]:
        """Find, by account, the running campaign with the fastest pace in which this person has the account."""
        ...

    def done(self, person_id: str, account_ids: Sequence[str], now: datetime) -> Mapping[str, datetime]:
        """Find which of a person's accounts have all rotated that their running campaigns mean, and since when."""
        ...

    def having(self, account_ids: Sequence[str], now: datetime) -> Mapping[str, tuple[Campaign, Assignment]]:
        """Find, by account, the running campaign that ends first and has it."""
        ...

    def reminders(self) -> Mapping[str, Reminder]:
        """List the last reminder of everybody, by person."""
        ...

    def remind(self, reminder: Reminder) -> bool:
        """Write that somebody is reminded on a day; False where that day, or a later one, is written already."""
        ...


class ComingStore(Protocol):
    """What becomes due when, read for everybody's accounts at once."""

    def aging(self, reach: Reach, since: datetime, until: datetime) -> tuple[tuple[str, datetime], ...]:
        """Name the accounts whose current value is in use since a time in [since, until), with that time."""
        ...

    def unproven(self, reach: Reach, since: datetime | None, until: datetime) -> tuple[Unproven, ...]:
        """List accepted, unproven rotations that were attested in [since, until), oldest first."""
        ...
