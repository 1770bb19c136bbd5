"""Campaigns: two people agree to every account and everybody who does it; the pace counts for these alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.campaign import Campaign, Parts, Stage
from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.domain.health import Why
from vault.domain.rotation import Outcome
from vault.errors import Blocked, Conflict, Forbidden, Invalid, Limited, NotFound
from vault.ports.campaigns import Wanted
from vault.ports.store import Slice
from vault.services import campaigning
from vault.services.campaigning import Campaigning
from vault.services.gate import Gate
from vault.services.planning import Where, Wish
from vault.services.policy_book import FixedPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.world import World
    from vault.domain.proposal import Proposal

WHY = "the yearly rotation of every account"
NUMBERS = tuple(f"{number}" * 12 for number in range(1, 6))
EVERY = Slice(100)


@pytest.fixture
def world(quick_world: World) -> World:
    """Hold five accounts; two an hour are allowed."""
    vault = quick_world.vault
    policy = vault.gate.policy
    tight = Gate(FixedPolicy(replace(policy, limits=replace(policy.limits, accounts_per_hour=2))))
    quick_world.vault = replace(
        vault,
        gate=tight,
        checkouts=replace(vault.checkouts, gate=tight),
        campaigns=replace(vault.campaigns, gate=tight),
        explaining=replace(vault.explaining, gate=tight),
    )
    for number in NUMBERS:
        quick_world.held(number)
    for name, role in (
        ("olga", Role.OPERATOR),
        ("otto", Role.OPERATOR),
        ("ada", Role.APPROVER),
        ("amy", Role.ADMIN),
    ):
        quick_world.human(name, role)
    return quick_world


def id_of(world: World, name: str) -> str:
    """Give a person's id."""
    return world.people[name].actor.id


def wish(world: World, *people: str, pace: int = 4, hours: float = 48, **facts: object) -> Wish:
    """Want every account rotated."""
    until = world.clock.now() + timedelta(hours=hours)
    who = tuple(id_of(world, each) for each in people or ("olga", "otto"))
    made = Wish("Spring", WHY, Parts.PASSWORD, until, pace, who)
    return replace(made, **facts)  # type: ignore[arg-type] # a test names fields of it


def propose(world: World, wanted: Wish, who: str = "ada") -> Proposal:
    """Propose it."""
    human = world.people[who]
    return world.vault.campaigns.propose(human.actor, wanted, human.otp())


def agree(world: World, made: Proposal, who: str = "amy") -> None:
    """Agree to it."""
    human = world.people[who]
    world.vault.proposals.confirm(human.actor, made.id, human.otp())


def begin(world: World, wanted: Wish | None = None) -> Campaign:
    """Begin a campaign, as two people do."""
    made = propose(world, wanted or wish(world))
    agree(world, made)
    return world.vault.campaigns.get(world.people["ada"].actor, made.subject).campaign


def use(world: World, number: str, reason: str = "CRED_ROTATE", who: str = "olga") -> None:
    """Take one account out and give it back."""
    human = world.people[who]
    world.vault.checkouts.check_in(human.actor, world.lease(human, number, reason).id)


def rotate(world: World, number: str, who: str = "olga", *, verify: bool = False) -> None:
    """Rotate the password of one account; with `verify` a colleague proves it."""
    human, vault = world.people[who], world.vault
    lease = world.lease(human, number, "CRED_ROTATE")
    planned = vault.rotations.plan(human.actor, lease.id, PartKind.PASSWORD)
    vault.rotations.display(human.actor, planned.id)
    vault.attestations.attest(human.actor, planned.id, Outcome.ACCEPTED)
    vault.checkouts.check_in(human.actor, lease.id)
    if verify:
        otto = world.people["otto"].actor
        vault.attestations.verify(otto, planned.id, "signed in with it myself")


def owned(world: World, campaign: Campaign) -> dict[str, str | None]:
    """Give whose the accounts are, by number."""
    ada = world.people["ada"].actor
    found = world.vault.campaigns.accounts(ada, campaign.id, Wanted(), EVERY)
    return {each.assignment.account_id: each.assignment.person_id for each in found.items}


