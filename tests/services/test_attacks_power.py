"""Attacks on power: an administrator alone, a scope as a ladder, and words of people who are out by now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.people import House, Member, came
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState, Decision
from vault.errors import Conflict, Forbidden, NotFound, Unauthenticated
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.granting import granted
from vault.services.people import Wish
from vault.services.velocity import Wanted


def test_an_administrator_of_one_customer_gets_no_link_of_someone_with_more(
    house: House, admins: tuple[Member, Member]
) -> None:
    account = house.world.account()
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    limited = house.actor(house.appoint(admins, "lim@msp.example", Role.ADMIN, scope))
    ada = house.actor(admins[0])
    invited = house.vault.people.invite(ada, "chief@msp.example", "Chief", (Wish(Role.ADMIN),))
    with pytest.raises(Forbidden) as caught:
        house.vault.people.new_enrolment(limited, invited.person.id)
    assert caught.value.facts["rule"] == "C1"
    assert house.events("access.denied")[0]["outcome"] == "denied"
    house.enrol(invited)


def test_nothing_is_agreed_to_before_its_person_enrolled(house: House, admins: tuple[Member, Member]) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    with pytest.raises(Conflict) as caught:
        house.vault.people.confirm_grant(bob, invited.grants[0].id, admins[1].code())
    assert caught.value.code == "person.state"
    assert house.events("access.denied")[0]["outcome"] == "denied"
    assert house.sign_in(house.enrol(invited)).powers == ()
    house.vault.people.confirm_grant(bob, invited.grants[0].id, admins[1].code())


def test_who_makes_the_link_is_not_the_one_who_agrees(house: House, admins: tuple[Member, Member]) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    again = house.vault.people.new_enrolment(bob, invited.person.id)
    olga = house.enrol(again)
    grant = house.vault.people.propose_grant(ada, olga.id, Wish(Role.AUDITOR))
    with pytest.raises(Forbidden) as caught:
        house.vault.people.confirm_grant(bob, grant.id, admins[1].code())
    assert caught.value.code == "policy.second_person"
    assert house.sign_in(olga).powers == ()
    his = house.vault.people.propose_grant(bob, olga.id, Wish(Role.AUDITOR))
    house.vault.people.confirm_grant(ada, his.id, admins[0].code())
    assert [power.role for power in house.sign_in(olga).powers] == [Role.AUDITOR]


def test_a_link_of_another_administrator_gets_nothing_that_was_proposed_for_the_first(
    house: House, admins: tuple[Member, Member]
) -> None:
    third = house.appoint(admins, "eve@msp.example", Role.ADMIN)
    ada, bob, eve = (house.actor(admin) for admin in (*admins, third))
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    # the same administrator's second link is for whom they invited
    assert house.vault.people.new_enrolment(ada, invited.person.id).grants == invited.grants
    again = house.vault.people.new_enrolment(eve, invited.person.id)
    assert again.grants == ()
    olga = house.enrol(again)
    with pytest.raises(Conflict) as caught:
        house.vault.people.confirm_grant(bob, invited.grants[0].id, admins[1].code())
    assert caught.value.code == "person.state"
    assert house.sign_in(olga).powers == ()
    assert len(house.events("role.removed")) == 1


def test_who_has_no_role_yet_is_in_the_hands_of_who_invited_them(
    house: House, admins: tuple[Member, Member]
) -> None:
    account = house.world.account()
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    limited = house.actor(house.appoint(admins, "lim@msp.example", Role.ADMIN, scope))
    ada, people = house.actor(admins[0]), house.vault.people
    theirs = people.invite(limited, "nora@msp.example", "Nora", ()).person
    other = people.invite(ada, "olga@msp.example", "Olga", ()).person
    attempts = (
        lambda: people.new_enrolment(limited, other.id),
        lambda: people.propose_grant(limited, other.id, Wish(Role.OPERATOR, scope)),
        lambda: people.disable(limited, other.id),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert len(house.events("access.denied")) == len(attempts)
    assert people.get(ada, other.id).person == other
    people.new_enrolment(limited, theirs.id)
    people.propose_grant(limited, theirs.id, Wish(Role.OPERATOR, scope))
    people.disable(limited, theirs.id)
    assert house.vault.federation.of(limited, other.id) == ()


def test_who_made_the_link_is_no_second_word_for_what_gives_power(
    house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    ada, bob = (house.actor(admin) for admin in admins)
    why = "on duty at night, and for a campaign"
    wanted = Wanted(olga.id, 40, house.world.clock.now() + timedelta(hours=8))
    glass = house.vault.glass.enable(bob, olga.id, Scope(), why, admins[1].code())
    budget = house.vault.budgets.propose(bob, wanted, why, admins[1].code())
    for made in (glass, budget):
        with pytest.raises(Forbidden) as caught:
            house.vault.proposals.confirm(ada, made.id, admins[0].code())
        assert caught.value.code == "policy.second_person"
        house.vault.proposals.end(bob, made.id, "to be proposed the other way round")
    made = house.vault.glass.enable(ada, olga.id, Scope(), why, admins[0].code())
    assert house.vault.proposals.confirm(bob, made.id, admins[1].code()).confirmed_by == bob.id


def test_what_was_confirmed_too_early_is_taken_back(house: House, admins: tuple[Member, Member]) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    now = house.world.clock.now()
    with house.vault.units.write() as unit:
        early = replace(invited.grants[0], confirmed_by=bob.id, effective_at=now)
        unit.people.update_grant(early)
        unit.log.record(granted(bob, invited.grants[0], early), now)
        unit.commit()
    assert house.sign_in(house.enrol(invited)).powers == ()
    assert len(house.events("role.removed")) == 1


def test_the_second_first_administrator_is_not_taken_over_once_something_is_held(house: House) -> None:
    first, second = house.vault.people.bootstrap_admins((("ada@msp.example", "A"), ("bob@msp.example", "B")))
    ada = house.actor(house.enrol(first))
    house.world.held()
    with pytest.raises(Conflict) as caught:
        house.vault.people.new_enrolment(ada, second.person.id)
    assert caught.value.facts["rule"] == "S19"
    house.enrol(second)


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
    assert house.vault.views.checkout(spare.actor, asked.id).checkout.state is CheckoutState.PENDING_APPROVAL


def _incident(account_id: str) -> Ask:
    return Ask(account_id, "INCIDENT", "INC-1", "an incident, for this test")
