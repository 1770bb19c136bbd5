"""Pages of leavers, recoveries, sessions and customers' limits; what forms refuse; what a copied cookie is worth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.people import House, Member
from tests.web.ui.test_views import HTML, NUMBER, PASSWORD, Browser
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.secret import Secret

if TYPE_CHECKING:
    from flask import Flask

WHY = "lost the phone on a train, called back on the known number"


@pytest.fixture
def ada(application: Flask, admins: tuple[Member, Member]) -> Browser:
    return Browser(application, admins[0])


def test_a_leaver_is_shown_with_what_is_left(ada: Browser, house: House) -> None:
    account = house.world.held(NUMBER, PASSWORD)
    carla = house.world.people["carla"].actor
    answer = ada.post(f"/people/{carla.id}/disable")
    assert answer.headers["Location"] == f"/people/{carla.id}/leaver"
    text = ada.get(f"/people/{carla.id}/leaver").text
    assert "0 of 2 replaced and proven" in text
    assert text.count("To rotate") == 3
    assert f"/accounts/{account.id}" in text
    assert "Someone who was shut out may know it" in ada.get(f"/accounts/{account.id}").text
    assert "Nothing is left" not in text
    assert ada.get(f"/people/{carla.id}/leaver?state=any&cursor=nonsense").status_code == 422


def test_a_recovery_goes_by_two_and_its_link_is_shown_once(
    application: Flask, ada: Browser, house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    hers, bob = Browser(application, olga), Browser(application, admins[1])
    place = f"/people/{olga.id}"
    assert ada.post(f"{place}/recovery", why="short", otp=ada.member.code()).status_code == 422
    assert ada.post(f"{place}/recovery", why=WHY, otp=ada.member.code()).status_code == 303
    found = re.search(r"/proposals/([0-9a-f-]{36})", hers.get("/sessions").text)
    assert found is not None
    assert ada.post(f"{place}/recovery/link", otp=ada.member.code()).status_code == 409
    assert bob.post(f"/proposals/{found[1]}/confirm", otp=bob.member.code()).status_code == 303
    shown = ada.post(f"{place}/recovery/link", otp=ada.member.code())
    link = re.search(r"/enrol/([A-Za-z0-9_-]{43})", shown.text)
    assert link is not None
    assert link[1] not in ada.get(place).text
    assert "Set up your sign-in" in application.test_client().get(f"/enrol/{link[1]}", headers=HTML).text
    house.take(Secret(link[1]))
    assert hers.get("/").status_code == 303


def test_places_are_listed_and_ended_one_by_one(application: Flask, ada: Browser, house: House) -> None:
    ada.member.clock.advance(seconds=60)
    other = Browser(application, ada.member)
    ends = re.findall(r"/sessions/([0-9a-f-]{36})/end", ada.get("/sessions").text)
    assert len(ends) == 2
    with house.vault.units.read() as unit:
        newest = unit.sessions.of(ada.member.id)[0].id
    assert ada.post(f"/sessions/{newest}/end").status_code == 303
    assert other.get("/").status_code == 303
    assert ada.get("/").status_code == 200
    assert ada.post(f"/sessions/{newest}/end").status_code == 404
    ada.member.clock.advance(seconds=60)
    third = Browser(application, ada.member)
    assert ada.post("/sessions/others").status_code == 303
    assert (third.get("/").status_code, ada.get("/").status_code) == (303, 200)
    own = re.findall(r"/sessions/([0-9a-f-]{36})/end", ada.get("/sessions").text)
    assert ada.post(f"/sessions/{own[0]}/end").headers["Location"].startswith("/sign-in")
    assert ada.get("/").status_code == 303


def test_an_administrator_ends_anothers_sessions_on_a_page(
    application: Flask, ada: Browser, house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    hers = Browser(application, olga)
    page = f"/people/{olga.id}/sessions"
    (ends,) = re.findall(rf"{page}/([0-9a-f-]{{36}})/end", ada.get(page).text)
    assert hers.get(f"/people/{ada.member.id}/sessions").status_code == 403
    assert ada.post(f"{page}/{ends}/end").status_code == 303
    assert hers.get("/").status_code == 303
    assert "Nowhere" in ada.get(page).text


def test_a_copied_cookie_is_worth_nothing_after_signing_out(application: Flask, ada: Browser) -> None:
    copies = {}
    for name in ("session", "__Host-session", "rootvault", "__Host-rootvault"):
        found = ada.client.get_cookie(name)
        if found is not None:
            copies[name] = found.value
    assert copies
    thief = application.test_client()
    for name, value in copies.items():
        thief.set_cookie(name, value)
    assert thief.get("/", headers=HTML).status_code == 200
    ada.post("/sign-out")
    again = application.test_client()
    for name, value in copies.items():
        again.set_cookie(name, value)
    assert again.get("/", headers=HTML).status_code == 303


def test_a_disabled_persons_token_is_refused(
    application: Flask, ada: Browser, house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    token = house.vault.tokens.issue_own(house.actor(olga), "hers", olga.code()).text.expose()
    bearer = {"Authorization": f"Bearer {token}"}
    assert application.test_client().get("/api/v1/me", headers=bearer).status_code == 200
    ada.post(f"/people/{olga.id}/disable")
    assert application.test_client().get("/api/v1/me", headers=bearer).status_code == 401


@pytest.mark.parametrize("text", ["Olga\u202egnp.exe", "Olga\u2066", "Olga\x07", "Olga\x00", "line\nbreak"])
def test_forms_refuse_what_the_api_refuses(ada: Browser, house: House, text: str) -> None:
    before = len(house.events("person.invited"))
    answer = ada.post(
        "/people/invite", name=text, email="olga@msp.example", role="operator", scope="all", target=""
    )
    assert answer.status_code == 422
    assert len(house.events("person.invited")) == before


def test_sentences_may_have_lines_and_nothing_else(
    ada: Browser, house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    place = f"/people/{olga.id}/recovery"
    assert ada.post(place, why=f"{WHY}\u202e", otp=ada.member.code()).status_code == 422
    assert ada.post(place, why=f"{WHY}\r\nsecond line", otp=ada.member.code()).status_code == 303


def test_a_customers_limits_are_set_and_taken_away(
    application: Flask, house: House, admins: tuple[Member, Member]
) -> None:
    carl = Browser(application, house.appoint(admins, "carl@msp.example", Role.CUSTODIAN))
    customer = house.world.account().customer_id
    scope = Scope(ScopeKind.CUSTOMER, customer)
    olga = Browser(application, house.appoint(admins, "olga@msp.example", Role.OPERATOR, scope))
    place = f"/customers/{customer}"
    assert carl.post(place, name="Example Ltd", idle="x", longest="").status_code == 422
    assert carl.post(place, name="Example Ltd", idle="5", longest="60").status_code == 303
    assert 'value="5"' in carl.get(place).text
    house.world.clock.advance(seconds=299)
    assert olga.get("/").status_code == 200
    house.world.clock.advance(seconds=301)
    assert olga.get("/").status_code == 303
    assert carl.get("/").status_code == 200
    carl.post(place, name="Example Ltd", idle="", longest="")
    kept = house.vault.customers.get(house.world.people["carla"].actor, customer)
    assert (kept.session_idle_seconds, kept.session_max_seconds) == (None, None)
    assert olga.get(place).status_code in {303, 403}