def test_two_people_begin_it_with_every_account_in_the_log(world: World) -> None:
    made = propose(world, wish(world))
    assert set(NUMBERS) <= set(made.content.replace('"', " ").split())
    with pytest.raises(NotFound):
        world.vault.campaigns.get(world.people["ada"].actor, made.subject)  # it gives nothing yet
    agree(world, made)
    campaign = world.vault.campaigns.get(world.people["olga"].actor, made.subject).campaign
    assert (campaign.accounts, campaign.accounts_per_hour, campaign.agreed_by) == (5, 4, id_of(world, "amy"))
    # shared out evenly, by number
    whose = owned(world, campaign)
    assert sorted(Counter(whose.values()).values()) == [2, 3]
    begun, *given, agreed = entries(world)[-4:]
    assert (begun["type"], agreed["type"]) == (EventType.CAMPAIGN_BEGUN, EventType.PROPOSAL_AGREED)
    assert {each["type"] for each in given} == {EventType.CAMPAIGN_ASSIGNED}
    named = {change["id"].partition("/")[2] for each in given for change in each["changes"]}
    assert named == set(NUMBERS)


def test_entries_name_a_bounded_number_of_accounts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaigning, "TOLD_AT_ONCE", 2)
    begin(world, wish(world, "olga"))
    given = [each for each in entries(world) if each["type"] == EventType.CAMPAIGN_ASSIGNED]
    assert [(each["detail"]["from"], each["detail"]["to"]) for each in given] == [(1, 2), (3, 4), (5, 5)]


@pytest.mark.parametrize(("who", "people"), [("ada", ("ada",)), ("olga", ("otto",))])
def test_nobody_proposes_a_pace_for_themselves(world: World, who: str, people: tuple[str, ...]) -> None:
    # ada may not use root anyhow; olga may not raise budgets
    with pytest.raises((Forbidden, Invalid)):
        propose(world, wish(world, *people), who)


def test_nobody_agrees_to_what_is_theirs(world: World) -> None:
    both = world.human("bea", Role.APPROVER)
    with world.vault.units.write() as unit:
        plain = unit.people.grants(both.actor.id)[0]
        unit.people.add_grant(replace(plain, id="another", role=Role.OPERATOR))
        unit.commit()
    made = propose(world, wish(world, "bea"))
    with pytest.raises(Forbidden) as refused:
        agree(world, made, "bea")
    assert refused.value.code == "policy.second_person"
    with pytest.raises(Invalid):
        propose(world, wish(world, "bea"), "bea")
    with pytest.raises(Forbidden):
        agree(world, made, "ada")  # the same person twice
    agree(world, made)


def test_a_wish_says_all_that_is_wrong_with_it(world: World) -> None:
    wrong = wish(world, pace=1, hours=24 * 91, name=" ", people=("nobody",), accounts=("999999999999",))
    with pytest.raises(Invalid) as refused:
        propose(world, wrong)
    assert {each.pointer for each in refused.value.errors} == {
        "/name",
        "/accounts_per_hour",
        "/until",
        "/people",
        "/accounts",
    }
    with pytest.raises(Invalid):
        propose(world, wish(world, where=Where(customer_id="nobody's")))


def test_a_filter_is_resolved_when_it_is_proposed(world: World) -> None:
    ada = world.people["ada"].actor
    assert len(world.vault.campaigns.candidates(ada, Where(whys=frozenset({Why.DUE_INTAKE})))) == 5
    assert world.vault.campaigns.candidates(ada, Where(whys=frozenset({Why.DUE_LEAVER}))) == ()
    rotate(world, NUMBERS[0])
    made = propose(world, wish(world, parts=Parts.BOTH))
    rotate(world, NUMBERS[1])
    agree(world, made)
    campaign = world.vault.campaigns.get(ada, made.subject).campaign
    assert campaign.accounts == 5


def test_its_pace_counts_for_its_accounts_and_nothing_else(world: World) -> None:
    olga = world.people["olga"]
    campaign = begin(world, wish(world, "olga", accounts=NUMBERS[:4], pace=3))
    for number in NUMBERS[:3]:
        use(world, number)  # beyond the usual two
    explained = world.vault.explaining.explain(olga.actor, NUMBERS[3], "CRED_ROTATE")
    assert next(each for each in explained.gates if each.gate == "velocity").code == "limit.accounts"
    use(world, NUMBERS[4])  # outside of it the usual two begin at none
    budgets = replace(world.vault.budgets, gate=world.vault.gate)
    pace = budgets.pace(world.people["ada"].actor, olga.actor.id)
    assert (pace.used, pace.in_campaigns, pace.allowed) == (1, 3, 2)
    world.clock.advance(hours=2)
    world.vault.proposals.end(world.people["amy"].actor, campaign.proposal_id, "we are done with it")
    for number in NUMBERS[:2]:
        use(world, number)
    with pytest.raises(Limited):
        use(world, NUMBERS[2])


