"""Campaigns and the calendar of coming work on the wire."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from vault.domain.account import Kind
from vault.domain.campaign import MOST_ACCOUNTS, MOST_PEOPLE, NAME_MAX, Parts, Stage
from vault.domain.health import Health, Why
from vault.services.campaigns import TAKEN_AT_ONCE
from vault.services.coming import LONGEST, NAMED
from vault.services.planning import Where, Wish
from vault.services.velocity import BUDGET_MOST
from vault.web.api.schemas.base import (
    AccountId,
    Body,
    Lax,
    Line,
    PageQuery,
    PersonName,
    Query,
    QueryTime,
    Resource,
)
from vault.web.api.schemas.proposals import Proposing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.account import Account
    from vault.ports.campaigns import Item
    from vault.services.campaigns import CampaignView
    from vault.services.coming import ComingDay

PersonId = Annotated[str, StringConstraints(max_length=36)]


class CampaignQuery(PageQuery):
    """Which campaigns, newest first."""

    state: Literal["running", "any"] = "running"


class CandidateQuery(Query):
    """Which held accounts."""

    customer_id: Line | None = Field(default=None, description="A customer's id or DDI.")
    kind: Kind | None = None
    health: Health | None = None
    why: Why | None = None

    def where(self, customer_id: str | None) -> Where:
        """Give what the service takes."""
        healths = frozenset() if self.health is None else frozenset({self.health})
        whys = frozenset() if self.why is None else frozenset({self.why})
        return Where(customer_id, self.kind, healths, whys)


class CandidatesResource(Resource):
    """What a filter finds now; the first of them are named."""

    count: int
    accounts: list[AccountId]

    @classmethod
    def of(cls, found: tuple[Account, ...]) -> CandidatesResource:
        """Show them."""
        return cls(count=len(found), accounts=[each.id for each in found[:TAKEN_AT_ONCE]])


class PeopleResource(Resource):
    """People by name."""

    items: list[PersonName]


class Filter(Body):
    """Which held accounts, looked up once, when the campaign is proposed; of a list any fits."""

    customer_id: Line | None = Field(default=None, description="A customer's id or DDI.")
    kind: Annotated[Kind, Lax] | None = None
    health: list[Annotated[Health, Lax]] = Field(default=[], max_length=len(Health))
    why: list[Annotated[Why, Lax]] = Field(default=[], max_length=len(Why))


class NewCampaign(Proposing):
    """What two people shall agree to: either `accounts` are named, or `filter` finds them now."""

    name: Annotated[Line, StringConstraints(min_length=1, max_length=NAME_MAX)]
    parts: Annotated[Parts, Lax] = Parts.BOTH
    until: QueryTime
    accounts_per_hour: Annotated[int, Field(ge=1, le=BUDGET_MOST)] = Field(
        description="Distinct accounts of it that one person may open in an hour."
    )
    people: Annotated[list[PersonId], Field(min_length=1, max_length=MOST_PEOPLE)] = Field(
        description="Ids of all who may ever have accounts of it; never who proposes or agrees."
    )
    accounts: Annotated[list[AccountId], Field(min_length=1, max_length=MOST_ACCOUNTS)] | None = None
    filter: Filter = Filter()
    share: bool = Field(
        default=True, description="Share them out evenly now; else each takes what nobody has."
    )

    def wish(self, customer_id: str | None) -> Wish:
        """Give what the service takes."""
        narrowed = self.filter
        where = Where(customer_id, narrowed.kind, frozenset(narrowed.health), frozenset(narrowed.why))
        named = None if self.accounts is None else tuple(self.accounts)
        who = tuple(self.people)
        return Wish(
            self.name,
            self.why,
            self.parts,
            self.until,
            self.accounts_per_hour,
            who,
            named,
            where,
            self.share,
        )


class Taking(Body):
    """Which accounts: those named, or the next so many of which nothing is done."""

    accounts: Annotated[list[AccountId], Field(min_length=1, max_length=TAKEN_AT_ONCE)] | None = None
    count: Annotated[int, Field(ge=1, le=TAKEN_AT_ONCE)] = 1

    @property
    def wanted(self) -> tuple[str, ...] | int:
        """Give what the service takes."""
        return self.count if self.accounts is None else tuple(self.accounts)


class Assigning(Taking):
    """Which accounts go to whom: those named, or the next so many of `from_person`'s."""

    from_person: PersonId | None = Field(default=None, description="Null: of nobody's.")
    to_person: PersonId | None = Field(description="Null: to nobody.")


class ShareResource(Resource):
    """How many accounts of a campaign a person has at each stage; a person of null: nobody."""

    person: PersonName | None
    left: int
    started: int
    rotated: int
    verified: int


