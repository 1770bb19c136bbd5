"""What takes two people: who may propose and agree, the hold, the end, and what the log tells of it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from tests.support.replay import check_replay
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.event import EventType
from vault.domain.policy import Permission
from vault.domain.proposal import Proposal, ProposalKind, ProposalState
from vault.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, VaultError
from vault.ports.store import Slice
from vault.services.people import Wish
from vault.services.proposals import Draft, Proposals, content_hash

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.support.world import Human, World
    from vault.domain.actor import Actor
    from vault.domain.event import Change
    from vault.ports.store import Unit

NUMBER = "111122223333"
WHY = "because the campaign begins on Monday"
HOLD = timedelta(hours=24)


@dataclass
class Noted:
    """An effect that only remembers what was asked of it."""

    permission: Permission = Permission.PEOPLE_MANAGE
    about: frozenset[str] = frozenset()
    stale: VaultError | None = None
    calls: list[str] = field(default_factory=list)

    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say what was set."""
        return self.stale

    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name who was set."""
        return self.about

    def hold(self, unit: Unit, proposal: Proposal, now: datetime) -> timedelta:
        """Wait a day."""
        return HOLD

    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Remember."""
        self.calls.append("agreed")
        return ()

    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Remember."""
        self.calls.append("ended")
        return ()


def whole(world: World, effect: Noted) -> Proposals:
    """Give the use cases with one kind."""
    vault = world.vault
    return Proposals(
        vault.units, vault.gate, vault.people.factors, world.clock, {ProposalKind.BUDGET: effect}
    )


def draft(**other: object) -> Draft:
    """Make what is proposed."""
    made = Draft(ProposalKind.BUDGET, "somebody", json.dumps({"accounts": 40}), WHY, Scope())
    return replace(made, **other)  # type: ignore[arg-type]  # fields of Draft


@pytest.fixture
def two(world: World) -> tuple[Human, Human]:
    """Lend two administrators, in a vault that holds an account."""
    world.held()
    return world.human("ada", Role.ADMIN), world.human("bert", Role.ADMIN)


def test_two_people_and_a_hold(world: World, two: tuple[Human, Human]) -> None:
    ada, bert = two
    effect = Noted()
    proposals = whole(world, effect)
    made = proposals.propose(ada.actor, draft(), ada.otp())
    assert made.state(world.clock.now()) is ProposalState.WAITING
    assert proposals.page(bert.actor, Slice(limit=9), is_waiting=True).items == (made,)
    assert effect.calls == []
    agreed = proposals.confirm(bert.actor, made.id, bert.otp(), content_hash(made))
    assert effect.calls == ["agreed"]
    assert agreed.state(world.clock.now()) is ProposalState.HELD
    assert agreed.effective_at == world.clock.now() + HOLD
    assert proposals.page(bert.actor, Slice(limit=9), is_waiting=True).items == ()
    with world.vault.units.read() as unit:
        assert unit.proposals.in_force(ProposalKind.BUDGET, "somebody", world.clock.now()) is None
        assert unit.proposals.agreed(ProposalKind.BUDGET) == (agreed,)
        later = world.clock.now() + HOLD
        assert unit.proposals.in_force(ProposalKind.BUDGET, "somebody", later) == agreed
    world.clock.advance(hours=24)
    assert proposals.get(ada.actor, made.id).state(world.clock.now()) is ProposalState.IN_FORCE
    ended = proposals.end(ada.actor, made.id, "the campaign is over")
    assert effect.calls == ["agreed", "ended"]
    assert ended.state(world.clock.now()) is ProposalState.ENDED
    assert proposals.end(bert.actor, made.id, "the campaign is over") == ended
    with world.vault.units.read() as unit:
        assert unit.proposals.in_force(ProposalKind.BUDGET, "somebody", world.clock.now()) is None
    told = entries(world, type=EventType.PROPOSAL_AGREED)[0]
    assert told["actor"] != entries(world, type=EventType.PROPOSAL_MADE)[0]["actor"]
    assert len(entries(world, type=EventType.PROPOSAL_ENDED)) == 1
    check_replay(world)


def test_nobody_agrees_to_their_own_nor_to_what_is_about_them(world: World, two: tuple[Human, Human]) -> None:
    ada, bert = two
    effect = Noted(about=frozenset({bert.actor.id}))
    proposals = whole(world, effect)
    made = proposals.propose(ada.actor, draft(), ada.otp())
    for who in (ada, bert):
        assert proposals.barred(who.actor, made)
        with pytest.raises(Forbidden, match="Another person"):
            proposals.confirm(who.actor, made.id, who.otp())
    assert effect.calls == []
    dora = world.human("dora", Role.ADMIN)
    assert not proposals.barred(dora.actor, made)
    proposals.confirm(dora.actor, made.id, dora.otp())
    # whom it is about may end it, without any power
    assert proposals.may_end(bert.actor, made)
    assert (
        proposals.end(replace(bert.actor, powers=()), made.id, "I do not want this").ended_by == bert.actor.id
    )


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.APPROVER, Role.CUSTODIAN, Role.CSM])
def test_who_may_not_decide_sees_nothing(world: World, two: tuple[Human, Human], role: Role) -> None:
    ada, _ = two
    proposals = whole(world, Noted())
    made = proposals.propose(ada.actor, draft(), ada.otp())
    other = world.human("otto", role)
    assert proposals.page(other.actor, Slice(limit=9)).items == ()
    with pytest.raises(NotFound):
        proposals.get(other.actor, made.id)
    with pytest.raises(NotFound):
        proposals.confirm(other.actor, made.id, other.otp())
    with pytest.raises(NotFound):
        proposals.end(other.actor, made.id, "I do not like it")
    with pytest.raises(Forbidden):
        proposals.propose(other.actor, draft(subject="another"), other.otp())


def test_an_auditor_reads_and_decides_nothing(world: World, two: tuple[Human, Human]) -> None:
    ada, _ = two
    proposals = whole(world, Noted())
    made = proposals.propose(ada.actor, draft(), ada.otp())
    auditor = world.human("ursula", Role.AUDITOR)
    assert proposals.get(auditor.actor, made.id) == made
    with pytest.raises(Forbidden):
        proposals.confirm(auditor.actor, made.id, auditor.otp())
    with pytest.raises(Forbidden):
        proposals.end(auditor.actor, made.id, "I do not like it")


def test_a_narrow_administrator_does_not_decide_on_what_is_wider(
    world: World, two: tuple[Human, Human]
) -> None:
    ada, _ = two
    with world.vault.units.read() as unit:
        customer = unit.customers.by_ddi("900001")
    assert customer is not None
    narrow = world.human("nina", Role.ADMIN, Scope(ScopeKind.CUSTOMER, customer.id))
    proposals = whole(world, Noted())
    made = proposals.propose(ada.actor, draft(), ada.otp())
    with pytest.raises(NotFound):
        proposals.confirm(narrow.actor, made.id, narrow.otp())
    with pytest.raises(Forbidden, match="wider"):
        proposals.propose(narrow.actor, draft(subject="another"), narrow.otp())
    theirs = draft(subject="third", scope=Scope(ScopeKind.CUSTOMER, customer.id))
    made = proposals.propose(narrow.actor, theirs, narrow.otp())
    assert proposals.confirm(ada.actor, made.id, ada.otp()).confirmed_by == ada.actor.id


def test_a_narrow_administrator_or_auditor_knows_of_nothing_beyond(
    world: World, two: tuple[Human, Human]
) -> None:
    ada, _ = two
    with world.vault.units.read() as unit:
        customer = unit.customers.by_ddi("900001")
    assert customer is not None
    scope = Scope(ScopeKind.CUSTOMER, customer.id)
    narrow = [world.human("nina", Role.ADMIN, scope), world.human("uwe", Role.AUDITOR, scope)]
    proposals = whole(world, Noted())
    theirs = proposals.propose(ada.actor, draft(subject="theirs", scope=scope), ada.otp())
    near = Scope(ScopeKind.ACCOUNT, NUMBER)
    account = proposals.propose(ada.actor, draft(subject="near", scope=near), ada.otp())
    beyond = [
        proposals.propose(ada.actor, draft(subject=f"beyond {number}", scope=far), ada.otp())
        for number, far in enumerate((Scope(), Scope(ScopeKind.CUSTOMER, "another")))
    ]
    for who in narrow:
        # what is beyond takes no place on a page either
        assert proposals.page(who.actor, Slice(limit=2), is_waiting=True).items == (account, theirs)
        for each in beyond:
            with pytest.raises(NotFound):
                proposals.get(who.actor, each.id)
            with pytest.raises(NotFound):
                proposals.confirm(who.actor, each.id, who.otp())
            with pytest.raises(NotFound):
                proposals.end(who.actor, each.id, "I do not like it")
            assert proposals.barred(who.actor, each)
            assert not proposals.may_end(who.actor, each)
    assert len(proposals.page(ada.actor, Slice(limit=9)).items) == 4
    assert proposals.mine(narrow[0].actor) == (account, theirs)


def test_only_what_was_looked_at_and_only_once(world: World, two: tuple[Human, Human]) -> None:
    ada, bert = two
    effect = Noted()
    proposals = whole(world, effect)
    made = proposals.propose(ada.actor, draft(), ada.otp())
    with pytest.raises(Conflict, match="not what you looked at"):
        proposals.confirm(bert.actor, made.id, bert.otp(), content_hash(replace(made, content="{}")))
    with pytest.raises(Unauthenticated):
        proposals.confirm(bert.actor, made.id, "000000")
    with pytest.raises(Conflict) as twice:
        proposals.propose(bert.actor, draft(), bert.otp())
    assert twice.value.code == "proposal.exists"
    effect.stale = Conflict("proposal.state", "It does not fit any more.")
    with pytest.raises(Conflict, match="does not fit"):
        proposals.confirm(bert.actor, made.id, bert.otp())
    effect.stale = None
    proposals.confirm(bert.actor, made.id, bert.otp())
    with pytest.raises(Conflict, match="nothing is left"):
        proposals.confirm(bert.actor, made.id, bert.otp())
    with pytest.raises(Invalid):
        proposals.end(bert.actor, made.id, "short")
    assert effect.calls == ["agreed"]


def test_no_hold_before_anything_was_held(world: World) -> None:
    ada, bert = world.human("ada", Role.ADMIN), world.human("bert", Role.ADMIN)
    proposals = whole(world, Noted())
    made = proposals.propose(ada.actor, draft(), ada.otp())
    assert proposals.confirm(bert.actor, made.id, bert.otp()).in_force(world.clock.now())


def test_of_an_agreement_and_an_end_at_once_the_end_stays(world: World, two: tuple[Human, Human]) -> None:
    ada, bert = two
    proposals = whole(world, Noted())
    for number in range(5):
        made = proposals.propose(ada.actor, draft(subject=f"case {number}"), ada.otp())
        agree = partial(proposals.confirm, bert.actor, made.id, bert.otp())
        end = partial(proposals.end, ada.actor, made.id, "I thought again about it")
        lost = at_once(agree, end)
        assert proposals.get(ada.actor, made.id).state(world.clock.now()) is ProposalState.ENDED
        assert all(error.code == "proposal.state" for error in lost)
    check_replay(world)


def at_once(*acts: Callable[[], object]) -> list[VaultError]:
    """Do all at the same moment; give the refusals."""
    barrier = threading.Barrier(len(acts))
    lost: list[VaultError] = []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except VaultError as error:
            lost.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return lost


def test_what_waits_is_shown_to_who_may_decide_it(world: World, two: tuple[Human, Human]) -> None:
    ada, bert = two
    proposals = whole(world, Noted())
    made = proposals.propose(ada.actor, draft(), ada.otp())
    otto = world.human("otto", Role.OPERATOR)
    auditor = world.human("ursula", Role.AUDITOR)
    shown = {who.actor.name: proposals.mine(who.actor) for who in (ada, bert, otto, auditor)}
    assert shown == {"ada": (), "bert": (made,), "otto": (), "ursula": ()}
    grant = world.vault.people.propose_grant(ada.actor, otto.actor.id, Wish(Role.CUSTODIAN))
    people = world.vault.people
    for who in (ada, bert, auditor):
        assert [(person.name, each) for person, each in people.waiting(who.actor)] == [("otto", grant)]
    assert people.waiting(otto.actor) == ()
    with world.vault.units.read() as unit:
        customer = unit.customers.by_ddi("900001")
    assert customer is not None
    narrow = world.human("nina", Role.ADMIN, Scope(ScopeKind.CUSTOMER, customer.id))
    assert people.waiting(narrow.actor) == ()
    people.remove_grant(bert.actor, grant.id)
    assert people.waiting(ada.actor) == ()


@pytest.mark.parametrize("how", ["disabled", "role removed", "frozen"])
def test_the_word_of_who_proposed_counts_while_they_may_give_it(
    world: World, two: tuple[Human, Human], how: str
) -> None:
    ada, bert = two
    proposals = whole(world, Noted())
    otto = world.human("otto", Role.OPERATOR)
    made = proposals.propose(ada.actor, draft(), ada.otp())
    grant = world.vault.people.propose_grant(ada.actor, otto.actor.id, Wish(Role.CUSTODIAN))
    if how == "disabled":
        world.vault.people.disable(bert.actor, ada.actor.id)
    elif how == "role removed":
        held = world.vault.people.get(bert.actor, ada.actor.id).grants
        world.vault.people.remove_grant(bert.actor, held[0].id)
    else:
        world.vault.freezes.freeze(bert.actor, f"person:{ada.actor.id}", "a stolen laptop")
    with pytest.raises(Conflict, match="propose it anew"):
        proposals.confirm(bert.actor, made.id, bert.otp())
    with pytest.raises(Conflict, match="propose it anew"):
        world.vault.people.confirm_grant(bert.actor, grant.id, bert.otp())
    assert [each["detail"]["code"] for each in entries(world, type=EventType.ACCESS_DENIED)] == [
        "proposal.state",
        "person.state",
    ]
    proposals.end(bert.actor, made.id, "its first word does not count")
    dora = world.human("dora", Role.ADMIN)
    again = proposals.propose(dora.actor, draft(), dora.otp())
    assert proposals.confirm(bert.actor, again.id, bert.otp()).confirmed_by == bert.actor.id