def test_beyond_its_own_pace_one_is_frozen(world: World) -> None:
    begin(world, wish(world, "olga", pace=3))
    for number in NUMBERS[:3]:
        use(world, number)
    with pytest.raises(Limited):
        use(world, NUMBERS[3])
    assert len(world.vault.freezes.open(world.people["olga"].actor)) == 1


@pytest.mark.parametrize("way", ["another's", "over", "another reason"])
def test_what_is_not_its_work_counts_as_ever(world: World, way: str) -> None:
    begin(world, wish(world, "otto" if way == "another's" else "olga", hours=48))
    if way == "over":
        world.clock.advance(hours=49)
    reason = "BILL_ROOT" if way == "another reason" else "CRED_ROTATE"
    for number in NUMBERS[:2]:
        use(world, number, reason)
    with pytest.raises(Limited):
        use(world, NUMBERS[2], reason)


def test_progress_is_what_was_rotated_and_proven_since_it_began(world: World) -> None:
    rotate(world, NUMBERS[4], verify=True)
    world.clock.advance(minutes=5)
    campaign = begin(world, wish(world, "olga"))
    world.clock.advance(minutes=5)
    rotate(world, NUMBERS[0])
    rotate(world, NUMBERS[1], verify=True)
    view = world.vault.campaigns.get(world.people["olga"].actor, campaign.id)
    assert view.of(id_of(world, "olga")) == {
        Stage.LEFT: 3,
        Stage.STARTED: 0,
        Stage.ROTATED: 1,
        Stage.VERIFIED: 1,
    }
    listed = world.vault.campaigns.accounts(
        world.people["olga"].actor, campaign.id, Wanted(stage=Stage.VERIFIED), EVERY
    )
    assert [each.assignment.account_id for each in listed.items] == [NUMBERS[1]]


def test_of_both_parts_one_is_a_beginning(world: World) -> None:
    campaign = begin(world, wish(world, "olga", parts=Parts.BOTH))
    world.clock.advance(minutes=5)
    rotate(world, NUMBERS[0], verify=True)
    view = world.vault.campaigns.get(world.people["olga"].actor, campaign.id)
    assert (view.at(Stage.STARTED), view.at(Stage.LEFT), view.seen) == (1, 4, 5)


def test_what_nobody_has_is_taken_and_given_back(world: World) -> None:
    campaigns = world.vault.campaigns
    campaign = begin(world, wish(world, share=False))
    olga, otto = world.people["olga"].actor, world.people["otto"].actor
    assert set(owned(world, campaign).values()) == {None}
    assert campaigns.take(olga, campaign.id, 2) == NUMBERS[:2]
    assert campaigns.take(otto, campaign.id, [NUMBERS[4]]) == (NUMBERS[4],)
    with pytest.raises(Conflict) as refused:
        campaigns.take(otto, campaign.id, [NUMBERS[0], NUMBERS[3]])
    assert refused.value.code == "campaign.account"
    with pytest.raises(Conflict):
        campaigns.give_back(otto, campaign.id, [NUMBERS[0]])
    assert campaigns.give_back(olga, campaign.id, 1) == NUMBERS[:1]
    assert owned(world, campaign)[NUMBERS[3]] is None
    # another person hands on, to the people of it alone
    ada = world.people["ada"].actor
    assert campaigns.assign(ada, campaign.id, 9, of=olga.id, to=otto.id) == NUMBERS[1:2]
    with pytest.raises(Forbidden) as stranger:
        campaigns.assign(ada, campaign.id, [NUMBERS[0]], of=None, to=ada.id)
    assert stranger.value.code == "campaign.person"
    third = world.human("third", Role.OPERATOR).actor  # may use root, and is not one of its people
    with pytest.raises(Forbidden) as outside:
        campaigns.take(third, campaign.id, 1)
    assert outside.value.code == "campaign.person"
    with pytest.raises(Forbidden):
        campaigns.assign(olga, campaign.id, [NUMBERS[0]], of=None, to=otto.id)
    world.clock.advance(hours=49)
    with pytest.raises(Conflict) as late:
        campaigns.take(olga, campaign.id, 1)
    assert late.value.code == "campaign.over"


