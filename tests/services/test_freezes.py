"""Freezes: one press stops what it covers, at once and for everybody; two people who may lift it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from tests.support.world import with_keys
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState, Decision
from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.domain.rotation import Outcome
from vault.domain.secret import Secret
from vault.errors import Blocked, Conflict, Forbidden, Invalid, NotFound, Unauthenticated, VaultError
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.custody import Existing

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.ports.keys import KeyService

NUMBER, OTHER = "111122223333", "444455556666"
WHY = "the laptop was found again"


@pytest.fixture
def world(quick_world: World) -> World:
    """Take one account into custody, for one operator and those who watch and lift."""
    quick_world.held(NUMBER)
    for name, role in (("olga", Role.OPERATOR), ("ada", Role.APPROVER), ("amy", Role.ADMIN)):
        quick_world.human(name, role)
    return quick_world


def scopes(world: World) -> dict[str, str]:
    """Name everything that covers a lease of olga's."""
    with world.vault.units.read() as unit:
        account = unit.accounts.get(NUMBER)
    assert account is not None
    return {
        "vault": "vault",
        "customer": f"customer:{account.customer_id}",
        "account": f"account:{NUMBER}",
        "person": f"person:{world.people['olga'].actor.id}",
    }


def freeze(world: World, scope: str, who: str = "ada") -> str:
    """Press."""
    return world.vault.freezes.freeze(world.people[who].actor, scope, "a stolen laptop").id


def lift(world: World, freeze_id: str, *names: str) -> None:
    """Give these people's words."""
    for name in names:
        human = world.people[name]
        world.vault.freezes.lift(human.actor, freeze_id, WHY, human.otp())


@pytest.mark.parametrize("kind", ["vault", "customer", "account", "person"])
def test_nothing_that_is_covered_is_disclosed(world: World, kind: str) -> None:
    olga, vault = world.people["olga"], world.vault
    lease = world.lease(olga, reason="CRED_ROTATE")
    plan = vault.rotations.plan(olga.actor, lease.id, PartKind.PASSWORD)
    made = freeze(world, scopes(world)[kind])
    for act in (
        lambda: vault.reveals.password(olga.actor, lease.id),
        lambda: vault.reveals.code(olga.actor, lease.id),
        lambda: vault.rotations.display(olga.actor, plan.id),
        lambda: vault.checkouts.step_up(olga.actor, lease.id, olga.otp()),
    ):
        with pytest.raises(Blocked) as refused:
            act()
        assert refused.value.code == "frozen"
        assert refused.value.facts["frozen_by"] == "ada"
        assert refused.value.facts["scope"] == scopes(world)[kind]
    assert [each["outcome"] for each in entries(world, type=EventType.REVEAL_REFUSED)] == ["denied"] * 3
    # what ends the danger goes on
    vault.rotations.abandon(olga.actor, plan.id)
    lift(world, made, "ada", "amy")
    with pytest.raises(Unauthenticated):  # the factor of before ended with the freeze
        vault.reveals.password(olga.actor, lease.id)
    vault.checkouts.step_up(olga.actor, lease.id, olga.otp())
    vault.reveals.password(olga.actor, lease.id)
    vault.checkouts.check_in(olga.actor, lease.id)


def test_what_is_not_covered_goes_on(world: World) -> None:
    world.held(OTHER)
    olga, bob = world.people["olga"], world.human("bob", Role.OPERATOR)
    lease, other = world.lease(olga), world.lease(bob, OTHER)
    freeze(world, f"account:{NUMBER}")
    freeze(world, f"person:{olga.actor.id}")
    world.vault.reveals.password(bob.actor, other.id)
    with pytest.raises(Blocked):
        world.vault.reveals.password(olga.actor, lease.id)


def test_asking_attesting_and_checking_in_go_on(world: World) -> None:
    olga, vault = world.people["olga"], world.vault
    lease = world.lease(olga, reason="CRED_ROTATE")
    plan = vault.rotations.plan(olga.actor, lease.id, PartKind.PASSWORD)
    vault.rotations.display(olga.actor, plan.id)
    made = freeze(world, "vault")
    vault.attestations.attest(olga.actor, plan.id, Outcome.ACCEPTED)
    vault.checkouts.check_in(olga.actor, lease.id)
    asked = world.ask(olga, reason="IAM_RESTORE")
    ada = world.people["ada"]
    vault.approvals.decide(ada.actor, asked.id, Word(Decision.APPROVE, "seen"), ada.otp())
    with pytest.raises(Blocked):
        vault.checkouts.step_up(olga.actor, asked.id, olga.otp())
    lift(world, made, "ada", "amy")
    assert vault.checkouts.step_up(olga.actor, asked.id, olga.otp())[0].state is CheckoutState.ACTIVE


