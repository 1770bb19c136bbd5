"""Accounts that become another customer's: what is written, what ends, and what is foreseen of it (D1).

Decided here: one transaction with its entries. The account's customer changes, and with it whoever sees it by a role
for one of the two; its open checkouts end, because each was asked for and agreed to under the old customer's rules;
what was somebody's who handles it no more (accounts of campaigns, findings) is nobody's; it is looked at anew soon,
as its defaults and its payer's list are another's. Roles and tokens for this very account stay: they name the
account, not its customer, and the administrator who agrees sees how many there are. No ciphertext is touched: its
place never names the customer. The old customer's people go on reading the entries of the time before (`Tenure`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.domain.account import Tenure
from vault.domain.actor import Actor, ActorKind, Role, ScopeKind
from vault.domain.case import PLACE, Done, Place, PlaceEvent, Scene
from vault.domain.checkout import CheckoutEvent, overdue
from vault.domain.event import Change, Event, EventType
from vault.domain.freeze import Covered, FreezeKind
from vault.domain.hygiene import FindingState
from vault.domain.person import powers
from vault.domain.plans.move import MOVE
from vault.domain.policy import Permission, Policy
from vault.domain.told import changes
from vault.ports.inspection import Turn
from vault.services.campaigning import given
from vault.services.case_ground import about
from vault.services.leases import end, settle
from vault.services.settling import event_of

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account, Customer
    from vault.domain.campaign import Campaign
    from vault.domain.freeze import Freeze
    from vault.domain.hygiene import Finding
    from vault.domain.person import Person
    from vault.ports.store import Unit

TOLD_AT_ONCE: Final = 100
"""So many accounts are named in one entry: within the 64 kB that a leaf may have."""
NOTE: Final = "the account moved to another customer"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a move changes, as it stands now: people who lose or gain sight, by count, and checkouts that end.

    `by_account` are the people who keep sight by a role for one of these very accounts alone.
    """

    loses: int
    gains: int
    by_account: int
    checkouts: int


@dataclass(frozen=True, slots=True)
class Sight:
    """Who has which power over what, as it is now; looked up once."""

    policy: Policy
    people: tuple[tuple[Person, Actor], ...]

    @classmethod
    def now(cls, unit: Unit, policy: Policy, at: datetime) -> Sight:
        """Look up everybody who holds a role."""
        held: dict[str, Actor] = {}
        people: dict[str, Person] = {}
        for person, grant in unit.people.holders(frozenset(Role), at):
            before = () if person.id not in held else held[person.id].powers
            given_ = (*before, *powers((grant,), at))
            people[person.id] = person
            held[person.id] = Actor(ActorKind.PERSON, person.id, person.name, powers=given_)
        return cls(policy, tuple((people[each], actor) for each, actor in held.items()))

    def having(self, permission: Permission, customer_id: str, account_id: str) -> frozenset[str]:
        """Name the people who have a permission over an account, were it this customer's."""
        return frozenset(
            person.id
            for person, actor in self.people
            if self.policy.reach(actor, permission).covers(customer_id, account_id)
        )

    def by_account(self, account_id: str) -> frozenset[str]:
        """Name the people who have a role for this very account."""
        return frozenset(
            person.id
            for person, actor in self.people
            for power in actor.powers
            if power.scope.kind is ScopeKind.ACCOUNT and power.scope.target == account_id
        )


def foresee(
    unit: Unit, policy: Policy, accounts: Iterable[Account], target: Customer, now: datetime
) -> Foreseen:
    """Say what a move to a customer would change now."""
    sight = Sight.now(unit, policy, now)
    numbers: list[str] = []
    loses, gains, by_account = set[str](), set[str](), set[str]()
    for each in accounts:
        numbers.append(each.id)
        before = sight.having(Permission.ACCOUNT_READ, each.customer_id, each.id)
        after = sight.having(Permission.ACCOUNT_READ, target.id, each.id)
        loses |= before - after
        gains |= after - before
        by_account |= sight.by_account(each.id)
    open_ones = sum(each.is_open for each in unit.checkouts.bearing_on(tuple(numbers)))
    return Foreseen(len(loses), len(gains), len(by_account), open_ones)


def leaving_freeze(unit: Unit, customer_id: str) -> Freeze | None:
    """Find the freeze of the customer that accounts leave: it is lifted by two people, never by a move (S17)."""
    return unit.freezes.on(Covered(FreezeKind.CUSTOMER, customer_id))