def test_who_reaches_only_some_sees_and_takes_only_those(world: World) -> None:
    near = world.human("nora", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, NUMBERS[0]))
    campaign = begin(world, wish(world, "nora", "olga", accounts=NUMBERS[:3], share=False))
    campaigns = world.vault.campaigns
    assert campaigns.get(near.actor, campaign.id).seen == 1
    with pytest.raises(Conflict):
        campaigns.take(near.actor, campaign.id, [NUMBERS[1]])
    assert campaigns.take(near.actor, campaign.id, 3) == NUMBERS[:1]
    far = world.human("fred", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, NUMBERS[4]))
    assert campaigns.page(far.actor, EVERY).items == ()
    for act in (campaigns.get, lambda who, which: campaigns.take(who, which, 1)):
        with pytest.raises(NotFound):
            act(far.actor, campaign.id)
    # shared out, what only olga reaches is hers
    other = begin(world, wish(world, "nora", "olga", accounts=NUMBERS[:3], name="Again"))
    assert owned(world, other)[NUMBERS[2]] == id_of(world, "olga")


def test_who_raises_budgets_somewhere_proposes_for_there_alone(world: World) -> None:
    with world.vault.units.read() as unit:
        account = unit.accounts.get(NUMBERS[0])
    assert account is not None
    near = world.human("nora", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, NUMBERS[0]))
    far = world.human("fred", Role.OPERATOR, Scope(ScopeKind.CUSTOMER, "another"))
    pia = world.human("pia", Role.APPROVER, Scope(ScopeKind.ACCOUNT, NUMBERS[0]))
    cleo = world.human("cleo", Role.APPROVER, Scope(ScopeKind.CUSTOMER, account.customer_id))
    for who in (pia, cleo):
        names = {each.name for each in world.vault.campaigns.able(who.actor)}
        assert names == {"olga", "otto", "nora"}
    assert [each.id for each in world.vault.campaigns.candidates(pia.actor, Where())] == [NUMBERS[0]]
    for people, numbers in ((("fred",), NUMBERS[:1]), (("nora",), NUMBERS[:2])):
        with pytest.raises(Invalid):
            propose(world, wish(world, *people, accounts=numbers), "pia")
    made = propose(world, wish(world, "nora", accounts=NUMBERS[:1]), "pia")
    assert str(made.scope) == f"account:{NUMBERS[0]}"
    assert {near.actor.id, far.actor.id} & set(made.content.split('"')) == {near.actor.id}


def test_the_word_of_who_is_frozen_moves_nothing(world: World) -> None:
    campaign = begin(world, wish(world, share=False))
    olga, ada = world.people["olga"].actor, world.people["ada"].actor
    for who in (olga, ada):
        world.vault.freezes.freeze(world.people["amy"].actor, f"person:{who.id}", "for this test")
    acts: tuple[Callable[[], object], ...] = (
        lambda: world.vault.campaigns.take(olga, campaign.id, 1),
        lambda: world.vault.campaigns.assign(ada, campaign.id, 1, of=None, to=olga.id),
    )
    for act in acts:
        with pytest.raises(Blocked):
            act()
        refused = entries(world)[-1]
        assert (refused["type"], refused["detail"]["campaign"]) == (EventType.ACCESS_DENIED, campaign.id)
    assert set(owned(world, campaign).values()) == {None}


def test_it_ends_by_time_in_the_log_once(world: World) -> None:
    campaign = begin(world)
    assert world.vault.campaigns_over.once() == 0
    world.clock.advance(hours=48)
    assert world.vault.campaigns.page(world.people["ada"].actor, EVERY).items == ()
    assert (world.vault.campaigns_over.once(), world.vault.campaigns_over.once()) == (1, 0)
    ended = [each for each in entries(world) if each["type"] == EventType.CAMPAIGN_ENDED]
    assert [each["detail"]["campaign"] for each in ended] == [campaign.id]
    (kept,) = world.vault.campaigns.page(world.people["ada"].actor, EVERY, is_running=False).items
    assert kept.campaign.ended_by == "system:campaigns"


def test_what_waited_too_long_begins_nothing(world: World) -> None:
    made = propose(world, wish(world, hours=1))
    world.clock.advance(hours=1)
    with pytest.raises(Invalid):
        agree(world, made)


def test_who_is_shut_out_has_none_of_it_any_more(world: World) -> None:
    campaign = begin(world, wish(world))
    made = propose(world, wish(world, name="Another"))
    amy = world.people["amy"].actor
    world.vault.people.disable(amy, id_of(world, "otto"))
    assert set(owned(world, campaign).values()) == {id_of(world, "olga"), None}
    with pytest.raises(Forbidden):
        world.vault.campaigns.assign(amy, campaign.id, 1, of=None, to=id_of(world, "otto"))
    with pytest.raises(Conflict):
        agree(world, made)  # and a campaign with them does not begin


def test_effects_say_who_they_concern(world: World) -> None:
    made = propose(world, wish(world))
    with world.vault.units.read() as unit:
        assert Campaigning().concerned(unit, made) == {id_of(world, "olga"), id_of(world, "otto")}
