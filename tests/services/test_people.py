"""People and power: two administrators to add, one to take away, at once and with everything that hangs on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from tests.support.people import House, Member, came
from vault.domain.actor import Actor, Reach, Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState
from vault.domain.person import PersonState
from vault.domain.secret import Secret
from vault.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unauthenticated, VaultError
from vault.ports.store import EntryFilter, Slice
from vault.services.asking import Ask
from vault.services.customers import CustomerFacts
from vault.services.people import Wish


def test_the_first_two_administrators_are_made_once(house: House) -> None:
    house.admins()
    with pytest.raises(Refused):
        house.vault.people.bootstrap_admins((("x@msp.example", "X"), ("y@msp.example", "Y")))
    assert len(house.events("role.granted")) == 2


def test_one_person_is_not_two_administrators(house: House) -> None:
    with pytest.raises(Refused):
        house.vault.people.bootstrap_admins((("x@msp.example", "X"), ("X@msp.example", "Y")))


def test_a_proposed_role_gives_nothing_until_another_administrator_agrees(
    house: House, admins: tuple[Member, Member]
) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    olga = house.enrol(invited)
    assert house.sign_in(olga).powers == ()
    grant = invited.grants[0]
    with pytest.raises(Forbidden) as caught:
        house.vault.people.confirm_grant(ada, grant.id, admins[0].code())
    assert caught.value.code == "policy.second_person"
    house.vault.people.confirm_grant(bob, grant.id, admins[1].code())
    assert [power.role for power in house.sign_in(olga).powers] == [Role.OPERATOR]
    with pytest.raises(Conflict):
        house.vault.people.confirm_grant(bob, grant.id, admins[1].code())


def test_nobody_gets_power_by_their_own_word(house: House, admins: tuple[Member, Member]) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    with pytest.raises(Forbidden):
        house.vault.people.propose_grant(ada, ada.id, Wish(Role.AUDITOR))
    grant = house.vault.people.propose_grant(bob, ada.id, Wish(Role.AUDITOR))
    with pytest.raises(Forbidden):
        house.vault.people.confirm_grant(ada, grant.id, admins[0].code())
    assert len(house.events("access.denied")) == 2


def test_agreeing_takes_a_fresh_code(house: House, admins: tuple[Member, Member]) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    house.enrol(invited)
    grant = invited.grants[0]
    with pytest.raises(Unauthenticated):
        house.vault.people.confirm_grant(bob, grant.id, admins[1].wrong_code())
    assert house.vault.people.get(bob, grant.person_id).grants[0].confirmed_by is None


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.APPROVER])
def test_who_gives_power_does_not_use_it(house: House, admins: tuple[Member, Member], role: Role) -> None:
    ada = house.actor(admins[0])
    with pytest.raises(Conflict):
        house.vault.people.propose_grant(ada, admins[1].id, Wish(role))
    with pytest.raises(Conflict):
        house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.ADMIN), Wish(role)))
    assert len(house.vault.people.page(ada, Slice()).items) == 2


def test_after_the_first_custody_new_power_is_held_back(house: House, admins: tuple[Member, Member]) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    house.world.held()
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    olga = house.enrol(invited)
    grant = house.vault.people.confirm_grant(bob, invited.grants[0].id, admins[1].code())
    assert grant.effective_at == house.world.clock.now() + house.vault.people.hold
    assert house.vault.people.hold >= timedelta(hours=1)
    assert house.sign_in(olga).powers == ()
    house.world.clock.at += house.vault.people.hold
    assert [power.role for power in house.sign_in(olga).powers] == [Role.OPERATOR]


def test_an_email_is_one_person_in_any_case(house: House, admins: tuple[Member, Member]) -> None:
    with pytest.raises(Conflict) as caught:
        house.vault.people.invite(house.actor(admins[0]), "BOB@MSP.example", "Bob", ())
    assert caught.value.code == "person.exists"


def test_what_is_no_email_is_refused(house: House, admins: tuple[Member, Member]) -> None:
    ada = house.actor(admins[0])
    for email in ("", "no-at", "x@y", "ä@msp.example", "a" * 300 + "@msp.example"):
        with pytest.raises(Invalid) as caught:
            house.vault.people.invite(ada, email, "Name", ())
        assert [each.pointer for each in caught.value.errors] == ["/email"]


def test_whoever_is_disabled_is_out_with_all_they_have(house: House, admins: tuple[Member, Member]) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    account = house.world.held()
    signed = house.sign_in(olga)
    token = house.vault.tokens.issue_own(signed.actor(came()), "hers", olga.code())
    actor = signed.actor(came())
    ask = Ask(account.id, "CRED_ROTATE", "T-1", "rotation after intake")
    checkout = house.vault.asking.ask(actor, ask)
    house.vault.checkouts.step_up(actor, checkout.id, olga.code())
    disabled = house.vault.people.disable(house.actor(admins[0]), olga.id)
    assert disabled.state is PersonState.DISABLED
    assert house.vault.signin.resolve(signed.token) is None
    assert house.vault.tokens.resolve(token.text) is None
    with house.vault.units.read() as unit:
        ended = unit.checkouts.get(checkout.id)
    assert ended is not None
    assert ended.state is CheckoutState.REVOKED
    with pytest.raises(Unauthenticated):
        house.sign_in(olga)


def test_a_removed_role_ends_the_leases_that_needed_it(house: House, admins: tuple[Member, Member]) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    account = house.world.held()
    actor = house.actor(olga)
    ask = Ask(account.id, "CRED_ROTATE", "T-1", "rotation after intake")
    checkout = house.vault.asking.ask(actor, ask)
    ada = house.actor(admins[0])
    grant = house.vault.people.get(ada, olga.id).grants[0]
    house.vault.people.remove_grant(ada, grant.id)
    with house.vault.units.read() as unit:
        ended = unit.checkouts.get(checkout.id)
    assert ended is not None
    assert ended.state is CheckoutState.REVOKED
    assert house.sign_in(olga).powers == ()


def test_the_last_administrator_stays(house: House, admins: tuple[Member, Member]) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    house.vault.people.disable(ada, bob.id)
    with pytest.raises(Conflict):
        house.vault.people.disable(ada, ada.id)
    with pytest.raises(Conflict):
        house.vault.people.remove_grant(ada, house.vault.people.get(ada, ada.id).grants[0].id)


def test_nobody_gives_more_than_they_reach(house: House, admins: tuple[Member, Member]) -> None:
    custodian = house.appoint(admins, "carl@msp.example", Role.CUSTODIAN)
    customer = house.vault.customers.register(house.actor(custodian), "900900", CustomerFacts(name="One Ltd"))
    scope = Scope(ScopeKind.CUSTOMER, customer.id)
    limited = house.actor(house.appoint(admins, "lena@msp.example", Role.ADMIN, scope))
    with pytest.raises(Forbidden):
        house.vault.people.invite(limited, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    invited = house.vault.people.invite(limited, "olga@msp.example", "Olga", (Wish(Role.OPERATOR, scope),))
    assert invited.grants[0].scope == scope
    with pytest.raises(Forbidden):
        house.vault.people.disable(limited, admins[0].id)
    grant = house.vault.people.get(house.actor(admins[0]), custodian.id).grants[0]
    with pytest.raises(Forbidden):
        house.vault.people.remove_grant(limited, grant.id)


def test_only_administrators_administer(house: House, admins: tuple[Member, Member]) -> None:
    people, ada = house.vault.people, admins[0].id
    grant = people.get(house.actor(admins[0]), ada).grants[0].id
    others = [role for role in Role if role is not Role.ADMIN]
    for role in others:
        other = house.actor(house.appoint(admins, f"{role}@msp.example", role))
        acts: tuple[Callable[[Actor], object], ...] = (
            lambda actor: people.invite(actor, "new@msp.example", "New", ()),
            lambda actor: people.new_enrolment(actor, ada),
            lambda actor: people.propose_grant(actor, ada, Wish(Role.AUDITOR)),
            lambda actor: people.confirm_grant(actor, grant, "000000"),
            lambda actor: people.remove_grant(actor, grant),
            lambda actor: people.disable(actor, ada),
        )
        for act in acts:
            with pytest.raises(Forbidden) as caught:
                act(other)
            assert caught.value.code == "policy.denied"
    assert len(house.events("access.denied")) == 6 * len(others)


def test_only_administrators_and_auditors_read_about_others(
    house: House, admins: tuple[Member, Member]
) -> None:
    auditor = house.actor(house.appoint(admins, "aud@msp.example", Role.AUDITOR))
    operator = house.actor(house.appoint(admins, "olga@msp.example", Role.OPERATOR))
    assert len(house.vault.people.page(auditor, Slice()).items) == 4
    assert house.vault.people.get(operator, operator.id).person.id == operator.id
    with pytest.raises(NotFound):
        house.vault.people.get(operator, auditor.id)
    with pytest.raises(Forbidden):
        house.vault.people.page(operator, Slice())


def test_a_link_works_once_and_not_for_ever(house: House, admins: tuple[Member, Member]) -> None:
    ada = house.actor(admins[0])
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", ())
    house.enrol(invited)
    with pytest.raises(Unauthenticated) as caught:
        house.vault.enrolment.begin(invited.link, came())
    assert caught.value.code == "auth.enrolment_invalid"
    late = house.vault.people.invite(ada, "late@msp.example", "Late", ())
    house.world.clock.at += house.vault.people.link_lasts
    with pytest.raises(Unauthenticated):
        house.vault.enrolment.begin(late.link, came())


def test_a_new_link_kills_the_old_one_and_its_seed(house: House, admins: tuple[Member, Member]) -> None:
    ada = house.actor(admins[0])
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", ())
    seed = house.vault.enrolment.begin(invited.link, came()).seed.expose()
    again = house.vault.people.new_enrolment(ada, invited.person.id)
    with pytest.raises(Unauthenticated):
        house.vault.enrolment.begin(invited.link, came())
    assert house.vault.enrolment.begin(again.link, came()).seed.expose() != seed
    house.enrol(again)
    with pytest.raises(Conflict):
        house.vault.people.new_enrolment(ada, invited.person.id)


def test_enrolment_shows_one_seed_until_it_is_done(house: House, admins: tuple[Member, Member]) -> None:
    invited = house.vault.people.invite(house.actor(admins[0]), "olga@msp.example", "Olga", ())
    first, second = (house.vault.enrolment.begin(invited.link, came()) for _ in range(2))
    assert first.seed.expose() == second.seed.expose()
    assert first.seed.expose() in first.uri.expose()
    with house.vault.units.read() as unit:
        kept = unit.people.get(invited.person.id)
    assert kept is not None
    assert kept.seed is not None
    assert first.seed.expose().encode() not in kept.seed


def test_each_look_at_an_enrolment_link_is_in_the_log_with_its_address(
    house: House, admins: tuple[Member, Member]
) -> None:
    invited = house.vault.people.invite(house.actor(admins[0]), "olga@msp.example", "Olga", ())
    house.vault.enrolment.begin(invited.link, came("203.0.113.9"))
    house.vault.enrolment.begin(invited.link, came("198.51.100.4"))
    with house.vault.units.read() as unit:
        page = unit.log.page(EntryFilter(type="person.enrolment.opened"), Reach(everything=True), Slice(10))
    looks = [look.content for look in page.items if look.content["detail"] == {"person": invited.person.id}]
    assert [cast("dict[str, str]", look["actor"])["ip"] for look in looks] == ["198.51.100.4", "203.0.113.9"]


def test_a_weak_password_enrols_nobody(house: House, admins: tuple[Member, Member]) -> None:
    invited = house.vault.people.invite(house.actor(admins[0]), "olga@msp.example", "Olga", ())
    house.vault.enrolment.begin(invited.link, came())
    for password in ("short", "a" * 30, "olga is a name of mine", "x" * 300):
        with pytest.raises(Invalid) as caught:
            house.vault.enrolment.complete(invited.link, Secret(password), "000000", came())
        assert caught.value.code == "password.weak"
        assert password not in repr(caught.value.errors)


def test_enrolment_needs_a_right_code_and_uses_it_up(house: House, admins: tuple[Member, Member]) -> None:
    invited = house.vault.people.invite(house.actor(admins[0]), "olga@msp.example", "Olga", ())
    house.vault.enrolment.begin(invited.link, came())
    codes: list[str] = []
    for _ in range(6):
        with pytest.raises(VaultError) as caught:
            house.vault.enrolment.complete(
                invited.link, Secret("several unrelated words 7"), "12345x", came()
            )
        codes.append(caught.value.code)
    assert codes == ["auth.refused"] * 5 + ["auth.delayed"]
    house.world.clock.advance(seconds=5)
    olga = house.enrol(invited)
    olga.used -= 1
    with pytest.raises(Conflict):
        house.sign_in(olga)