class CampaignResource(Resource):
    """A campaign, and how far its accounts within your sight have come: computed at this moment."""

    id: str
    name: str
    why: str
    parts: Parts
    state: Literal["running", "over"]
    accounts: int = Field(description="How many it has.")
    accounts_per_hour: int
    proposed_by: str
    agreed_by: str
    proposal_id: str
    begun_at: dt.datetime
    until: dt.datetime
    ended_at: dt.datetime | None
    ended_by: str | None
    seen: int = Field(description="How many of its accounts are within your sight.")
    left: int
    started: int
    rotated: int
    verified: int

    @classmethod
    def of(cls, view: CampaignView, now: dt.datetime) -> CampaignResource:
        """Show one."""
        return cls(**_facts(view, now))


class CampaignWhole(CampaignResource):
    """A campaign with its people."""

    people: list[PersonName]
    shares: list[ShareResource]

    @classmethod
    def whole(cls, view: CampaignView, names: Mapping[str, str], now: dt.datetime) -> CampaignWhole:
        """Show one with the names of its people."""
        owners = sorted({each.person_id for each in view.stands}, key=lambda each: names.get(each or "", ""))
        people = [PersonName(id=each, name=names.get(each, each)) for each in sorted(view.campaign.people)]
        return cls(**_facts(view, now), people=people, shares=[_share(view, each, names) for each in owners])


class CampaignAccountQuery(PageQuery):
    """Which accounts of a campaign, by number."""

    stage: Stage | None = None
    person: PersonId | None = Field(default=None, description="A person's id; `nobody`: what nobody has.")


class CampaignAccount(Resource):
    """One account of a campaign."""

    account_id: AccountId
    name: str
    customer_id: str
    person_id: str | None
    stage: Stage
    changed_at: dt.datetime = Field(description="When it became whose it is.")

    @classmethod
    def of(cls, item: Item) -> CampaignAccount:
        """Show one."""
        return cls(
            account_id=item.assignment.account_id,
            name=item.account_name,
            customer_id=item.customer_id,
            person_id=item.assignment.person_id,
            stage=item.stage,
            changed_at=item.assignment.changed_at,
        )


class CalendarQuery(Query):
    """Which days (UTC); without any, the next four weeks."""

    since: dt.date | None = Field(default=None, alias="from", description="The first day.")
    until: dt.date | None = Field(default=None, description=f"The last day; {LONGEST} days at most.")


class CampaignBrief(Resource):
    """Which campaign."""

    id: str
    name: str


class CalendarDay(Resource):
    """What falls on one day; of accounts all are counted and the first named."""

    day: dt.date
    aging: int = Field(description="Accounts whose credential gets older than the policy allows.")
    aging_accounts: list[AccountId]
    unverified: int = Field(
        description="Accounts with a rotation that has waited for its proof for too long."
    )
    unverified_accounts: list[AccountId]
    campaigns: list[CampaignBrief] = Field(description="Campaigns that end.")
    reviews: list[dt.date] = Field(description="Days of the log whose review is overdue from here on.")

    @classmethod
    def of(cls, day: ComingDay) -> CalendarDay:
        """Show one."""
        return cls(
            day=day.day,
            aging=len(day.aging),
            aging_accounts=day.aging[:NAMED],
            unverified=len(day.unproven),
            unverified_accounts=day.unproven[:NAMED],
            campaigns=[CampaignBrief(id=each.id, name=each.name) for each in day.campaigns],
            reviews=day.reviews,
        )


class Calendar(Resource):
    """Coming days, each with what falls on it while nobody does anything about it."""

    days: list[CalendarDay]


def _share(view: CampaignView, person_id: str | None, names: Mapping[str, str]) -> ShareResource:
    counts = {stage.value: count for stage, count in view.of(person_id).items()}
    who = None if person_id is None else PersonName(id=person_id, name=names.get(person_id, person_id))
    return ShareResource(person=who, **counts)


def _facts(view: CampaignView, now: dt.datetime) -> dict[str, Any]:
    campaign = view.campaign
    return {
        "id": campaign.id,
        "name": campaign.name,
        "why": campaign.why,
        "parts": campaign.parts,
        "state": "running" if campaign.running(now) else "over",
        "accounts": campaign.accounts,
        "accounts_per_hour": campaign.accounts_per_hour,
        "proposed_by": campaign.proposed_by,
        "agreed_by": campaign.agreed_by,
        "proposal_id": campaign.proposal_id,
        "begun_at": campaign.begun_at,
        "until": campaign.until,
        "ended_at": campaign.ended_at,
        "ended_by": campaign.ended_by,
        "seen": view.seen,
        **{stage.value: view.at(stage) for stage in Stage},
    }