def test_intake_is_refused(world: World) -> None:
    account = world.account(OTHER)
    carla = world.people["carla"]
    freeze(world, f"account:{OTHER}")
    seed = Secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    values = Existing(account.root_email, Secret("Correct-Horse-7-Battery"), seed, attested=True)
    with pytest.raises(Blocked):
        world.vault.custodies.take_in(carla.actor, OTHER, values, carla.otp())


@pytest.mark.parametrize(
    ("is_lifted", "error", "code"),
    [(False, Blocked, "frozen"), (True, Unauthenticated, "auth.step_up_required")],
)
def test_a_disclosure_that_was_authorised_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch, is_lifted: bool, error: type[VaultError], code: str
) -> None:
    olga, vault = world.people["olga"], world.vault
    lease = world.lease(olga)
    opened = type(vault.reveals.sealer).open

    def meanwhile(self: object, *values: object) -> object:
        made = freeze(world, "vault")
        if is_lifted:  # the factor of before ended with it
            lift(world, made, "ada", "amy")
        return opened(self, *values)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(type(vault.reveals.sealer), "open", meanwhile)
    with pytest.raises(error) as refused:
        vault.reveals.password(olga.actor, lease.id)
    assert refused.value.code == code
    told = [each["type"] for each in entries(world)]
    told = told[told.index(EventType.REVEAL_AUTHORIZED) :]
    assert (told[1], told[-1]) == (EventType.FREEZE_SET, EventType.REVEAL_FAILED)
    assert entries(world)[-1]["detail"]["code"] == code


def test_one_person_lifts_nothing(world: World) -> None:
    made = freeze(world, "vault")
    lift(world, made, "ada")
    ada = world.people["ada"]
    with pytest.raises(Forbidden) as refused:
        world.vault.freezes.lift(ada.actor, made, WHY, ada.otp())
    assert refused.value.code == "policy.second_person"
    assert world.vault.freezes.get(ada.actor, made).lifted_at is None
    # neither does who cannot prove themselves, nor who may not
    with pytest.raises(Unauthenticated):
        world.vault.freezes.lift(world.people["amy"].actor, made, WHY, "000000")
    for name in ("olga", "carla"):
        human = world.people[name]
        with pytest.raises(Forbidden):
            world.vault.freezes.lift(human.actor, made, WHY, human.otp())
    lift(world, made, "amy")
    lifted = world.vault.freezes.get(ada.actor, made)
    assert lifted.lifted_by == world.people["amy"].actor.id
    told = entries(world, type=EventType.FREEZE_LIFTED)[0]["detail"]
    assert (told["proposed_by"], told["freeze"]) == (ada.actor.id, made)
    with pytest.raises(Conflict) as over:
        world.vault.freezes.lift(ada.actor, made, WHY, ada.otp())
    assert over.value.code == "proposal.state"


def test_a_frozen_person_has_no_word(world: World) -> None:
    vault, ada, olga = world.vault, world.people["ada"], world.people["olga"]
    ben = world.human("ben", Role.APPROVER)
    asked = world.ask(olga, reason="IAM_RESTORE")
    mine = freeze(world, f"person:{ada.actor.id}", "amy")
    other = freeze(world, f"account:{NUMBER}", "amy")
    # not a token, and not a fresh factor, makes it count
    by_token = replace(ada.actor, origin=replace(ada.actor.origin, session="a-token", browser=False))
    for actor in (ada.actor, by_token):
        with pytest.raises(Blocked):
            vault.approvals.decide(actor, asked.id, Word(Decision.APPROVE, "seen"), ada.otp())
        for each in (mine, other):
            with pytest.raises(Blocked):
                vault.freezes.lift(actor, each, WHY, ada.otp())
    freeze(world, f"person:{olga.actor.id}")
    with pytest.raises(Blocked):
        vault.asking.ask(olga.actor, Ask(NUMBER, "BILL_ROOT", "T-1", "a task for this test"))
    # nor do they undo what others do about it
    made = vault.recovery.propose(world.people["amy"].actor, ada.actor.id, WHY, world.people["amy"].otp())
    with pytest.raises(Blocked):
        vault.proposals.end(ada.actor, made.id, "nobody lost anything")
    # others lift it: one of them proposes, and the frozen one cannot be the second
    lift(world, mine, "ben")
    with pytest.raises(Blocked):
        vault.freezes.lift(ada.actor, mine, WHY, ada.otp())
    lift(world, mine, "amy")
    vault.approvals.decide(ada.actor, asked.id, Word(Decision.APPROVE, "seen"), ada.otp())
    assert ben.actor.id != ada.actor.id


