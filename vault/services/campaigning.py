"""What it means that two people agreed to a campaign: it begins, its accounts are whose they are, and it ends.

Decided here: a campaign and all its accounts are in the log before anybody opens one of them, in entries of bounded
size; nobody who has accounts of it proposes it or agrees to it; whoever is shut out has none of it any more, also when
they come back. The pace is `velocity`'s to count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.domain.actor import Actor, system_actor
from vault.domain.campaign import Assignment, Campaign, Plan, read_plan
from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.person import PersonState
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, Invalid, VaultError
from vault.services.effects import Plain, made_their_link
from vault.services.proposals import close

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.proposal import Proposal
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

TOLD_AT_ONCE: Final = 250
"""So many accounts are named in one entry: some 45 kB of the 64 that a leaf may have."""
TIME: Final = "its time is over"
SYSTEM: Final = system_actor("campaigns")


@dataclass(frozen=True)
class Campaigning(Plain):
    """What a proposed campaign means."""

    allowed: Permission = Permission.BUDGET_RAISE

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be: its time is over, or one of its people is gone, or is who would agree to it."""
        plan = read_plan(proposal.content)
        if plan.until <= now:
            return Invalid("input.invalid", "The time that this campaign was for is over.")
        for each in sorted(plan.people):
            person = unit.people.get(each)
            if person is None or person.state is not PersonState.ACTIVE:
                detail = (
                    "Somebody of this campaign does not work here any more; propose it anew without them."
                )
                return Conflict("proposal.state", detail)
            if actor.id == each:
                detail = "You would have accounts of this campaign; two others have to agree to it."
                return Forbidden("policy.second_person", detail, rule="S24")
            theirs = made_their_link(actor, person, proposal)
            if theirs is not None:
                return theirs
        return None

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name the people of the campaign: none of them agrees to it."""
        return read_plan(proposal.content).people

    @override
    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Begin it: written down with all its accounts, in entries of their own."""
        plan = read_plan(proposal.content)
        campaign = _begun(plan, actor, proposal, now)
        accounts = [
            Assignment(campaign.id, number, who or None, now, actor.id)
            for who, share in sorted(plan.shares.items())
            for number in share
        ]
        unit.campaigns.add(campaign, accounts)
        detail: dict[str, str | int | bool | None] = {
            "campaign": campaign.id,
            "proposal": proposal.id,
            "name": campaign.name,
            "accounts": campaign.accounts,
            "accounts_per_hour": campaign.accounts_per_hour,
            "until": stamp(campaign.until),
        }
        event = Event(EventType.CAMPAIGN_BEGUN, actor, changes=changes(None, campaign), detail=detail)
        unit.log.record(replace(event, subject=f"campaign:{campaign.id}"), now)
        given(unit, actor, campaign, accounts, {}, now)
        return ()

    @override
    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """End the campaign, where it began."""
        campaign = unit.campaigns.lock(proposal.subject)
        if campaign is None or campaign.ended_at is not None:
            return ()
        over = replace(campaign, ended_at=now, ended_by=actor.id)
        unit.campaigns.update(over)
        event = Event(EventType.CAMPAIGN_ENDED, actor, changes=changes(campaign, over))
        detail = {"campaign": campaign.id, "proposal": proposal.id}
        unit.log.record(replace(event, detail=detail, subject=f"campaign:{campaign.id}"), now)
        return ()


def given(
    unit: Unit,
    actor: Actor,
    campaign: Campaign,
    accounts: Sequence[Assignment],
    before: Mapping[str, Assignment],
    now: datetime,
) -> None:
    """Tell whose accounts these are now, a bounded number in each entry; the caller wrote them."""
    for who, share in groupby(sorted(accounts, key=_owner), key=_owner):
        theirs = list(share)
        for start in range(0, len(theirs), TOLD_AT_ONCE):
            part = theirs[start : start + TOLD_AT_ONCE]
            detail: dict[str, str | int | bool | None] = {
                "campaign": campaign.id,
                "person": who,
                "from": start + 1,
                "to": start + len(part),
                "of": len(theirs),
            }
            told = tuple(change for each in part for change in changes(before.get(each.account_id), each))
            event = Event(EventType.CAMPAIGN_ASSIGNED, actor, changes=told, detail=detail)
            unit.log.record(replace(event, subject=f"campaign:{campaign.id}"), now)


def claim_campaigns(unit: Unit, person_id: str) -> tuple[Campaign, ...]:
    """Find the campaigns that may give accounts to a person, with their rows held: before anything is told."""
    near = (each for each in unit.campaigns.open() if person_id in each.people)
    return tuple(held for each in near if (held := unit.campaigns.lock(each.id)) is not None)


def leave_campaigns(
    unit: Unit, actor: Actor, person_id: str, claimed: Sequence[Campaign], now: datetime
) -> None:
    """Take somebody who is shut out off these campaigns: their accounts are nobody's; the caller commits."""
    for campaign in claimed:
        without = replace(campaign, people=campaign.people - {person_id})
        unit.campaigns.update(without)
        had = unit.campaigns.assignments(campaign.id, person_id=person_id)
        free = [replace(each, person_id=None, changed_at=now, changed_by=actor.id) for each in had.values()]
        unit.campaigns.assign(free)
        event = Event(EventType.CAMPAIGN_ASSIGNED, actor, changes=changes(campaign, without))
        detail = {"campaign": campaign.id, "person": person_id}
        unit.log.record(replace(event, detail=detail, subject=f"campaign:{campaign.id}"), now)
        given(unit, actor, campaign, free, had, now)


@dataclass(frozen=True, slots=True)
class CampaignsOver:
    """The worker's use case: writes down what time has ended already."""

    units: Units
    clock: Clock
    effect: Campaigning

    def once(self) -> int:
        """End campaigns whose time is over, and the proposals that they rest on; gives how many."""
        now = self.clock.now()
        with self.units.read() as unit:
            over = tuple(each for each in unit.campaigns.open() if each.until <= now)
        return sum(self._end(each, now) for each in over)

    def _end(self, campaign: Campaign, now: datetime) -> bool:
        with self.units.write() as unit:
            proposal = unit.proposals.lock(campaign.proposal_id)
            if proposal is None or proposal.ended_at is not None:
                return False
            close(unit, SYSTEM, proposal, TIME, now, self.effect.ended(unit, SYSTEM, proposal, now))
            unit.commit()
        return True


def _begun(plan: Plan, actor: Actor, proposal: Proposal, now: datetime) -> Campaign:
    return Campaign(
        id=proposal.subject,
        proposal_id=proposal.id,
        name=plan.name,
        why=proposal.why,
        parts=plan.parts,
        accounts=len(plan.accounts),
        accounts_per_hour=plan.accounts_per_hour,
        people=plan.people,
        proposed_by=proposal.proposed_by,
        agreed_by=actor.id,
        begun_at=now,
        until=plan.until,
    )


def _owner(assignment: Assignment) -> str:
    return assignment.person_id or ""
