"""Campaigns over many accounts, whose accounts are whose, and the calendar of coming work."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.ports.campaigns import Wanted
from vault.ports.store import Slice
from vault.services.coming import LATEST
from vault.web.api.names import customer_id_of
from vault.web.api.proposals import shown as shown_proposal
from vault.web.api.routes import Problems, as_json, blueprint, operation
from vault.web.api.schemas.base import Items, PersonName
from vault.web.api.schemas.campaigns import (
    Assigning,
    Calendar,
    CalendarDay,
    CalendarQuery,
    CampaignAccount,
    CampaignAccountQuery,
    CampaignQuery,
    CampaignResource,
    CampaignWhole,
    CandidateQuery,
    CandidatesResource,
    NewCampaign,
    PeopleResource,
    Taking,
)
from vault.web.api.schemas.proposals import ProposalResource
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders

if TYPE_CHECKING:
    from vault.services.campaigns import CampaignView

FOUR_WEEKS: Final = timedelta(days=27)
_MOVING: Final[Problems] = {409: ("campaign.over", "campaign.account"), 423: ("frozen",)}


@operation("GET", "/campaigns", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_campaigns(sent: CampaignQuery) -> Items[CampaignResource]:
    """List campaigns that have an account within your sight, newest first, with how far they have come."""
    vault = the_vault()
    part = Slice(sent.limit, sent.cursor)
    found = vault.campaigns.page(actor(), part, is_running=sent.state == "running")
    items = [CampaignResource.of(each, vault.clock.now()) for each in found.items]
    return Items[CampaignResource](items=items, next=found.next)


@operation(
    "POST",
    "/campaigns",
    Permission.BUDGET_RAISE,
    creates="/proposals/{id}",
    problems={
        401: ("auth.refused",),
        409: ("otp.used",),
        423: ("frozen",),
        429: ("auth.delayed",),
    },
)
def propose_campaign(sent: NewCampaign) -> ProposalResource:
    """Propose a campaign; it begins when another person agreed to exactly this, and ends by itself.

    A filter is looked up now: who agrees reads every account number. The pace counts for the people named, for the
    accounts that they have of it, and under the reason CRED_ROTATE alone.
    """
    wish = sent.wish(_customer(sent.filter.customer_id))
    return shown_proposal(the_vault().campaigns.propose(actor(), wish, sent.otp.expose()))


@operation("GET", "/campaigns/candidates", Permission.BUDGET_RAISE)
def list_candidates(sent: CandidateQuery) -> CandidatesResource:
    """Count the held accounts that a filter finds now, within the reach in which you may raise budgets."""
    where = sent.where(_customer(sent.customer_id))
    return CandidatesResource.of(the_vault().campaigns.candidates(actor(), where))


@operation("GET", "/campaigns/people", Permission.BUDGET_RAISE)
def list_campaign_people() -> PeopleResource:
    """List who could have accounts of a campaign of yours."""
    found = the_vault().campaigns.able(actor())
    return PeopleResource(items=[PersonName(id=each.id, name=each.name) for each in found])


@operation("GET", "/campaigns/<campaign_id>", Permission.ACCOUNT_READ)
def read_campaign(campaign_id: str) -> CampaignWhole:
    """Read a campaign, and how many of its accounts within your sight each person has at which stage."""
    return _whole(the_vault().campaigns.get(actor(), campaign_id))


@operation(
    "GET",
    "/campaigns/<campaign_id>/accounts",
    Permission.ACCOUNT_READ,
    problems={422: ("cursor.invalid",)},
)
def list_campaign_accounts(campaign_id: str, sent: CampaignAccountQuery) -> Items[CampaignAccount]:
    """List the accounts of a campaign within your sight, by number."""
    person = "" if sent.person == "nobody" else sent.person
    part = Slice(sent.limit, sent.cursor)
    found = the_vault().campaigns.accounts(actor(), campaign_id, Wanted(person, sent.stage), part)
    return Items[CampaignAccount](items=[CampaignAccount.of(each) for each in found.items], next=found.next)


@operation(
    "POST",
    "/campaigns/<campaign_id>/take",
    Permission.CHECKOUT_USE,
    problems={**_MOVING, 403: ("campaign.person",)},
)
def take_accounts(campaign_id: str, sent: Taking) -> CampaignWhole:
    """Take accounts that nobody has, as one of the campaign's people."""
    the_vault().campaigns.take(actor(), campaign_id, sent.wanted)
    return _whole(the_vault().campaigns.get(actor(), campaign_id))


@operation("POST", "/campaigns/<campaign_id>/give-back", Permission.CHECKOUT_USE, problems=_MOVING)
def give_accounts_back(campaign_id: str, sent: Taking) -> CampaignWhole:
    """Give accounts of your own back, to nobody."""
    the_vault().campaigns.give_back(actor(), campaign_id, sent.wanted)
    return _whole(the_vault().campaigns.get(actor(), campaign_id))


@operation(
    "POST",
    "/campaigns/<campaign_id>/assign",
    Permission.BUDGET_RAISE,
    problems={**_MOVING, 403: ("campaign.person",)},
)
def assign_accounts(campaign_id: str, sent: Assigning) -> CampaignWhole:
    """Give accounts to one of the campaign's people, or to nobody."""
    campaigns, who = the_vault().campaigns, actor()
    campaigns.assign(who, campaign_id, sent.wanted, sent.from_person, sent.to_person)
    return _whole(campaigns.get(who, campaign_id))


@operation("GET", "/calendar", Permission.ACCOUNT_READ)
def read_calendar(sent: CalendarQuery) -> Calendar:
    """Read what falls on coming days (UTC), within your sight, while nobody does anything about it."""
    vault = the_vault()
    first = sent.since or vault.clock.now().date()
    last = sent.until or min(first, LATEST) + FOUR_WEEKS
    found = vault.coming.days(actor(), first, last)
    return Calendar(days=[CalendarDay.of(each) for each in found])


@renders(blueprint, "campaign")
def show_again(campaign_id: str) -> ResponseReturnValue:
    """Draw a campaign for a repeated request."""
    return as_json(_whole(the_vault().campaigns.get(actor(), campaign_id)))


def _whole(view: CampaignView) -> CampaignWhole:
    vault = the_vault()
    return CampaignWhole.whole(view, vault.campaigns.names(view), vault.clock.now())


def _customer(name: str | None) -> str | None:
    return None if name is None else customer_id_of(name, Permission.BUDGET_RAISE)
