"""Campaigns: proposed with every account in them, taken and handed on, and how far each has come.

Decided here: what is proposed names every account (`planning`), so that who agrees sees each number; only the people
named in it ever have accounts of it, because its pace counts for them; each account goes to somebody who may use it.
Progress is counted when it is asked for, within what whoever asks may see (S21). Agreeing and ending are those of
proposals; what they mean is in `campaigning`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import Actor, Reach
from vault.domain.campaign import (
    Assignment,
    Campaign,
    Stage,
)
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.person import Person
from vault.domain.policy import Permission
from vault.domain.proposal import Proposal, ProposalKind
from vault.errors import Conflict, Forbidden, not_found
from vault.ports.campaigns import Wanted
from vault.ports.records import Page, Slice
from vault.services.campaigning import given
from vault.services.frozen import require_word
from vault.services.gate import Gate, refuse, refuse_absent
from vault.services.planning import Planning, Where, Wish, users_of
from vault.services.proposals import Draft, Proposals, check_why

if TYPE_CHECKING:
    from vault.domain.account import Account
    from vault.ports.campaigns import Item, Stands
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.healths import Healths

TAKEN_AT_ONCE: Final = 200
_WORDS: Final = "Some of the input is not valid; see errors."


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign and how its accounts within sight stand, each count by person (None: nobody's) and stage."""

    campaign: Campaign
    stands: tuple[Stands, ...]

    @property
    def seen(self) -> int:
        """How many of its accounts are within sight."""
        return sum(each.accounts for each in self.stands)

    def at(self, *stages: Stage) -> int:
        """Count those at some stages."""
        return sum(each.accounts for each in self.stands if each.stage in stages)

    def of(self, person_id: str | None) -> Mapping[Stage, int]:
        """Count a person's (None: nobody's) by stage."""
        counts = dict.fromkeys(Stage, 0)
        for each in self.stands:
            if each.person_id == person_id:
                counts[each.stage] += each.accounts
        return counts


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Use cases on campaigns."""

    units: Units
    gate: Gate
    proposals: Proposals
    healths: Healths
    clock: Clock

    @property
    def _planning(self) -> Planning:
        return Planning(self.gate, self.healths)

    def candidates(self, actor: Actor, where: Where) -> tuple[Account, ...]:
        """List the held accounts within one's reach that a filter finds now, by number."""
        with self.units.read() as unit:
            return self._planning.found(unit, actor, where, self.clock.now())

    def able(self, actor: Actor) -> tuple[Person, ...]:
        """List those who could have accounts of one's campaigns, by name: who may use root where one raises budgets."""
        with self.units.read() as unit:
            found = self._planning.able(unit, actor, self.clock.now())
        return tuple(sorted((person for person, _ in found.values()), key=lambda each: (each.name, each.id)))

    def propose(self, actor: Actor, wish: Wish, otp: str) -> Proposal:
        """Propose a campaign; it begins when another person agreed, and ends by itself.

        Raises `Invalid` with every field that is wrong, and what proposing anything raises.
        """
        now = self.clock.now()
        check_why(wish.why)
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.BUDGET_RAISE, now)
            plan, scope = self._planning.plan(unit, actor, wish, now)
        draft = Draft(ProposalKind.CAMPAIGN, new_id(), plan.written(), wish.why, scope)
        return self.proposals.propose(actor, draft, otp)

    def page(self, actor: Actor, part: Slice, *, is_running: bool = True) -> Page[CampaignView]:
        """List those that have an account within sight, newest first."""
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        now = self.clock.now() if is_running else None
        with self.units.read() as unit:
            found = unit.campaigns.page(reach, part, running_at=now)
            stands = unit.campaigns.progress([each.id for each in found.items], reach)
        return Page(tuple(_view(each, stands) for each in found.items), found.next)

    def get(self, actor: Actor, campaign_id: str) -> CampaignView:
        """Read one that has an account within sight."""
        with self.units.read() as unit:
            return self._seen(unit, actor, campaign_id)

    def accounts(self, actor: Actor, campaign_id: str, wanted: Wanted, part: Slice) -> Page[Item]:
        """List its accounts within sight, by number."""
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        with self.units.read() as unit:
            self._seen(unit, actor, campaign_id)
            return unit.campaigns.accounts(campaign_id, reach, wanted, part)

    def names(self, view: CampaignView) -> Mapping[str, str]:
        """Give the names of a campaign's people by id, and of the two who made it."""
        campaign = view.campaign
        people = {*campaign.people, *(each.person_id or "" for each in view.stands)}
        with self.units.read() as unit:
            found = [
                unit.people.get(each) for each in sorted({*people, campaign.proposed_by, campaign.agreed_by})
            ]
        return {each.id: each.name for each in found if each is not None}

    def take(self, actor: Actor, campaign_id: str, wanted: Sequence[str] | int) -> tuple[str, ...]:
        """Take accounts that nobody has: those named, or the next so many of which nothing is done. Gives which."""
        return self._move(actor, campaign_id, wanted, None, actor.id, Permission.CHECKOUT_USE)

    def give_back(self, actor: Actor, campaign_id: str, wanted: Sequence[str] | int) -> tuple[str, ...]:
        """Give accounts of one's own back, to nobody. Gives which."""
        return self._move(actor, campaign_id, wanted, actor.id, None, Permission.CHECKOUT_USE)

    def assign(
        self, actor: Actor, campaign_id: str, wanted: Sequence[str] | int, of: str | None, to: str | None
    ) -> tuple[str, ...]:
        """Give accounts to a person of the campaign, or to nobody: those named, or the next so many of `of`'s."""
        return self._move(actor, campaign_id, wanted, of, to, Permission.BUDGET_RAISE)

    def _move(
        self,
        actor: Actor,
        campaign_id: str,
        wanted: Sequence[str] | int,
        of: str | None,
        to: str | None,
        permission: Permission,
    ) -> tuple[str, ...]:
        """Give accounts of a campaign that are `of`'s to `to` (None: nobody), or refuse and do nothing."""
        now = self.clock.now()
        denied = Event(
            EventType.ACCESS_DENIED, actor, detail={"campaign": campaign_id[:36], "permission": permission}
        )
        with self.units.write() as unit:
            campaign = unit.campaigns.lock(campaign_id)
            if campaign is None or not unit.campaigns.progress((campaign.id,), self._sight(actor)):
                refuse_absent(unit, actor, "campaign", campaign_id, now)
            self.gate.require(unit, actor, permission, now)
            require_word(unit, actor, denied, now)
            if not campaign.running(now):
                detail = "This campaign is over; nothing of it is handed on any more."
                refuse(unit, denied, Conflict("campaign.over", detail), now)
            near = [self.gate.policy.reach(actor, permission)]
            if to is not None:
                found = users_of(unit, self.gate.policy, now).get(to) if to in campaign.people else None
                if found is None:
                    refuse(unit, denied, _not_of_it(), now)
                near.append(found[1])
            if isinstance(wanted, int):
                chosen = self._next(unit, campaign, near, of, min(wanted, TAKEN_AT_ONCE))
            else:
                chosen = self._named(unit, campaign, near, wanted)
                free = permission is Permission.BUDGET_RAISE
                if len(chosen) < len(set(wanted)) or not (
                    free or all(each.person_id in {of, to} for each in chosen)
                ):
                    refuse(unit, denied, _not_theirs(), now)
            moved = tuple(
                replace(each, person_id=to, changed_at=now, changed_by=actor.id)
                for each in chosen
                if each.person_id != to
            )
            unit.campaigns.assign(moved)
            given(unit, actor, campaign, moved, {each.account_id: each for each in chosen}, now)
            unit.commit()
        return tuple(each.account_id for each in moved)

    def _next(
        self, unit: Unit, campaign: Campaign, near: Sequence[Reach], of: str | None, count: int
    ) -> tuple[Assignment, ...]:
        """Choose the next of somebody's accounts, by number, of which nothing was rotated yet."""
        found: list[Assignment] = []
        cursor: str | None = None
        while len(found) < count:
            wanted, part = Wanted(of or "", Stage.LEFT), Slice(TAKEN_AT_ONCE, cursor)
            page = unit.campaigns.accounts(campaign.id, near[0], wanted, part)
            found += [
                each.assignment
                for each in page.items
                if all(one.covers(each.customer_id, each.assignment.account_id) for one in near)
            ]
            if page.next is None:
                break
            cursor = page.next
        return tuple(found[:count])

    def _named(
        self, unit: Unit, campaign: Campaign, near: Sequence[Reach], numbers: Sequence[str]
    ) -> tuple[Assignment, ...]:
        """Give those of some accounts that are in the campaign, and within reach of everybody concerned."""
        found = unit.campaigns.assignments(campaign.id, numbers)
        owners = unit.history.customers_of(tuple(found))
        return tuple(
            each for number, each in found.items() if all(one.covers(owners[number], number) for one in near)
        )

    def _sight(self, actor: Actor) -> Reach:
        return self.gate.policy.reach(actor, Permission.ACCOUNT_READ)

    def _seen(self, unit: Unit, actor: Actor, campaign_id: str) -> CampaignView:
        campaign = unit.campaigns.get(campaign_id)
        stands = () if campaign is None else unit.campaigns.progress((campaign.id,), self._sight(actor))
        if campaign is None or not stands:
            raise not_found("campaign", campaign_id[:36])
        return CampaignView(campaign, stands)


def _view(campaign: Campaign, stands: tuple[Stands, ...]) -> CampaignView:
    return CampaignView(campaign, tuple(each for each in stands if each.campaign_id == campaign.id))


def _not_of_it() -> Forbidden:
    detail = (
        "Only the people whom two others agreed to have accounts of this campaign, while they may use root. For "
        "anybody else, another campaign is proposed."
    )
    return Forbidden("campaign.person", detail, rule="S24")


def _not_theirs() -> Conflict:
    detail = (
        "Some of these accounts are not in this campaign, are somebody else's, or are out of the reach of who would "
        "have them; nothing was done."
    )
    return Conflict("campaign.account", detail)
