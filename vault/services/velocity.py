"""How many distinct accounts one person opens in an hour, over all workers; and the budget of a campaign (S24).

Decided here: that the limit is counted in the unit that begins a lease, with the person's row held, so that two begun
at the same moment count each other; that who goes beyond it is frozen; and that two people raise it, neither of whom
it is for: for a time, or for the accounts of a campaign and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.domain.actor import Actor, Scope, joined, system_actor
from vault.domain.campaign import REASON
from vault.domain.event import Event, EventType, Result, stamp
from vault.domain.freeze import Covered, Freeze, FreezeKind
from vault.domain.person import Person, PersonState
from vault.domain.policy import Permission
from vault.domain.proposal import Proposal, ProposalKind
from vault.errors import FieldError, Forbidden, Invalid, Limited, VaultError, not_found
from vault.services.effects import Plain, made_their_link
from vault.services.frozen import put
from vault.services.gate import Gate, refuse
from vault.services.proposals import Draft, Proposals, in_json
from vault.services.sight import lies_within, standing

if TYPE_CHECKING:
    from vault.domain.account import Account
    from vault.domain.campaign import Campaign
    from vault.domain.checkout import Checkout
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

HOUR: Final = timedelta(hours=1)
BUDGET_MOST: Final = 1_000
BUDGET_LONGEST: Final = timedelta(days=7)
WHY: Final = "more distinct accounts in an hour than the limit allows"
_SYSTEM: Final = system_actor("velocity")


def allowed(unit: Unit, gate: Gate, person_id: str, now: datetime) -> int:
    """Say how many distinct accounts a person may open in an hour: the policy's number, or a budget in force."""
    limit = gate.policy.limits.accounts_per_hour
    budget = unit.proposals.in_force(ProposalKind.BUDGET, person_id, now)
    if budget is None:
        return limit
    content = json.loads(budget.content)
    return max(limit, content["accounts_per_hour"]) if stamp(now) < content["until"] else limit


def counted(
    unit: Unit, gate: Gate, person_id: str, account_id: str, reason: str, now: datetime
) -> tuple[int, int]:
    """Give which account this would be within an hour, and how many a person may open of its like.

    Accounts that they have of a running campaign count for that campaign alone, by its own pace, while they are
    opened to be rotated; all others together count by the person's limit, and so does one that was rotated already.
    """
    used = unit.checkouts.used_since(person_id, now - HOUR) | {account_id}
    most = allowed(unit, gate, person_id, now)
    if len(used) <= most:
        return len(used), most
    mine, inside = _of_campaigns(unit, person_id, used, now)
    is_work = reason == REASON and account_id in mine
    if is_work and account_id not in unit.campaigns.done(person_id, (account_id,), now):
        campaign = mine[account_id]
        same = {number for number in inside if mine[number].id == campaign.id} | {account_id}
        return len(same), max(most, campaign.accounts_per_hour)
    return len((used - inside) | {account_id}), most


def _of_campaigns(
    unit: Unit, person_id: str, used: frozenset[str], now: datetime
) -> tuple[Mapping[str, Campaign], frozenset[str]]:
    """Give the running campaigns in which a person has some accounts, and which of these count for them alone.

    One that they opened again after all of it was rotated does not: nothing is left of it to be done.
    """
    mine = unit.campaigns.within(person_id, sorted(used), now)
    if not mine:
        return {}, frozenset()
    otherwise = unit.checkouts.used_since(person_id, now - HOUR, held=False, but=REASON)
    done = unit.campaigns.done(person_id, sorted(mine), now)
    begun = unit.checkouts.last_used(person_id, now - HOUR) if done else {}
    again = {number for number, since in done.items() if number in begun and begun[number] > since}
    return mine, frozenset(mine) - otherwise - again


def require_velocity(
    unit: Unit, gate: Gate, actor: Actor, account: Account, checkout: Checkout, now: datetime
) -> None:
    """Return if this account is within the actor's limit; else record, commit and raise `Limited` limit.accounts.

    Broken glass is nobody's work of a campaign, whatever its reason: it counts by the person's limit.
    Whoever catches that freezes the person (`freeze_fast`), in a unit of its own: it waits for disclosures.
    """
    reason = "" if checkout.break_glass else checkout.reason
    number, most = counted(unit, gate, actor.id, account.id, reason, now)
    if number <= most:
        return
    event = Event(
        EventType.VELOCITY_EXCEEDED,
        actor,
        Result.DENIED,
        account_id=account.id,
        detail={"accounts": number, "allowed": most, "person": actor.id},
    )
    detail = (
        f"This would be account {number} within an hour, and {most} are allowed. You are frozen now: two people "
        "have to look and lift it. For a campaign, two people raise the budget beforehand."
    )
    refuse(unit, event, Limited("limit.accounts", detail, allowed=most), now)


