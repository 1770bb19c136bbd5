"""Who wants an account for somebody else, or a gate left out, alone or between two words (H7, H9, S19, S21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.handovers import MEMBERS_DAY, ONE, PAYER, PAYER_DAY, TWO, Handover, email_of
from tests.support.moves import bench_of
from tests.support.released import release
from tests.support.replay import check_replay
from vault.domain.account import Kind
from vault.domain.actor import Role, Scope, ScopeKind, system_actor
from vault.domain.case import Done, StepState
from vault.domain.checkout import Verdict
from vault.domain.destruction import Destroyed, Ground
from vault.domain.event import Event, EventType
from vault.domain.freeze import Covered, FreezeKind
from vault.domain.plans import handover as plan
from vault.domain.plans.release import RELEASE
from vault.domain.told import changes
from vault.errors import Blocked, Conflict, Forbidden, VaultError
from vault.services import case_opening
from vault.services.asking import Ask
from vault.services.customers import CustomerFacts
from vault.services.destruction import Destruction
from vault.services.frozen import put
from vault.services.given_away import finish_given
from vault.services.handing_over import Handing

if TYPE_CHECKING:
    from tests.support.world import Human, World
    from vault.domain.checkout import Checkout


def test_a_second_word_moves_nothing_once_the_case_was_cancelled(quick_world: World) -> None:
    bench = bench_of(quick_world)
    bench.world.held("111122223333")
    case = bench.ask("111122223333")
    bench.prepare(case)
    bench.say(case, "move", words="as both customers want it")
    bench.rooms.work.cancel(bench.manager.actor, case.id, "the customer does not want it any more")
    with pytest.raises(Conflict, match="is cancelled; nothing is left to do"):
        bench.agree(case)
    with pytest.raises(Conflict, match="is cancelled; nothing is left to do"):
        bench.rooms.work.disagree(bench.admin.actor, case.id, "move", "", "it is over by now")
    assert bench.account("111122223333").customer_id == bench.old.id


def test_a_payer_waits_for_a_member_that_another_handover_has_in_transfer(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    members = handover.planned(ONE, TWO)
    payer = handover.open(PAYER)
    handover.plan(payer, PAYER, PAYER_DAY)
    handover.until(MEMBERS_DAY)
    for number in (ONE, TWO):
        handover.begin(members, number)
    handover.until(PAYER_DAY)
    handover.say(handover.chris, payer, plan.BALANCE)
    with pytest.raises(Conflict, match="H7: members go before their payer, and 2 of ours"):
        handover.world.vault.cases.work.attest(handover.olga.actor, payer.id, plan.BEGIN, PAYER)


def test_a_payer_is_not_given_away_over_a_member_that_came_meanwhile(quick_world: World) -> None:
    handover = Handover(quick_world)
    handover.account(PAYER, Kind.PAYER)
    case = handover.open(PAYER)
    handover.plan(case, PAYER, PAYER_DAY)
    handover.until(PAYER_DAY)
    handover.begin(case, PAYER)
    handover.account(ONE, Kind.MEMBER)
    with pytest.raises(Conflict, match="H7: members go before their payer, and 1 of ours"):
        handover.go(case, PAYER)


def test_nothing_is_given_away_or_released_over_a_broken_glass(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.planned(ONE)
    gus = quick_world.human("gus", Role.OPERATOR)
    enable(handover, gus)
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    first = broken(handover, gus)
    with pytest.raises(Blocked, match="waits for its review"):
        handover.go(case, ONE)
    review(handover, first)
    work, olga = quick_world.vault.cases.work, handover.olga
    work.attest(olga.actor, case.id, plan.GO, ONE, {}, olga.otp())
    work.agree(handover.ada.actor, case.id, plan.GO, ONE, handover.ada.otp())
    handover.give(case, ONE)
    second = broken(handover, gus)
    with pytest.raises(Blocked, match="waits for its review"):
        handover.release(case, ONE)
    review(handover, second)
    handover.release(case, ONE)
    assert handover.custody(ONE) == "released"


def test_nothing_frozen_is_released(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.planned(ONE)
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    handover.go(case, ONE)
    handover.give(case, ONE)
    many, olga, ada = quick_world.vault.cases.many, handover.olga, handover.ada
    said = quick_world.vault.cases.work.attest(olga.actor, case.id, RELEASE, ONE, {}, olga.otp())
    assert said.done is not None
    frozen_one(handover)
    (refused,) = many.agree(ada.actor, case.id, RELEASE, {ONE: said.done.at}, ada.otp())
    assert (refused.code, handover.custody(ONE)) == ("frozen", "in_transfer")


def enable(handover: Handover, gus: Human) -> None:
    """Let two administrators enable somebody to break the glass."""
    vault, amy, ann = (
        handover.world.vault,
        *(handover.world.human(name, Role.ADMIN) for name in ("amy", "ann")),
    )
    made = vault.glass.enable(amy.actor, gus.actor.id, Scope(), "on duty at night", amy.otp())
    vault.proposals.confirm(ann.actor, made.id, ann.otp())
    handover.world.clock.advance(hours=25)


def broken(handover: Handover, gus: Human) -> Checkout:
    """Break the glass of an account in transfer, and give it back."""
    vault = handover.world.vault
    words = "the approver sleeps and the customer waits on the phone for their account"
    asked = vault.asking.ask(gus.actor, Ask(ONE, "HANDOVER", "INC-7", words, 600, break_glass=True))
    vault.checkouts.step_up(gus.actor, asked.id, gus.otp())
    handover.world.clock.advance(minutes=5)
    return vault.checkouts.check_in(gus.actor, asked.id)[0]


def review(handover: Handover, checkout: Checkout) -> None:
    """Let an approver look at it."""
    ada, words = handover.ada, "looked at the ticket and at every entry"
    handover.world.vault.glass.review(ada.actor, checkout.id, Verdict.JUSTIFIED, words, ada.otp())


def test_an_address_tells_nothing_of_another_customers_account(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    handover.open(ONE)
    handover.account("444455556666", Kind.STANDALONE, ddi="900077")
    other = handover.belongs("900077")
    with pytest.raises(VaultError) as caught:
        handover.world.vault.cases.handovers.open(
            handover.chris.actor,
            handover.wish(
                "444455556666",
                accounts=(Handing("444455556666", email_of(ONE), "Mia", "Pat"),),
                customer_id=other.id,
            ),
        )
    assert caught.value.code == "custody.email_used"
    assert ONE not in caught.value.detail.replace(email_of(ONE), "")
    assert "of another account already" in caught.value.detail


def test_who_reaches_one_account_sees_no_other_at_the_end(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.open()
    near = quick_world.human("nora", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, ONE))
    rooms = quick_world.vault.releases
    assert set(rooms.acknowledging.end(near.actor, case.id).scene.live) == {ONE}
    with pytest.raises(Forbidden):
        rooms.packs.get(near.actor, case.id)
    assert {each.id for each in rooms.packs.get(handover.olga.actor, case.id).accounts} == {
        PAYER,
        ONE,
        TWO,
    }


def test_who_reaches_one_account_cannot_tell_by_words_which_others_there_are(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.open()
    near = quick_world.human("nora", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, ONE))
    many, none, step = quick_world.vault.cases.many, "999999999999", plan.ALTERNATES
    said = many.attest(near.actor, case.id, step, (TWO, none), {"note": "all of them are gone"})
    refused = many.disagree(near.actor, case.id, step, (TWO, none), "it is not so")
    for there, absent in (said, refused):
        assert (there.code, there.detail.replace(TWO, none)) == (absent.code, absent.detail) != ("", "")


def test_a_frozen_person_cancels_nothing(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.open()
    with quick_world.vault.units.write() as unit:
        covered = Covered(FreezeKind.PERSON, handover.chris.actor.id)
        put(unit, handover.ada.actor, covered, "somebody called from the bank", quick_world.clock.now())
        unit.commit()
    with pytest.raises(Blocked):
        quick_world.vault.cases.work.cancel(handover.chris.actor, case.id, "nobody wants it any more")


def test_nothing_is_cancelled_while_aws_is_asked(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.planned(ONE)
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    now = quick_world.clock.now()
    begun = Done(case.id, ONE, plan.CONTACTS, StepState.DOING, now, handover.olga.actor.id, {}, by_vault=True)
    with quick_world.vault.units.write() as unit:
        unit.cases.put((begun,))
        told = changes(None, begun)
        unit.log.record(Event(EventType.STEP_BEGUN, handover.olga.actor, account_id=ONE, changes=told), now)
        unit.commit()
    cancel = quick_world.vault.cases.work.cancel
    with pytest.raises(Conflict, match="being done at AWS right now"):
        cancel(handover.chris.actor, case.id, "the customer stays with us")
    assert handover.custody(ONE) == "in_transfer"
    quick_world.clock.advance(minutes=6)
    cancel(handover.chris.actor, case.id, "the customer stays with us")
    assert handover.custody(ONE) == "held"


def frozen_one(handover: Handover) -> None:
    """Freeze an account."""
    with handover.world.vault.units.write() as unit:
        put(unit, handover.ada.actor, Covered(FreezeKind.ACCOUNT, ONE), "a call", handover.world.clock.now())
        unit.commit()


def closing(handover: Handover) -> tuple[Human, str]:
    """Say all that comes before an account is closed."""
    handover.account(ONE, Kind.STANDALONE)
    carla, work = handover.world.human("carla", Role.CUSTODIAN), handover.world.vault.cases.work
    case = handover.world.vault.cases.closures.open(carla.actor, ONE, "T-9")
    where = {"where": "comment 3 of the ticket"}
    work.attest(carla.actor, case.id, "notice", ONE, {"ends": "2026-11-20", **where})
    for step in ("backups", "resources", "commitments"):
        work.attest(carla.actor, case.id, step, ONE, where)
    return carla, case.id


def test_nothing_frozen_is_closed(quick_world: World) -> None:
    handover = Handover(quick_world)
    carla, case_id = closing(handover)
    work = quick_world.vault.cases.work
    work.attest(carla.actor, case_id, "begin", ONE, {}, carla.otp())
    frozen_one(handover)
    with pytest.raises(Blocked, match="was frozen by ada"):
        work.agree(handover.ada.actor, case_id, "begin", ONE, handover.ada.otp())
    assert handover.custody(ONE) == "held"


def test_no_closing_is_cancelled_under_whoever_has_the_root_for_it(quick_world: World) -> None:
    handover = Handover(quick_world)
    carla, case_id = closing(handover)
    work = quick_world.vault.cases.work
    work.attest(carla.actor, case_id, "begin", ONE, {}, carla.otp())
    work.agree(handover.ada.actor, case_id, "begin", ONE, handover.ada.otp())
    for name in ("arno", "bea"):
        quick_world.human(name, Role.APPROVER)
    asked = quick_world.ask(handover.olga, ONE, "ACCT_CLOSE")
    with pytest.raises(Conflict, match="is checked out by olga"):
        work.cancel(carla.actor, case_id, "the customer stays")
    assert handover.custody(ONE) == "closing"
    quick_world.vault.checkouts.cancel(handover.olga.actor, asked.id)
    work.cancel(carla.actor, case_id, "the customer stays")
    assert handover.custody(ONE) == "held"


def test_a_stolen_token_keeps_accounts_in_no_more_cases_than_people_can_cancel(
    quick_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_opening, "WAITING_OF_A_MACHINE", 2)
    handover = Handover(quick_world).three()
    machine, rooms = handover.machine(), quick_world.vault.cases
    first = rooms.handovers.open(machine, handover.wish(ONE, order="order-1"))
    rooms.handovers.open(machine, handover.wish(TWO, order="order-2"))
    with pytest.raises(Conflict, match="2 cases that this machine opened are open"):
        rooms.handovers.open(machine, handover.wish(PAYER, order="order-3"))
    assert rooms.handovers.open(machine, handover.wish(ONE, order="order-1")).id == first.id
    with pytest.raises(Forbidden, match="a person cancels one"):
        rooms.work.cancel(machine, first.id, "not wanted")
    rooms.work.cancel(handover.chris.actor, first.id, "nobody asked for it")
    rooms.handovers.open(machine, handover.wish(PAYER, order="order-3"))
    handover.open(ONE)  # people are not held back


def test_whoever_agrees_sees_to_whom_an_account_goes_and_who_said_so(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    rooms, machine = quick_world.vault.cases, handover.machine()
    case = rooms.handovers.open(machine, handover.wish(ONE, order="order-1"))
    handover.plan(case, ONE, MEMBERS_DAY)
    handover.say(handover.olga, case, plan.BILLING, ONE)
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    handover.say(handover.olga, case, plan.CONTACTS, ONE)
    rooms.work.attest(handover.olga.actor, case.id, plan.GO, ONE, {}, handover.olga.otp())
    whole = rooms.reading.whole(handover.ada.actor, case.id)
    basis = {each.title: each for each in whole.basis(whole.item(plan.GO, ONE))}
    assert dict(basis["New root e-mail"].given) == {"The customer's address for this root": email_of(ONE)}
    assert basis["New root e-mail"].by == "a machine"
    assert "sam@customer.example" in dict(basis["Authorised signatory"].given).values()
    assert basis["The customer is current on all balances"].by == "chris"
    assert whole.basis(whole.item(plan.CONTACTS, ONE)) == ()


def test_a_gate_is_not_taken_from_under_an_open_handover(quick_world: World) -> None:
    handover = Handover(quick_world)
    customer = handover.belongs("900088", public_sector=True)
    handover.account(ONE, Kind.STANDALONE, ddi="900088")
    case = handover.open(ONE, customer_id=customer.id)
    carla, customers = handover.world.human("carla", Role.CUSTODIAN), quick_world.vault.customers
    with pytest.raises(Conflict, match="H3: handover"):
        customers.change(carla.actor, customer.id, CustomerFacts(public_sector=False))
    customers.change(carla.actor, customer.id, CustomerFacts(aws_india=True, name="Renamed"))
    quick_world.vault.cases.work.cancel(handover.chris.actor, case.id, "nobody wants it any more")
    assert not customers.change(carla.actor, customer.id, CustomerFacts(public_sector=False)).public_sector


def test_what_a_restore_released_again_goes_on_without_a_lease_that_nobody_can_have(
    quick_world: World,
) -> None:
    handover = Handover(quick_world)
    handover.account(PAYER, Kind.PAYER)
    case = handover.open(PAYER)
    handover.plan(case, PAYER, PAYER_DAY)
    handover.until(PAYER_DAY)
    handover.begin(case, PAYER)
    handover.go(case, PAYER)
    handover.say(handover.olga, case, plan.BILLING_LAST, PAYER)
    with pytest.raises(Conflict, match="under a lease"):
        handover.say(handover.olga, case, plan.ROOT_EMAIL, PAYER)
    release(quick_world, PAYER)
    for step in (plan.ROOT_EMAIL, plan.ROOT_MFA, plan.INSTRUCTIONS):
        handover.say(handover.olga, case, step, PAYER)
    handover.reset(case, PAYER)
    for step in (
        plan.PAYMENT_LAST,
        plan.TOPICS,
        plan.DISPATCHER,
        plan.ROLES,
        plan.ALTERNATES,
        plan.LAST_ROLE,
    ):
        handover.say(handover.olga, case, step, PAYER)
    handover.say(handover.olga, case, plan.SUPPORT, PAYER)
    handover.release(case, PAYER)
    assert handover.state(case) == "released"


def test_a_restored_handover_waits_for_nothing_that_was_known_of_what_is_gone(quick_world: World) -> None:
    handover = Handover(quick_world)
    for number in (ONE, TWO):
        handover.account(number, Kind.STANDALONE)
    given = (Handing(ONE, "", "", ""), Handing(TWO, email_of(TWO), "Mia", "Pat"))
    case = handover.open(ONE, TWO, accounts=given)
    handover.plan(case, TWO, MEMBERS_DAY)
    assert handover.state(case) == "requested"
    now, actor = quick_world.clock.now(), system_actor("handovers")
    listed = [Destroyed(ONE, now, actor.id, actor.name, Ground.AGREED, "agreed", "", "", "", 0, now)]
    with quick_world.vault.units.write() as unit:
        Destruction().apply_again(unit, actor, listed, now)
        finish_given(unit, actor, unit.destructions.all(), now)
        unit.commit()
    assert handover.state(case) == "scheduled"
    check_replay(quick_world)


@pytest.mark.parametrize("both", [False, True], ids=["one of them", "all of them"])
def test_a_restored_handover_goes_on_without_what_was_handed_over_and_destroyed_since(
    quick_world: World, *, both: bool
) -> None:
    handover = Handover(quick_world)
    for number in (ONE, TWO):
        handover.account(number, Kind.STANDALONE)
    case = handover.planned(ONE, TWO)
    handover.until(MEMBERS_DAY)
    handover.begin(case, TWO)
    handover.go(case, TWO)
    handover.lease(TWO)
    handover.say(handover.olga, case, plan.ROOT_EMAIL, TWO)
    with pytest.raises(Conflict, match="cannot be undone"):
        quick_world.vault.cases.work.cancel(handover.chris.actor, case.id, "nobody wants it")
    now, actor = quick_world.clock.now(), system_actor("handovers")
    listed = [
        Destroyed(number, now, actor.id, actor.name, Ground.AGREED, "agreed", "", "", "", 0, now)
        for number in ((ONE, TWO) if both else (ONE,))
    ]
    with quick_world.vault.units.write() as unit:
        Destruction().apply_again(unit, actor, listed, now)
        assert finish_given(unit, actor, unit.destructions.all(), now) == len(listed)
        unit.commit()
    if not both:
        for step in (plan.ROOT_MFA, plan.INSTRUCTIONS):
            handover.say(handover.olga, case, step, TWO)
        handover.reset(case, TWO)
        for step in (plan.PAYMENT, plan.TOPICS, plan.DISPATCHER, plan.ROLES, plan.ALTERNATES, plan.LAST_ROLE):
            handover.say(handover.olga, case, step, TWO)
        handover.say(handover.olga, case, plan.SUPPORT, TWO)
        handover.release(case, TWO)
    assert handover.state(case) == "released"
    assert quick_world.vault.releases.handed_over.once().closed == int(both)
    check_replay(quick_world)