def move_accounts(
    unit: Unit, policy: Policy, actor: Actor, scene: Scene, target: Customer, now: datetime
) -> None:
    """Make the accounts of a case another customer's; their rows are held, and the caller commits."""
    accounts = [account for number in sorted(scene.live) if (account := unit.accounts.get(number))]
    numbers = tuple(each.id for each in accounts)
    sight = Sight.now(unit, policy, now)
    # every row is held before anything is told: whoever holds one of them may wait for the log
    near = [held for each in unit.campaigns.open() if (held := unit.campaigns.lock(each.id)) is not None]
    findings = unit.findings.hold(numbers)
    told = {account.id: _become(unit, account, target, now) for account in accounts}
    places = {number: _finished(scene.live[number], now) for number in numbers}
    unit.cases.place(tuple(places.values()))
    for number in numbers:
        turn = unit.inspections.turn(number)
        if turn is not None:
            unit.inspections.put_turn(Turn(number, now))
    _end_checkouts(unit, actor, numbers, now)
    for campaign in near:
        _free_assignments(unit, actor, sight, campaign, numbers, target, now)
    for finding in findings:
        _free_finding(unit, actor, sight, finding, target, now)
    word = scene.of("", MOVE)
    for account in accounts:
        of_place = changes(scene.live[account.id], places[account.id])
        event = _moved(actor, scene, account, target, word, (*told[account.id], *of_place))
        unit.log.record(event, now)


def schedule(unit: Unit, actor: Actor, scene: Scene, day: datetime | None, now: datetime) -> None:
    """Write the day of every account of a case, a bounded number in each entry; the caller commits."""
    was = list(scene.live.values())
    put = [
        replace(each, state=PLACE.transitions[each.state, PlaceEvent.SCHEDULED], day=day, changed_at=now)
        for each in was
    ]
    unit.cases.place(put)
    pairs = list(zip(was, put, strict=True))
    for start in range(0, len(pairs), TOLD_AT_ONCE):
        part = pairs[start : start + TOLD_AT_ONCE]
        told = tuple(change for before, after in part for change in changes(before, after))
        alone = part[0][1].account_id if len(pairs) == 1 else None
        event = Event(EventType.CASE_CHANGED, actor, account_id=alone, rule="D1", changes=told)
        unit.log.record(replace(event, detail=about(scene) | {"what": "day"}), now)


def _moved(
    actor: Actor,
    scene: Scene,
    account: Account,
    target: Customer,
    word: Done | None,
    told: tuple[Change, ...],
) -> Event:
    detail = {
        "case": scene.case.id,
        "was": scene.customer.ddi,
        "now": target.ddi,
        "proposed_by": "" if word is None else word.by,
    }
    return Event(
        EventType.ACCOUNT_MOVED, actor, account_id=account.id, rule="D1", changes=told, detail=detail
    )


def _become(unit: Unit, account: Account, target: Customer, now: datetime) -> tuple[Change, ...]:
    """Write whose an account is, and until when it was its customer's; give the changes."""
    moved = replace(account, customer_id=target.id)
    unit.accounts.update(moved)
    before = unit.accounts.tenures(account.id)
    since = before[-1].until if before else account.created_at
    tenure = Tenure(account.id, len(before) + 1, account.customer_id, since, max(since, now))
    unit.accounts.add_tenure(tenure)
    return (*changes(account, moved), *changes(None, tenure))


def _finished(place: Place, now: datetime) -> Place:
    """Give an account of the case as it is once it moved: begun and finished at once."""
    begun = PLACE.transitions[place.state, PlaceEvent.BEGUN]
    return replace(place, state=PLACE.transitions[begun, PlaceEvent.FINISHED], changed_at=now, ended_at=now)


def _end_checkouts(unit: Unit, actor: Actor, numbers: tuple[str, ...], now: datetime) -> None:
    for each in unit.checkouts.bearing_on(numbers):
        if each.is_open and overdue(each, now) is not None:
            settle(unit, each, now)
        elif each.is_open:
            end(unit, each, CheckoutEvent.REVOKED, now, actor, NOTE)


def _free_assignments(
    unit: Unit,
    actor: Actor,
    sight: Sight,
    campaign: Campaign,
    numbers: tuple[str, ...],
    target: Customer,
    now: datetime,
) -> None:
    """Take accounts of a campaign from people who may not use their root any more."""
    had = unit.campaigns.assignments(campaign.id, numbers)
    free = [
        replace(each, person_id=None, changed_at=now, changed_by=actor.id)
        for each in had.values()
        if each.person_id is not None
        and each.person_id not in sight.having(Permission.CHECKOUT_USE, target.id, each.account_id)
    ]
    unit.campaigns.assign(free)
    given(unit, actor, campaign, free, had, now)


def _free_finding(
    unit: Unit, actor: Actor, sight: Sight, finding: Finding, target: Customer, now: datetime
) -> None:
    """Take an open finding from an owner who does not handle the account's any more."""
    if finding.state is not FindingState.OPEN or finding.owner_id is None:
        return
    if finding.owner_id not in sight.having(Permission.FINDING_HANDLE, target.id, finding.account_id):
        free = replace(finding, owner_id=None, owned_at=None)
        unit.findings.update(free)
        unit.log.record(event_of(EventType.FINDING_ASSIGNED, actor, finding, free), now)