def freeze_fast(units: Units, actor: Actor, now: datetime) -> Freeze:
    """Freeze who went beyond the limit."""
    with units.write() as unit:
        unit.freezes.hold()
        made = put(unit, _SYSTEM, Covered(FreezeKind.PERSON, actor.id), WHY, now)
        unit.commit()
    return made


@dataclass(frozen=True, slots=True)
class Wanted:
    """A campaign's budget: for whom, how many accounts an hour, until when (aware, in UTC)."""

    person_id: str
    accounts_per_hour: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a person opens accounts: who, how many they may in an hour, and how many they did in the last.

    `in_campaigns` are those that they opened beside these, to rotate them for campaigns that run.
    """

    person: Person
    allowed: int
    used: int
    in_campaigns: int = 0


@dataclass(frozen=True, slots=True)
class Budgets:
    """The use cases on how many accounts an hour; agreeing and ending are those of proposals."""

    units: Units
    gate: Gate
    proposals: Proposals
    clock: Clock

    def pace(self, actor: Actor, person_id: str) -> Pace:
        """Read how fast a person within one's reach opens accounts, as who may raise it or manages people."""
        now = self.clock.now()
        asked = (Permission.BUDGET_RAISE, Permission.PEOPLE_MANAGE)
        reach = joined(self.gate.policy.reach(actor, each) for each in asked)
        with self.units.read() as unit:
            person = unit.people.get(person_id)
            near = any(lies_within(unit, reach, grant.scope) for grant in standing(unit, person_id))
            if person is None or not (near or reach.everything):
                raise not_found("person", person_id[:36])
            used = unit.checkouts.used_since(person.id, now - HOUR, held=False)
            _, inside = _of_campaigns(unit, person.id, used, now)
            return Pace(
                person, allowed(unit, self.gate, person.id, now), len(used - inside), len(inside & used)
            )

    def propose(self, actor: Actor, wanted: Wanted, why: str, otp: str) -> Proposal:
        """Propose a budget; it counts once another person agreed, and ends by itself."""
        errors = _wrong(wanted, self.gate.policy.limits.accounts_per_hour, self.clock.now())
        if errors:
            raise Invalid("input.invalid", "Some of the input is not valid; see errors.", errors=errors)
        content = {
            "accounts_per_hour": wanted.accounts_per_hour,
            "person": wanted.person_id,
            "until": stamp(wanted.until),
        }
        draft = Draft(ProposalKind.BUDGET, wanted.person_id, in_json(content), why, Scope())
        return self.proposals.propose(actor, draft, otp)


def _wrong(wanted: Wanted, limit: int, now: datetime) -> tuple[FieldError, ...]:
    errors: list[FieldError] = []
    if not limit < wanted.accounts_per_hour <= BUDGET_MOST:
        words = f"Give a number from {limit + 1} to {BUDGET_MOST}; without a budget it is {limit}."
        errors.append(FieldError("/accounts_per_hour", words))
    if not now < wanted.until <= now + BUDGET_LONGEST:
        errors.append(FieldError("/until", f"Give a moment within the next {BUDGET_LONGEST.days} days."))
    return tuple(errors)


@dataclass(frozen=True)
class Raising(Plain):
    """What it means that a budget is raised: nothing at once; it is looked up when a lease begins."""

    allowed: Permission = Permission.BUDGET_RAISE

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be: nobody raises their own, or an absent person's, or one whose time is over."""
        person = unit.people.get(proposal.subject)
        if person is None or person.state is not PersonState.ACTIVE:
            return not_found("person", proposal.subject[:36])
        if actor.id == proposal.subject:
            detail = "Nobody raises their own budget; two others have to."
            return Forbidden("policy.second_person", detail, rule="S24")
        if json.loads(proposal.content)["until"] <= stamp(now):
            return Invalid("input.invalid", "The time that this budget was for is over.")
        return made_their_link(actor, person, proposal)
