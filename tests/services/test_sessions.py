"""Sessions: where somebody is signed in, their end, and customers' limits on those that are open already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from tests.support.people import House, Member, came
from tests.support.refusals import refused
from tests.support.world import World
from vault.domain.actor import Actor, Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState
from vault.domain.person import FREE_FAILURES
from vault.domain.secret import Secret
from vault.errors import Forbidden, Limited, NotFound, Unauthenticated, VaultError
from vault.ports.store import Slice
from vault.services.asking import Ask
from vault.services.customers import CustomerFacts
from vault.services.people import Wish

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


def test_all_places_are_listed_and_one_is_ended(house: House, admins: tuple[Member, Member]) -> None:
    ada = admins[0]
    here, there = house.sign_in(ada), house.sign_in(ada, ip="198.51.100.9")
    actor = here.actor(came())
    seats = house.vault.sessions.own(actor)
    assert [(each.session.ip, each.session.mfa, each.is_this) for each in seats] == [
        ("198.51.100.9", "totp", False),
        ("192.0.2.7", "totp", True),
    ]
    assert seats[0].idle_until == there.session.seen_at + house.vault.signin.limits.idle
    house.vault.sessions.end(actor, ada.id, there.session.id)
    assert house.vault.signin.resolve(there.token) is None
    assert [each.is_this for each in house.vault.sessions.own(actor)] == [True]
    assert refused(house.vault.sessions.end, actor, ada.id, there.session.id).code == "not_found"
    house.sign_in(ada)
    house.sign_in(ada)
    assert house.vault.sessions.end_others(actor, ada.id) == 2
    assert house.vault.sessions.end_others(actor, ada.id) == 0
    assert house.vault.signin.resolve(here.token) is not None
    house.world.clock.at += house.vault.signin.limits.idle
    assert house.vault.sessions.own(actor) == ()


def test_an_administrator_ends_anothers_and_nobody_else_does(
    house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    hers = house.sign_in(olga)
    ada, operator = house.actor(admins[0]), hers.actor(came())
    assert [each.session.id for each in house.vault.sessions.of(ada, olga.id)] == [hers.session.id]
    assert refused(house.vault.sessions.of, operator, ada.id).code == "policy.denied"
    assert refused(house.vault.sessions.end_others, operator, ada.id).code == "policy.denied"
    assert refused(house.vault.sessions.end, ada, admins[1].id, hers.session.id).code == "not_found"
    house.vault.sessions.end(ada, olga.id, hers.session.id)
    assert house.vault.signin.resolve(hers.token) is None
    assert house.events("session.closed")[0]["detail"] == {"session": hers.session.id, "person": olga.id}


def test_an_administrator_of_one_customer_reaches_their_own_people_and_tokens(
    house: House, admins: tuple[Member, Member]
) -> None:
    account = house.world.account()
    scope, one = Scope(ScopeKind.CUSTOMER, account.customer_id), Scope(ScopeKind.ACCOUNT, account.id)
    lena = house.appoint(admins, "lena@msp.example", Role.ADMIN, scope)
    mia = house.appoint(admins, "mia@msp.example", Role.OPERATOR, one)
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    limited = house.actor(lena)
    invited = house.vault.people.invite(limited, "new@msp.example", "New", ())
    tokens = {}
    for member in (mia, olga):
        tokens[member.id] = house.vault.tokens.issue_own(house.actor(member), "t", member.code()).token.id
    people = house.vault.people
    assert {each.id for each in people.page(limited, Slice()).items} == {lena.id, mia.id, invited.person.id}
    assert people.get(limited, mia.id).grants[0].scope == one
    seen = house.vault.tokens.page(limited, Slice(), everyone=True).items
    assert [each.id for each in seen] == [tokens[mia.id]]
    assert house.vault.tokens.get(limited, tokens[mia.id]).person_id == mia.id
    for act in (
        lambda: people.get(limited, olga.id),
        lambda: people.get(limited, admins[0].id),
        lambda: house.vault.tokens.get(limited, tokens[olga.id]),
        lambda: house.vault.tokens.revoke(limited, tokens[olga.id]),
        lambda: house.vault.sessions.of(limited, olga.id),
    ):
        with pytest.raises(NotFound):
            act()
    # somebody who works elsewhere as well is in sight, and not theirs to shut out of it
    ada, bob = (house.actor(admin) for admin in admins)
    grant = people.propose_grant(ada, mia.id, Wish(Role.AUDITOR))
    people.confirm_grant(bob, grant.id, admins[1].code())
    assert [each.scope for each in people.get(limited, mia.id).grants] == [one]
    for wider in (
        lambda: people.disable(limited, mia.id),
        lambda: house.vault.tokens.revoke(limited, tokens[mia.id]),
        lambda: house.vault.sessions.of(limited, mia.id),
    ):
        with pytest.raises(Forbidden):
            wider()
    everyone = house.vault.tokens.page(ada, Slice(), everyone=True).items
    assert {each.id for each in everyone} == set(tokens.values())


def limited_operator(
    house: House, admins: tuple[Member, Member], facts: CustomerFacts
) -> tuple[Actor, Member, str]:
    """Register a customer with limits and an operator of it alone; give the custodian, them and its id."""
    custodian = house.actor(house.appoint(admins, "carl@msp.example", Role.CUSTODIAN))
    customer = house.vault.customers.register(custodian, "900900", facts)
    scope = Scope(ScopeKind.CUSTOMER, customer.id)
    return custodian, house.appoint(admins, "olga@msp.example", Role.OPERATOR, scope), customer.id


def test_a_limit_that_is_tightened_holds_for_sessions_that_are_open(
    house: House, admins: tuple[Member, Member]
) -> None:
    custodian, olga, customer = limited_operator(house, admins, CustomerFacts(name="Strict Ltd"))
    free = house.sign_in(admins[0])
    signed = house.sign_in(olga)
    for _ in range(5):
        house.world.clock.advance(minutes=10)
        assert house.vault.signin.resolve(signed.token) is not None
        assert house.vault.signin.resolve(free.token) is not None
    (seat,) = house.vault.sessions.own(signed.actor(came()))
    assert seat.until == signed.session.created_at + house.vault.signin.limits.longest
    house.vault.customers.change(custodian, customer, CustomerFacts(session_max_seconds=1800))
    assert house.vault.signin.resolve(signed.token) is None
    assert house.vault.signin.resolve(free.token) is not None
    again = house.sign_in(olga)
    house.vault.customers.change(custodian, customer, CustomerFacts(session_idle_seconds=60))
    house.world.clock.advance(seconds=61)
    assert house.vault.signin.resolve(again.token) is None
    house.vault.customers.change(
        custodian, customer, CustomerFacts(session_idle_seconds=0, session_max_seconds=0)
    )
    kept = house.vault.customers.get(custodian, customer)
    assert (kept.session_idle_seconds, kept.session_max_seconds) == (None, None)
    third = house.sign_in(olga)
    house.world.clock.advance(seconds=300)
    assert house.vault.signin.resolve(third.token) is not None


@pytest.mark.parametrize(("minutes_gone", "state"), [(10, CheckoutState.ACTIVE), (40, CheckoutState.EXPIRED)])
def test_a_limit_that_is_tightened_shortens_leases_that_run(
    world: World, minutes_gone: int, state: CheckoutState
) -> None:
    account = world.held()
    olga, carla = world.human("olga", Role.OPERATOR), world.human("carla", Role.CUSTODIAN)
    lease = world.lease(olga, account.id, "CRED_ROTATE")
    assert lease.expires_at is not None
    assert lease.activated_at is not None
    world.clock.advance(minutes=minutes_gone)
    longer = CustomerFacts(session_max_seconds=86_400)
    world.vault.customers.change(carla.actor, account.customer_id, longer)
    assert world.vault.views.checkout(olga.actor, lease.id).checkout.expires_at == lease.expires_at
    world.vault.customers.change(carla.actor, account.customer_id, CustomerFacts(session_max_seconds=1800))
    with world.vault.units.read() as unit:
        found = unit.checkouts.get(lease.id)
    assert found is not None
    assert found.expires_at == lease.activated_at + timedelta(minutes=30)
    assert found.state is state
    with pytest.raises(VaultError):
        world.vault.asking.ask(
            olga.actor, Ask(account.id, "CRED_ROTATE", "T-1", "longer than they allow", 3600)
        )


def test_stolen_tokens_give_no_more_guesses_than_one_and_delay_no_browser(
    house: House, admins: tuple[Member, Member]
) -> None:
    ada = admins[0]
    browser = house.sign_in(ada).actor(came())
    browser = replace(browser, origin=replace(browser.origin, browser=True))
    stolen = []
    for number in range(3):
        issued = house.vault.tokens.issue_own(browser, f"script {number}", ada.code())
        bearer = house.vault.tokens.resolve(issued.text)
        assert bearer is not None
        stolen.append(bearer.actor(came()))
    bob = house.actor(admins[1])
    olga = house.vault.people.invite(bob, "olga@msp.example", "Olga", ())
    house.enrol(olga)
    grant = house.vault.people.propose_grant(bob, olga.person.id, Wish(Role.CSM))
    code = ada.code()
    wrong = [
        refused(house.vault.people.confirm_grant, stolen[n % 3], grant.id, "12345x").code for n in range(6)
    ]
    assert wrong == ["auth.refused"] * FREE_FAILURES + ["auth.delayed"]
    with pytest.raises(Limited):
        house.vault.people.confirm_grant(stolen[2], grant.id, code)
    house.vault.people.confirm_grant(browser, grant.id, code)


def test_who_is_refused_is_refused_after_the_same_work(house: House, admins: tuple[Member, Member]) -> None:
    """Counted, not timed: hashes, statements and commits are the same whoever it was and whatever was wrong (S22)."""
    ada, bob = admins
    gone = house.enrol(house.vault.people.invite(house.actor(ada), "gone@msp.example", "Gone", ()))
    house.vault.people.disable(house.actor(ada), gone.id)
    waiting = house.vault.people.invite(house.actor(ada), "late@msp.example", "Late", ())
    house.world.clock.advance(seconds=90)
    engine = house.vault.units.engine  # type: ignore[attr-defined]  # the adapter's own, to be listened to
    work: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: work.append(given[2].partition("(")[0][:40]))
    event.listen(engine, "commit", lambda _: work.append("commit"))
    event.listen(engine, "rollback", lambda _: work.append("rollback"))
    done = {}
    cases = {
        "unknown": ("nobody@msp.example", bob.password, "000000"),
        "disabled": (gone.email, gone.password, gone.code()),
        "invited": (waiting.person.email, bob.password, "000000"),
        "wrong password": (bob.email, "another password 12345", bob.code()),
        "wrong code": (bob.email, bob.password, bob.wrong_code()),
        "not a code": (bob.email, bob.password, "x"),
    }
    for number, (name, (email, password, otp)) in enumerate(cases.items()):
        work.clear()
        house.passwords.checked.clear()
        with pytest.raises(Unauthenticated) as caught:
            house.vault.signin.begin(email, Secret(password), otp, came(f"198.51.{number}.9"))
        assert caught.value.code == "auth.refused"
        done[name] = (len(house.passwords.checked), tuple(work))
    assert len(set(done.values())) == 1, done


def test_failures_that_count_no_more_are_forgotten(house: House, admins: tuple[Member, Member]) -> None:
    for number in range(4):
        with pytest.raises(Unauthenticated):
            house.vault.signin.begin(f"x{number}@msp.example", Secret("a wrong password"), "000000", came())
    assert house.vault.sweep.once().guesses == 0
    house.world.clock.advance(hours=23)
    with pytest.raises(Unauthenticated):
        house.vault.signin.begin(admins[0].email, Secret("a wrong password"), "000000", came())
    house.world.clock.advance(hours=2)
    assert house.vault.sweep.once().guesses >= 4
    assert house.vault.sweep.once().guesses == 0
    with house.vault.units.read() as unit:
        kept = unit.guesses.get("network:192.0.2.0/24")
    assert kept is not None
