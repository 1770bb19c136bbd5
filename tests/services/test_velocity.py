"""The limit of distinct accounts an hour: who goes beyond it is frozen; two others raise it for a campaign."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.event import EventType
from vault.domain.freeze import FreezeKind
from vault.errors import Blocked, Forbidden, Invalid, Limited, NotFound
from vault.services.gate import Gate
from vault.services.policy_book import FixedPolicy
from vault.services.velocity import Wanted

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.domain.proposal import Proposal

WHY = "the yearly rotation of every account"
NUMBERS = [f"{number}" * 12 for number in range(1, 5)]


@pytest.fixture
def world(quick_world: World) -> World:
    """Hold four accounts; two an hour are allowed."""
    policy = quick_world.vault.gate.policy
    tight = Gate(FixedPolicy(replace(policy, limits=replace(policy.limits, accounts_per_hour=2))))
    vault = quick_world.vault
    quick_world.vault = replace(
        vault,
        gate=tight,
        checkouts=replace(vault.checkouts, gate=tight),
        budgets=replace(vault.budgets, gate=tight),
    )
    for number in NUMBERS:
        quick_world.held(number)
    for name, role in (
        ("olga", Role.OPERATOR),
        ("ada", Role.APPROVER),
        ("bert", Role.APPROVER),
        ("amy", Role.ADMIN),
    ):
        quick_world.human(name, role)
    return quick_world


def use(world: World, number: str) -> None:
    """Take one account out and give it back."""
    olga = world.people["olga"]
    lease = world.lease(olga, number, "CRED_ROTATE")
    world.vault.checkouts.check_in(olga.actor, lease.id)


def wanted(world: World, accounts: int = 4, hours: float = 8) -> Wanted:
    """Want more accounts for olga."""
    until = world.clock.now() + timedelta(hours=hours)
    return Wanted(world.people["olga"].actor.id, accounts, until)


def propose(world: World, who: str, wish: Wanted | None = None) -> Proposal:
    """Propose a budget."""
    human = world.people[who]
    return world.vault.budgets.propose(human.actor, wish or wanted(world), WHY, human.otp())


def agree(world: World, who: str, made: Proposal) -> None:
    """Agree to it."""
    world.vault.proposals.confirm(world.people[who].actor, made.id, world.people[who].otp())


def test_who_goes_beyond_is_frozen(world: World) -> None:
    olga = world.people["olga"]
    use(world, NUMBERS[0])
    use(world, NUMBERS[0])  # the same account counts once
    use(world, NUMBERS[1])
    third = world.ask(olga, NUMBERS[2], "CRED_ROTATE")
    with pytest.raises(Limited) as beyond:
        world.vault.checkouts.step_up(olga.actor, third.id, olga.otp())
    assert (beyond.value.code, beyond.value.facts["allowed"]) == ("limit.accounts", 2)
    exceeded, frozen = entries(world)[-2:]
    assert (exceeded["type"], exceeded["outcome"]) == (EventType.VELOCITY_EXCEEDED, "denied")
    assert (frozen["type"], frozen["actor"]["id"]) == (EventType.FREEZE_SET, "system:velocity")
    (found,) = world.vault.freezes.open(olga.actor)
    assert (found.kind, found.target) == (FreezeKind.PERSON, olga.actor.id)
    # an hour later it is still a freeze; two people end it
    world.clock.advance(hours=2)
    with pytest.raises(Blocked):
        world.ask(olga, NUMBERS[3], "CRED_ROTATE")
    for name in ("ada", "amy"):
        human = world.people[name]
        world.vault.freezes.lift(human.actor, found.id, "she rotated what is hers", human.otp())
    use(world, NUMBERS[3])


def test_a_wrong_code_freezes_nobody(world: World) -> None:
    olga = world.people["olga"]
    for number in NUMBERS[:2]:
        use(world, number)
    third = world.ask(olga, NUMBERS[2], "CRED_ROTATE")
    with pytest.raises(Exception, match="code"):
        world.vault.checkouts.step_up(olga.actor, third.id, "000000")
    assert world.vault.freezes.open(olga.actor) == ()


def test_an_hour_later_it_counts_anew(world: World) -> None:
    for number in NUMBERS[:2]:
        use(world, number)
    world.clock.advance(minutes=61)
    for number in NUMBERS[2:]:
        use(world, number)
    amy = world.people["amy"].actor
    assert world.vault.budgets.pace(amy, world.people["olga"].actor.id).used == len(NUMBERS[2:])


def test_two_others_raise_it_until_it_ends(world: World) -> None:
    olga = world.people["olga"]
    made = propose(world, "ada")
    with pytest.raises(Forbidden):
        agree(world, "ada", made)  # the same person twice
    agree(world, "amy", made)
    assert world.vault.budgets.pace(world.people["ada"].actor, olga.actor.id).allowed == 4
    for number in NUMBERS:
        use(world, number)
    assert world.vault.budgets.pace(world.people["amy"].actor, olga.actor.id).used == 4
    world.clock.advance(hours=9)
    for number in NUMBERS[:2]:
        use(world, number)
    with pytest.raises(Limited):
        use(world, NUMBERS[2])


def test_nobody_raises_their_own(world: World) -> None:
    own = replace(wanted(world), person_id=world.people["ada"].actor.id)
    with pytest.raises(Forbidden):
        propose(world, "ada", own)
    made = propose(world, "bert", own)
    with pytest.raises(Forbidden):
        agree(world, "ada", made)
    with pytest.raises(Forbidden):
        propose(world, "olga")


@pytest.mark.parametrize(("accounts", "hours"), [(2, 8), (1001, 8), (4, 0), (4, 169)])
def test_a_budget_is_more_and_ends(world: World, accounts: int, hours: float) -> None:
    with pytest.raises(Invalid):
        propose(world, "ada", wanted(world, accounts, hours))


def test_a_proposal_that_waited_too_long_raises_nothing(world: World) -> None:
    made = propose(world, "ada", wanted(world, hours=1))
    world.clock.advance(hours=2)
    with pytest.raises(Invalid):
        agree(world, "amy", made)


def test_a_budget_taken_away_is_gone_at_once(world: World) -> None:
    made = propose(world, "ada")
    agree(world, "amy", made)
    world.vault.proposals.end(world.people["bert"].actor, made.id, "the campaign is over")
    for number in NUMBERS[:2]:
        use(world, number)
    with pytest.raises(Limited):
        use(world, NUMBERS[2])


def test_how_fast_somebody_is_only_who_reaches_them_reads(world: World) -> None:
    with world.vault.units.read() as unit:
        account = unit.accounts.get(NUMBERS[0])
    assert account is not None
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    narrow = [world.human("nina", Role.ADMIN, scope), world.human("pia", Role.APPROVER, scope)]
    near = world.human("nora", Role.OPERATOR, scope).actor.id
    for who in narrow:
        assert world.vault.budgets.pace(who.actor, near).used == 0
        with pytest.raises(NotFound):
            world.vault.budgets.pace(who.actor, world.people["olga"].actor.id)
