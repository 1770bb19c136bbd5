"""Signing in: one answer for everything wrong, codes that work once, guesses that get slow, sessions that end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.people import House, Member, came
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.person import FREE_FAILURES
from vault.domain.secret import Secret
from vault.errors import Conflict, Limited, Unauthenticated, VaultError
from vault.services.customers import CustomerFacts
from vault.services.guessing import is_told, same_network


def attempt(house: House, email: str, password: str, otp: str, ip: str = "192.0.2.7") -> VaultError:
    with pytest.raises(VaultError) as caught:
        house.vault.signin.begin(email, Secret(password), otp, came(ip))
    return caught.value


def test_who_knows_the_password_and_has_the_code_is_signed_in_with_their_powers(house: House) -> None:
    ada, _ = house.admins()
    signed = house.sign_in(ada)
    known = house.vault.signin.resolve(signed.token)
    assert known is not None
    assert (ada.id, (Role.ADMIN,)) == (known.person.id, known.actor(came()).roles)
    assert (signed.session.id, "totp", True) == (
        known.actor(came()).origin.session,
        known.actor(came()).origin.mfa,
        known.actor(came()).origin.browser,
    )
    assert len(house.events("session.opened")) == 1


def test_whatever_is_wrong_gets_one_answer_after_the_same_work(house: House) -> None:
    ada, bob = house.admins()
    invited = house.vault.people.invite(house.actor(ada), "new@msp.example", "New", ())
    house.vault.people.disable(house.actor(ada), house.enrol(invited).id)
    waiting = house.vault.people.invite(house.actor(ada), "late@msp.example", "Late", ())
    house.passwords.checked.clear()
    bob.clock.advance(seconds=90)
    good = bob.code()
    wrongs = [
        attempt(house, "nobody@msp.example", bob.password, good),
        attempt(house, "new@msp.example", bob.password, good),
        attempt(house, waiting.person.email, bob.password, good),
        attempt(house, bob.email, "another password 12345", good),
        attempt(house, bob.email, bob.password, bob.wrong_code()),
    ]
    assert len({(type(each), each.code, each.detail, each.retry_after) for each in wrongs}) == 1
    assert isinstance(wrongs[0], Unauthenticated)
    assert house.passwords.checked == [False, False, False, True, True]
    refused = house.events("session.refused")
    assert len(refused) == 5
    assert "nobody@msp.example" not in repr(refused)


def test_look_alike_digits_are_not_a_code(house: House) -> None:
    ada, _ = house.admins()
    ada.clock.advance(seconds=90)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in ada.code())
    assert attempt(house, ada.email, ada.password, wide).code == "auth.refused"


def test_one_code_signs_in_once_however_many_try_at_once(house: House) -> None:
    ada, _ = house.admins()
    ada.clock.advance(seconds=90)
    code, start = ada.code(), threading.Barrier(5)

    def enter(_: int) -> str:
        start.wait()
        try:
            house.vault.signin.begin(ada.email, Secret(ada.password), code, came())
        except VaultError as error:
            return error.code
        return "in"

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(enter, range(5)))
    assert answers.count("in") == 1
    assert {"in", "otp.used"} == set(answers)


def test_a_used_code_names_the_seconds_to_the_next(house: House) -> None:
    ada, _ = house.admins()
    ada.clock.advance(seconds=90)
    code = ada.code()
    house.vault.signin.begin(ada.email, Secret(ada.password), code, came())
    with pytest.raises(Conflict) as caught:
        house.vault.signin.begin(ada.email, Secret(ada.password), code, came())
    assert caught.value.code == "otp.used"
    assert 1 <= (caught.value.retry_after or 0) <= 31


def test_guesses_get_slow_for_known_and_unknown_names_alike(house: House) -> None:
    ada, _ = house.admins()
    for email in (ada.email, "nobody@msp.example"):
        for _ in range(FREE_FAILURES):
            assert attempt(house, email, "wrong password 123", "000000").code == "auth.refused"
        checks = len(house.passwords.checked)
        late = attempt(house, email, "wrong password 123", "000000")
        assert isinstance(late, Limited)
        assert (2, checks) == (late.retry_after, len(house.passwords.checked))


def test_the_right_password_waits_too_and_enters_after_the_delay(house: House) -> None:
    ada, _ = house.admins()
    ada.clock.advance(seconds=90)
    for _ in range(FREE_FAILURES):
        attempt(house, ada.email, "wrong password 123", "000000")
    assert attempt(house, ada.email, ada.password, ada.code()).code == "auth.delayed"
    ada.clock.advance(seconds=3)
    house.sign_in(ada)
    assert attempt(house, ada.email, "wrong password 123", "000000").code == "auth.refused"


def test_many_guesses_at_once_are_no_way_around_the_delay(house: House) -> None:
    ada, _ = house.admins()
    house.passwords.checked.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: attempt(house, ada.email, "wrong password 123", "000000").code, range(24))
        )
    assert FREE_FAILURES == answers.count("auth.refused") == len(house.passwords.checked)
    assert answers.count("auth.delayed") == 24 - FREE_FAILURES


def test_guessing_from_one_network_delays_nobody_elsewhere(house: House) -> None:
    ada, _ = house.admins()
    for _ in range(FREE_FAILURES + 1):
        attempt(house, ada.email, "wrong password 123", "000000", ip="203.0.113.9")
    assert attempt(house, ada.email, ada.password, "000000", ip="203.0.113.77").code == "auth.delayed"
    house.sign_in(ada, ip="198.51.100.1")


def test_a_known_browser_is_not_delayed_by_guesses_from_its_own_network(house: House) -> None:
    ada, _ = house.admins()
    device = house.sign_in(ada).device.expose()
    ada.clock.advance(seconds=90)
    for _ in range(FREE_FAILURES):
        attempt(house, ada.email, "wrong password 123", "000000")
    forged = device[:-1] + ("0" if device[-1] != "0" else "1")
    for other in (None, "", "nonsense", ".", f"{device}0", forged):
        with pytest.raises(Limited):
            house.sign_in(ada, device=other)
        ada.used -= 1
    house.sign_in(ada, device=device)


def test_a_known_browser_is_known_for_its_own_person_only(house: House) -> None:
    ada, bob = house.admins()
    device = house.sign_in(ada).device.expose()
    ada.clock.advance(seconds=90)
    for _ in range(FREE_FAILURES):
        attempt(house, bob.email, "wrong password 123", "000000")
    with pytest.raises(Limited):
        house.sign_in(bob, device=device)


def test_a_known_browser_is_forgotten_in_time(house: House) -> None:
    ada, _ = house.admins()
    device = house.sign_in(ada).device.expose()
    ada.clock.advance(days=181)
    for _ in range(FREE_FAILURES):
        attempt(house, ada.email, "wrong password 123", "000000")
    with pytest.raises(Limited):
        house.sign_in(ada, device=device)


def test_codes_for_a_known_password_are_bounded_over_all_networks(house: House) -> None:
    ada, _ = house.admins()
    ada.clock.advance(seconds=90)
    for number in range(FREE_FAILURES):
        attempt(house, ada.email, ada.password, ada.wrong_code(), ip=f"203.0.{number}.9")
    assert attempt(house, ada.email, ada.password, ada.code(), ip="198.51.100.1").code == "auth.refused"
    ada.clock.advance(seconds=60)
    house.sign_in(ada, ip="198.51.100.2")


def test_a_flood_of_failures_is_counted_into_few_entries(house: House) -> None:
    house.admins()
    house.world.clock.at = house.world.clock.at.replace(second=0)
    for number in range(85):
        attempt(house, f"guess{number}@msp.example", "wrong password 123", "000000", ip="203.0.113.9")
    floods = house.events("access.flood")
    assert len(house.events("session.refused")) == 10
    assert [_detail(flood)["count"] for flood in floods] == [80, 40, 20]
    house.world.clock.advance(seconds=61)
    attempt(house, "more@msp.example", "wrong password 123", "000000", ip="203.0.113.9")
    assert len(house.events("session.refused")) == 11


def _detail(entry: dict[str, object]) -> dict[str, object]:
    found = entry["detail"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("count", range(1, 11))
def test_each_of_the_first_ten_failures_is_told(count: int) -> None:
    assert is_told(count)


def test_a_million_failures_are_told_a_few_times() -> None:
    assert [count for count in range(11, 1000) if is_told(count)] == [20, 40, 80, 160, 320, 640]


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.200", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_neighbours_are_one_network(ip: str, network: str) -> None:
    assert network == same_network(ip)


def test_a_session_ends_for_whoever_holds_a_copy_of_its_token(house: House) -> None:
    ada, _ = house.admins()
    signed = house.sign_in(ada)
    house.vault.signin.end(signed.actor(came()), signed.session)
    assert house.vault.signin.resolve(signed.token) is None
    assert len(house.events("session.closed")) == 1


def test_all_sessions_of_a_person_end_together(house: House) -> None:
    ada, bob = house.admins()
    first, second, other = house.sign_in(ada), house.sign_in(ada), house.sign_in(bob)
    assert house.vault.signin.end_all(first.actor(came())) == 2
    assert house.vault.signin.resolve(second.token) is None
    assert house.vault.signin.resolve(other.token) is not None


def test_idle_and_age_end_a_session(house: House) -> None:
    ada, _ = house.admins()
    limits, token = house.vault.signin.limits, house.sign_in(ada).token
    for _ in range(int(limits.longest / (limits.idle * 0.9))):
        house.world.clock.at += limits.idle * 0.9
        assert house.vault.signin.resolve(token) is not None
    house.world.clock.at += limits.idle * 0.9
    assert house.vault.signin.resolve(token) is None
    token = house.sign_in(ada).token
    house.world.clock.at += limits.idle
    assert house.vault.signin.resolve(token) is None


def test_a_customers_limits_bind_only_people_limited_to_it(house: House) -> None:
    admins = house.admins()
    custodian = house.appoint(admins, "carl@msp.example", Role.CUSTODIAN)
    facts = CustomerFacts(name="Strict Ltd", session_idle_seconds=120)
    customer = house.vault.customers.register(house.actor(custodian), "900900", facts)
    scope = Scope(ScopeKind.CUSTOMER, customer.id)
    limited = house.appoint(admins, "olga@msp.example", Role.OPERATOR, scope)
    tokens = {name: house.sign_in(member).token for name, member in (("olga", limited), ("carl", custodian))}
    house.world.clock.advance(seconds=100)
    assert all(house.vault.signin.resolve(token) is not None for token in tokens.values())
    house.world.clock.advance(seconds=121)
    assert house.vault.signin.resolve(tokens["olga"]) is None
    assert house.vault.signin.resolve(tokens["carl"]) is not None


def test_the_tighter_limit_wins_whichever_it_is(house: House) -> None:
    limits = replace(house.vault.signin.limits, idle=timedelta(minutes=15), longest=timedelta(hours=8))
    assert limits == limits.tightened(None, None)
    assert timedelta(minutes=2) == limits.tightened(120, None).idle
    assert timedelta(hours=8) == limits.tightened(None, 86_400).longest


def test_nothing_of_a_sign_in_is_kept_that_would_open_it_again(house: House) -> None:
    member: Member = house.admins()[0]
    signed = house.sign_in(member)
    with house.vault.units.read() as unit:
        found = unit.sessions.of(member.id)[0]
    assert signed.token.expose() not in repr(found)
    assert signed.token.expose() not in repr(house.events("session.opened"))
