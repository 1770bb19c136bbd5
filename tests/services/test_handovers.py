"""A handover as it goes: its order, who says what, where custody is, and that machines open and follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.handovers import (
    END,
    MEMBERS_DAY,
    ONE,
    PAYER,
    PAYER_DAY,
    SIGNED,
    TWO,
    Handover,
    email_of,
    handing,
)
from vault.domain.account import Custodian, Kind, Model
from vault.domain.case import PlaceState
from vault.domain.outlook import Standing
from vault.domain.plans import handover as plan
from vault.domain.policy import Permission
from vault.errors import Conflict, Forbidden, Invalid, NotFound, VaultError
from vault.services import payers
from vault.services.accounts import AccountFacts
from vault.services.handing_over import Handing, Information

if TYPE_CHECKING:
    from tests.support.world import World

OTHER = "333344445555"


@pytest.fixture
def handover(quick_world: World) -> Handover:
    return Handover(quick_world).three()


def test_members_go_first_and_their_payer_last(handover: Handover) -> None:
    case = handover.open()
    assert handover.state(case) == "prepared"
    for number in (ONE, TWO):
        handover.plan(case, number, MEMBERS_DAY)
        handover.say(handover.olga, case, plan.BILLING, number)
    assert handover.state(case) == "prepared"
    handover.plan(case, PAYER, PAYER_DAY)
    assert handover.state(case) == "scheduled"
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    assert (handover.state(case), handover.custody(ONE)) == ("in_progress", "in_transfer")
    handover.begin(case, TWO)
    for number in (ONE, TWO):
        handover.go(case, number)
        handover.give(case, number)
        handover.release(case, number)
        assert handover.custody(number) == "released"
    handover.until(PAYER_DAY)
    handover.begin(case, PAYER)
    handover.go(case, PAYER)
    handover.give(case, PAYER, payer=True)
    handover.release(case, PAYER)
    handover.say(handover.olga, case, plan.APN, case="APN-1")
    assert handover.state(case) == "released"
    with handover.world.vault.units.read() as unit:
        for number in (ONE, TWO, PAYER):
            account = unit.accounts.get(number)
            assert account is not None
            assert account.root_email == email_of(number)
            assert (account.mailbox, account.phone) == (Custodian.CUSTOMER, Custodian.CUSTOMER)


def test_the_payer_passes_no_point_of_no_return_before_its_members(handover: Handover) -> None:
    case = handover.planned()
    handover.until(PAYER_DAY - timedelta(days=1))
    handover.begin(case, ONE)
    handover.until(PAYER_DAY)
    handover.begin(case, PAYER)
    handover.say(handover.olga, case, plan.CONTACTS, PAYER)
    with pytest.raises(Conflict, match="first comes Released"):
        handover.say(handover.olga, case, plan.GO, PAYER)
    with pytest.raises(Conflict, match="first comes Released"):
        handover.say(handover.olga, case, plan.BILLING_LAST, PAYER)


def test_the_point_of_no_return_takes_two_and_counts_a_day(handover: Handover) -> None:
    case = handover.planned(ONE)
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    handover.say(handover.olga, case, plan.CONTACTS, ONE)
    work, olga = handover.world.vault.cases.work, handover.olga
    with pytest.raises(Conflict, match="first comes Point of no return"):
        handover.say(olga, case, plan.EMAIL_START, ONE)
    work.attest(olga.actor, case.id, plan.GO, ONE, {}, olga.otp())
    with pytest.raises(Forbidden):
        work.agree(olga.actor, case.id, plan.GO, ONE, olga.otp())
    work.agree(handover.ada.actor, case.id, plan.GO, ONE, handover.ada.otp())
    handover.say(olga, case, plan.EMAIL_START, ONE)
    handover.world.clock.advance(days=1)
    with pytest.raises(Conflict, match="first comes Point of no return; The customer is current"):
        handover.say(olga, case, plan.EMAIL_ACCEPT, ONE)
    handover.say(handover.chris, case, plan.BALANCE)
    work.attest(olga.actor, case.id, plan.GO, ONE, {}, olga.otp())
    work.agree(handover.ada.actor, case.id, plan.GO, ONE, handover.ada.otp())
    handover.say(olga, case, plan.EMAIL_ACCEPT, ONE)
    handover.world.clock.advance(days=5)  # a Monday; what was given away is carried to its end
    handover.say(olga, case, plan.ROOT_DELETED, ONE)
    assert handover.standing(case, plan.GO, ONE) is Standing.DONE
    assert handover.standing(case, plan.BALANCE) is Standing.DONE


def test_root_is_changed_under_a_lease_alone(handover: Handover) -> None:
    handover.account(OTHER, Kind.STANDALONE)
    case = handover.planned(OTHER)
    handover.until(MEMBERS_DAY)
    handover.begin(case, OTHER)
    handover.go(case, OTHER)
    with pytest.raises(Conflict, match="HANDOVER") as caught:
        handover.say(handover.olga, case, plan.ROOT_EMAIL, OTHER)
    assert caught.value.facts["rule"] == "H7"
    handover.lease(OTHER)
    handover.say(handover.olga, case, plan.ROOT_EMAIL, OTHER)


def test_a_cancelled_handover_leaves_custody_as_it_was(handover: Handover) -> None:
    handover.keyless(TWO)
    case = handover.planned(ONE, TWO)
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    handover.begin(case, TWO)
    assert handover.custody(TWO) == "in_transfer"
    handover.say(handover.olga, case, plan.CONTACTS, ONE)
    lease = handover.world.ask(handover.olga, ONE, "HANDOVER")
    work, chris = handover.world.vault.cases.work, handover.chris.actor
    with pytest.raises(Conflict, match="checked out by olga"):
        work.cancel(chris, case.id, "the customer stays with us")
    handover.world.vault.checkouts.cancel(handover.olga.actor, lease.id)
    over = work.cancel(chris, case.id, "the customer stays with us")
    assert (over.scene.case.state, handover.custody(ONE), handover.custody(TWO)) == (
        "cancelled",
        "held",
        "keyless",
    )
    assert {each.state for each in over.scene.places} == {PlaceState.CANCELLED}
    assert handover.open(ONE, TWO).id != case.id


def test_what_cannot_be_undone_is_carried_to_its_end(handover: Handover) -> None:
    case = handover.planned(ONE)
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    handover.go(case, ONE)
    for step in (plan.EMAIL_START, plan.EMAIL_ACCEPT):
        handover.say(handover.olga, case, step, ONE)
    with pytest.raises(Conflict, match="cannot be undone"):
        handover.world.vault.cases.work.cancel(handover.chris.actor, case.id, "the customer stays with us")
    assert handover.custody(ONE) == "in_transfer"


def test_an_organization_is_kept_or_left(handover: Handover) -> None:
    case = handover.open(organization=plan.KEEPS)
    items = handover.world.vault.cases.work.get(handover.chris.actor, case.id).items
    assert plan.LEAVE not in {each.step.name for each in items}
    handover.say(handover.chris, case, plan.ORGANIZATION, goes=plan.LEAVES)
    assert handover.standing(case, plan.LEAVE, ONE) is Standing.BLOCKED


def test_a_consent_is_asked_exactly_where_the_rule_says(quick_world: World) -> None:
    handover = Handover(quick_world)
    expected = {
        "900002": (False, False, set()),
        "900003": (True, False, {plan.CTA_AWS}),
        "900004": (False, True, {plan.CTA_INDIA}),
        "900005": (True, True, {plan.CTA_AWS, plan.CTA_INDIA}),
    }
    for place, (ddi, (public, india, steps)) in enumerate(expected.items()):
        customer = handover.belongs(ddi, public_sector=public, aws_india=india)
        number = f"{place + 1}" * 12
        handover.account(number, Kind.STANDALONE, ddi=ddi)
        case = handover.open(number, customer_id=customer.id)
        gates = handover.world.vault.cases.handovers.gates(handover.chris.actor, case.id)
        consents = {each.step: each.state for each in gates if each.rule == "H3"}
        assert set(consents) == {plan.CTA_AWS, plan.CTA_INDIA}
        assert {step for step, state in consents.items() if state != "not_needed"} == steps
        for step in {plan.CTA_AWS, plan.CTA_INDIA} - steps:
            with pytest.raises(NotFound):
                handover.say(handover.chris, case, step, **SIGNED)
        for step in steps:
            with pytest.raises(Invalid, match="still to come"):
                handover.say(handover.chris, case, step, **SIGNED | {"signed_us": "2027-01-01"})
            handover.say(handover.chris, case, step, **SIGNED)


def test_a_machine_opens_and_follows_and_confirms_nothing(handover: Handover) -> None:
    machine = handover.machine(Permission.HANDOVER_OPEN, Permission.CASE_READ)
    handovers, work = handover.world.vault.cases.handovers, handover.world.vault.cases.work
    wish = handover.wish(order="order-77")
    case = handovers.open(machine, wish)
    assert handovers.open(machine, wish).id == case.id
    with pytest.raises(Conflict, match=r"order-77 opened case .* for other accounts"):
        handovers.open(machine, handover.wish(ONE, order="order-77"))
    with pytest.raises(Conflict, match=f"under ticket {wish.ticket}"):
        handovers.open(machine, replace(wish, ticket="RV-9999"))
    assert work.get(machine, case.id).scene.case.state == "prepared"
    assert {each.rule for each in handovers.gates(machine, case.id)} >= {
        "H1",
        "H2",
        "H3",
        "H4",
        "H5",
        "H6",
        "C5",
    }
    for step, number in ((plan.BALANCE, ""), (plan.DAY, ONE), (plan.BEGIN, ONE), (plan.NEW_EMAIL, ONE)):
        with pytest.raises((Forbidden, Invalid)):
            work.attest(machine, case.id, step, number, {})
    with pytest.raises(Forbidden):
        work.attest(machine, case.id, plan.CONTRACT, "", {"end": END})
    with pytest.raises(Forbidden, match="a person cancels"):
        work.cancel(machine, case.id, "the customer stays with us")


def test_what_is_said_later_completes_it(handover: Handover) -> None:
    case = handover.open(accounts=(Handing(ONE),), signatory={}, contract_end="")
    assert handover.state(case) == "requested"
    handovers, chris = handover.world.vault.cases.handovers, handover.chris.actor
    with pytest.raises(Conflict, match="first comes"):
        handover.plan(case, ONE, MEMBERS_DAY)
    known = Information((handing(ONE),), contract_end=END)
    handovers.complete(chris, case.id, known)
    handovers.complete(chris, case.id, known)
    assert handover.state(case) == "requested"
    with pytest.raises(Invalid) as caught:
        handovers.complete(chris, case.id, Information(signatory={"name": "Sam", "email": "sam"}))
    assert [each.pointer for each in caught.value.errors] == ["/signatory/email"]
    handovers.complete(
        chris, case.id, Information(signatory={"name": "Sam", "email": "sam@customer.example"})
    )
    assert handover.state(case) == "prepared"


def test_accounts_that_cannot_be_handed_over_are_refused_by_rule(handover: Handover) -> None:
    handover.account(OTHER, Kind.MEMBER, Model.ECAM, held=False)
    handover.account("444455556666", Kind.STANDALONE, held=False)
    handover.account("555566667777", Kind.STANDALONE, ddi="900009")
    first = handover.open(ONE)

    def refused(number: str) -> tuple[str, str]:
        with pytest.raises(VaultError) as caught:
            handover.open(number)
        return caught.value.code, caught.value.detail

    assert refused(OTHER)[0] == "custody.customer_held"
    assert "C2" in refused(OTHER)[1]
    assert refused("444455556666") == (
        "custody.state",
        "Account 444455556666 is onboarding. Finish its onboarding first.",
    )
    assert refused("555566667777")[0] == "case.account"
    assert refused("999999999999")[0] == "case.account"
    assert first.id in refused(ONE)[1]


def test_every_account_that_cannot_be_in_it_is_named(handover: Handover) -> None:
    first = handover.open(ONE)
    with pytest.raises(Conflict) as caught:
        handover.open(ONE, TWO, "999999999999")
    told = {each.pointer: each.detail for each in caught.value.errors}
    assert set(told) == {f"/accounts/{ONE}", "/accounts/999999999999"}
    assert first.id in told[f"/accounts/{ONE}"]
    assert "1 more cannot count" in caught.value.detail
    bad = (Handing(TWO, f"a+{TWO}@msp.example"), Handing(PAYER, f"b+{PAYER}@msp.example"))
    with pytest.raises(Invalid) as wrong:
        handover.open(accounts=bad)
    places = [f"/accounts/{number}/{plan.NEW_EMAIL}/email" for number in (TWO, PAYER)]
    assert sorted(each.pointer for each in wrong.value.errors) == sorted(places)


def test_of_two_payers_each_waits_for_its_own_members(handover: Handover) -> None:
    second = OTHER
    handover.account(second, Kind.PAYER)
    case = handover.open(PAYER, second, ONE, TWO)
    for number in (ONE, TWO):
        assert handover.standing(case, plan.UNDER, number) is Standing.OPEN
    gates = handover.world.vault.cases.handovers.gates(handover.chris.actor, case.id)
    assert {each.account_id for each in gates if each.step == plan.UNDER} == {ONE, TWO}
    with pytest.raises(Invalid, match="the payers of this handover are"):
        handover.say(handover.chris, case, plan.UNDER, ONE, payer=TWO)
    handover.say(handover.chris, case, plan.UNDER, ONE, payer=PAYER)
    handover.say(handover.chris, case, plan.UNDER, TWO, payer=second)
    handover.plan(case, TWO, MEMBERS_DAY)
    handover.plan(case, second, PAYER_DAY)
    handover.plan(case, PAYER, PAYER_DAY + timedelta(days=1))
    handover.plan(case, ONE, PAYER_DAY + timedelta(days=1))  # after the other payer's day, not its own
    handover.say(handover.olga, case, plan.BILLING, TWO)
    handover.until(MEMBERS_DAY)
    handover.begin(case, TWO)
    handover.go(case, TWO)
    handover.give(case, TWO)
    handover.release(case, TWO)
    handover.until(PAYER_DAY)
    handover.begin(case, second)
    handover.go(case, second)
    assert handover.standing(case, plan.GO, PAYER) is Standing.BLOCKED


def test_a_payers_members_outside_are_anothers_if_two_people_say_so(
    handover: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payers, "PAGE", 1)  # however many there are, all are looked at
    handover.account(OTHER, Kind.PAYER)
    case = handover.open(PAYER)
    handover.plan(case, PAYER, PAYER_DAY)
    handover.until(PAYER_DAY)
    handover.say(handover.chris, case, plan.BALANCE)
    work, olga, ada = handover.world.vault.cases.work, handover.olga, handover.ada
    with pytest.raises(Conflict, match="2 of ours are not in this handover"):
        work.attest(olga.actor, case.id, plan.BEGIN, PAYER, {})
    with pytest.raises(Conflict, match=f"1 of ours are not in this handover: {TWO}"):
        work.attest(olga.actor, case.id, plan.BEGIN, PAYER, {plan.ELSEWHERE: ONE}, olga.otp())
    asked = work.attest(olga.actor, case.id, plan.BEGIN, PAYER, {plan.ELSEWHERE: f"{ONE}, {TWO}"}, olga.otp())
    assert (asked.standing, handover.custody(PAYER)) == (Standing.ASKED, "held")
    work.agree(ada.actor, case.id, plan.BEGIN, PAYER, ada.otp())
    handover.go(case, PAYER)


def test_a_root_email_was_never_used(handover: Handover) -> None:
    handover.account(OTHER, Kind.STANDALONE)
    handover.open(ONE)

    def refused(address: str, *more: Handing) -> tuple[str, object]:
        known = (Handing(TWO, address), *more)
        with pytest.raises(VaultError) as caught:
            handover.open(accounts=known)
        return caught.value.code, caught.value.facts.get("rule")

    carla = handover.world.people["carla"].actor
    was = AccountFacts("an old one", "aws-old@customer.example", Custodian.UNKNOWN, Custodian.UNKNOWN)
    accounts = handover.world.vault.accounts
    accounts.register(carla, "444455556666", handover.customer.id, Model.SPAM, Kind.STANDALONE, was)
    accounts.change(carla, "444455556666", AccountFacts(root_email="aws-newer@customer.example"))
    assert refused("AWS-old@customer.example") == ("custody.email_used", "L3")
    assert refused(f"new+{TWO}@msp.example") == ("case.evidence", "H1")
    assert refused(email_of(ONE).upper()) == ("custody.email_used", "H1")
    assert refused("same@customer.example", Handing(OTHER, "Same@customer.example")) == (
        "custody.email_used",
        "H1",
    )
    assert refused("no address") == ("case.evidence", None)
    with handover.world.vault.units.read() as unit:
        assert unit.cases.open_of((TWO, OTHER)) == {}
        assert set(unit.cases.open_of((ONE,))) == {ONE}