def test_what_a_frozen_person_approved_before_counts_for_nothing(world: World) -> None:
    vault, ada, olga = world.vault, world.people["ada"], world.people["olga"]
    ben = world.human("ben", Role.APPROVER)
    asked = world.ask(olga, reason="IAM_RESTORE")
    vault.approvals.decide(ada.actor, asked.id, Word(Decision.APPROVE, "seen"), ada.otp())
    # the device was stolen before that, and its owner presses
    freeze(world, f"person:{ada.actor.id}")
    with pytest.raises(Conflict) as refused:
        vault.checkouts.step_up(olga.actor, asked.id, olga.otp())
    assert refused.value.code == "approval.changed"
    assert vault.views.mine(olga.actor)[0].state is CheckoutState.PENDING_APPROVAL
    vault.approvals.decide(ben.actor, asked.id, Word(Decision.APPROVE, "seen"), ben.otp())
    assert vault.checkouts.step_up(olga.actor, asked.id, olga.otp())[0].state is CheckoutState.ACTIVE


def test_who_may_press(world: World) -> None:
    vault = world.vault
    with vault.units.read() as unit:
        account = unit.accounts.get(NUMBER)
    assert account is not None
    theirs = world.human("tess", Role.CSM, Scope(ScopeKind.CUSTOMER, account.customer_id))
    strange = world.human("sven", Role.CSM, Scope(ScopeKind.CUSTOMER, "00000000-0000-4000-8000-000000000009"))
    for scope in (f"account:{NUMBER}", f"customer:{account.customer_id}"):
        with pytest.raises(NotFound):
            vault.freezes.freeze(strange.actor, scope)
    for human in (theirs, strange):
        with pytest.raises(Forbidden):
            vault.freezes.freeze(human.actor, "vault")
        with pytest.raises(Forbidden):
            vault.freezes.freeze(human.actor, f"person:{world.people['olga'].actor.id}")
    with pytest.raises(NotFound):
        vault.freezes.freeze(theirs.actor, "person:nobody")
    for words in ("", "everything", "vault:x", "account:", "person"):
        with pytest.raises(Invalid):
            vault.freezes.freeze(theirs.actor, words)
    vault.freezes.freeze(strange.actor, f"person:{strange.actor.id}")  # one's own lost device
    made = vault.freezes.freeze(theirs.actor, f"account:{NUMBER}", "who is this?")
    assert vault.freezes.freeze(world.people["ada"].actor, f"account:{NUMBER}").id == made.id
    assert len(entries(world, type=EventType.FREEZE_SET)) == 2
    assert [each.id for each in vault.freezes.open(theirs.actor)] == [made.id]
    with pytest.raises(NotFound):
        vault.freezes.get(strange.actor, made.id)


def test_freezing_and_lifting_work_while_the_keys_are_away(world: World, broken_keys: KeyService) -> None:
    dark = with_keys(world, broken_keys)
    made = freeze(dark, "vault")
    lift(dark, made, "ada", "amy")
    assert dark.vault.freezes.open(world.people["ada"].actor) == ()


def test_a_freeze_cannot_be_forgotten(world: World) -> None:
    freeze(world, "vault")
    engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units
    for statement in ("DELETE FROM frozen", "UPDATE frozen SET target = 'x'", "UPDATE frozen SET why = ''"):
        with engine.connect() as connection, pytest.raises(Exception, match="frozen"):
            connection.exec_driver_sql(statement)


def test_of_a_frozen_person_only_who_reaches_them_knows(world: World) -> None:
    with world.vault.units.read() as unit:
        account = unit.accounts.get(NUMBER)
    assert account is not None
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    narrow = [world.human("nina", Role.ADMIN, scope), world.human("uwe", Role.AUDITOR, scope)]
    near = world.human("nora", Role.OPERATOR, scope)
    beyond, theirs = (freeze(world, f"person:{each.actor.id}") for each in (world.people["olga"], near))
    for who in narrow:
        assert [each.id for each in world.vault.freezes.open(who.actor)] == [theirs]
        with pytest.raises(NotFound):
            world.vault.freezes.get(who.actor, beyond)
    assert len(world.vault.freezes.open(world.people["amy"].actor)) == len((beyond, theirs))


def test_a_frozen_person_proves_no_rotation(world: World) -> None:
    vault, ada, olga = world.vault, world.people["ada"], world.people["olga"]
    lease = world.lease(olga, reason="CRED_ROTATE")
    planned = vault.rotations.plan(olga.actor, lease.id, PartKind.PASSWORD)
    vault.rotations.display(olga.actor, planned.id)
    vault.attestations.attest(olga.actor, planned.id, Outcome.ACCEPTED)
    freeze(world, f"person:{ada.actor.id}", "amy")
    with pytest.raises(Blocked):
        vault.attestations.verify(ada.actor, planned.id, "signed in with the new value")
    ben = world.human("ben", Role.APPROVER)
    assert (
        vault.attestations.verify(ben.actor, planned.id, "signed in with the new value").verified_by
        == ben.actor.id
    )
