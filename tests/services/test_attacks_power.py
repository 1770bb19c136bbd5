"""Attacks on power: an administrator alone, a scope as a ladder, and words of people who are out by now."""

from __future__ import annotations

import pytest

from tests.support.people import House, Member, came, move_in
from tests.support.world import World
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState, Decision
from vault.errors import Conflict, Forbidden, Unauthenticated
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.people import Wish


@pytest.fixture
def house(world: World) -> House:
    return move_in(world)


@pytest.fixture
def admins(house: House) -> tuple[Member, Member]:
    return house.admins()


def test_an_administrator_of_one_customer_gets_no_link_of_someone_with_more(
    house: House, admins: tuple[Member, Member]
) -> None:
    account = house.world.account()
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    limited = house.actor(house.appoint(admins, "lim@msp.example", Role.ADMIN, scope))
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "chief@msp.example", "Chief", (Wish(Role.ADMIN),))
    house.vault.people.confirm_grant(bob, invited.grants[0].id, admins[1].code())
    with pytest.raises(Forbidden) as caught:
        house.vault.people.new_enrolment(limited, invited.person.id)
    assert caught.value.facts["rule"] == "C1"
    assert house.events("access.denied")[0]["outcome"] == "denied"
    house.enrol(invited)


def test_a_new_link_takes_back_what_another_administrator_agreed_to(
    house: House, admins: tuple[Member, Member]
) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    house.vault.people.confirm_grant(bob, invited.grants[0].id, admins[1].code())
    stolen = house.vault.people.new_enrolment(bob, invited.person.id)
    assert [(each.role, each.proposed_by, each.confirmed_by) for each in stolen.grants] == [
        (Role.OPERATOR, bob.id, None)
    ]
    olga = house.enrol(stolen)
    assert house.sign_in(olga).powers == ()
    with pytest.raises(Forbidden) as caught:
        house.vault.people.confirm_grant(bob, stolen.grants[0].id, admins[1].code())
    assert caught.value.code == "policy.second_person"
    house.vault.people.confirm_grant(ada, stolen.grants[0].id, admins[0].code())
    assert [power.role for power in house.sign_in(olga).powers] == [Role.OPERATOR]


def test_who_makes_the_link_is_not_the_one_who_agrees(house: House, admins: tuple[Member, Member]) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    again = house.vault.people.new_enrolment(bob, invited.person.id)
    for grant in (*invited.grants, *again.grants):
        with pytest.raises((Forbidden, Conflict)):
            house.vault.people.confirm_grant(bob, grant.id, admins[1].code())
    assert house.sign_in(house.enrol(again)).powers == ()


def test_a_first_administrator_whose_link_ended_stays_one(house: House) -> None:
    first, second = house.vault.people.bootstrap_admins((("ada@msp.example", "A"), ("bob@msp.example", "B")))
    ada = house.actor(house.enrol(first))
    again = house.vault.people.new_enrolment(ada, second.person.id)
    with pytest.raises(Unauthenticated):
        house.vault.enrolment.begin(second.link, came())
    assert [power.role for power in house.sign_in(house.enrol(again)).powers] == [Role.ADMIN]


@pytest.mark.parametrize("how", ["disabled", "role removed"])
def test_the_word_of_an_approver_who_is_out_opens_nothing(
    house: House, admins: tuple[Member, Member], how: str
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    pia = house.appoint(admins, "pia@msp.example", Role.APPROVER)
    account = house.world.held()
    operator, approver, ada = house.actor(olga), house.actor(pia), house.actor(admins[0])
    spare = house.world.human("spare", Role.APPROVER)
    asked = house.world.vault.asking.ask(operator, _incident(account.id))
    house.vault.approvals.decide(approver, asked.id, Word(Decision.APPROVE), pia.code())
    if how == "disabled":
        house.vault.people.disable(ada, pia.id)
    else:
        house.vault.people.remove_grant(ada, house.vault.people.get(ada, pia.id).grants[0].id)
    with pytest.raises(Conflict) as caught:
        house.vault.checkouts.step_up(operator, asked.id, olga.code())
    assert caught.value.code == "approval.changed"
    assert house.events("checkout.granted") == []
    assert house.vault.views.checkout(spare.actor, asked.id).checkout.state is CheckoutState.APPROVED


def _incident(account_id: str) -> Ask:
    return Ask(account_id, "INCIDENT", "INC-1", "an incident, for this test")
