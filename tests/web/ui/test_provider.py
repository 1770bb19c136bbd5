"""The way to an identity provider and back, over HTTP: cookies, forms, and where one is led."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.support.people import House, Member, came, move_in
from tests.support.provider import Trusting, join
from tests.support.world import make_world
from vault.domain.actor import Role
from vault.services.federation import Back
from vault.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

HTML = {"Accept": "text/html"}
CROSS_SITE = {**HTML, "Sec-Fetch-Site": "cross-site"}


class Web:
    """A served house with a provider, and one member who is linked there."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.provider = Trusting()
        join(house, self.provider, {Role.AUDITOR: frozenset({"auditors"})})
        self.admins = house.admins()
        self.uma = house.appoint(self.admins, "uma@msp.example", Role.AUDITOR)
        federation = house.vault.federation
        actor = house.actor(self.uma)
        begun = federation.begin_link(actor)
        state, code = self.provider.vouch("uma-1")
        federation.answer(begun.browser.expose(), Back(state, code), came())
        federation.link(actor, begun.browser.expose(), self.uma.code())
        self.application: Flask = create_app(house.vault)
        self.addresses = count(1)

    def visitor(self) -> Visitor:
        """Sit somebody at a fresh browser, at an address of its own: requests are counted by it."""
        client = self.application.test_client()
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{next(self.addresses)}"
        return Visitor(self, client)


class Visitor:
    """A browser that follows what pages say."""

    def __init__(self, web: Web, client: FlaskClient) -> None:
        self.web = web
        self.client = client

    def post(self, path: str, page: str, **fields: object) -> TestResponse:
        """Send a form with the token that its page gave."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(page, headers=HTML).text)
        assert found is not None
        return self.client.post(path, data={"csrf_token": found[1], **fields}, headers=HTML)

    def leave(self, **fields: object) -> str:
        """Press the button; give where the page leads."""
        return onward(self.post("/sign-in/provider", "/sign-in", **fields))

    def come_back(self, subject: str, *groups: str, **query: str) -> TestResponse:
        """Come back as whoever the provider vouches for."""
        state, code = self.web.provider.vouch(subject, *groups)
        place = "/sign-in/answer?" + urlencode({"state": state, "code": code, **query})
        return self.client.get(place, headers=CROSS_SITE)

    def sign_in(self, member: Member, subject: str, *groups: str, **fields: object) -> TestResponse:
        """Go the whole way."""
        self.leave(**fields)
        self.come_back(subject, *groups)
        return self.post("/sign-in/second", "/sign-in/second", otp=member.code())

    def enter(self, member: Member) -> None:
        """Sign in by password."""
        fields = {"email": member.email, "password": member.password, "otp": member.code()}
        assert self.post("/sign-in", "/sign-in", **fields).status_code == 303


def onward(response: TestResponse) -> str:
    """Give where a page leads by itself."""
    assert response.status_code == 200, response.text
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', response.text)
    assert found is not None
    assert f'href="{found[1]}"' in response.text  # and by hand
    return html.unescape(found[1])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    directory = tmp_path_factory.mktemp("provider")
    url = f"sqlite+pysqlite:///{directory / 'vault.db'}"
    house = move_in(make_world(url, directory, public_url="http://127.0.0.1:8400"))
    oidc = replace(house.vault.settings.oidc, name="Acme <b>ID</b>")
    house.vault = replace(house.vault, settings=replace(house.vault.settings, oidc=oidc))
    yield Web(house)
    house.vault.close()


@pytest.fixture
def web(shared: Web) -> Web:
    shared.house.world.clock.advance(minutes=20)
    return shared


def test_the_way_there_and_back_ends_where_one_wanted_to_go(web: Web) -> None:
    browser = web.visitor()
    assert browser.leave(next="/trail").startswith("https://id.example/authorize?state=")
    assert onward(browser.come_back("uma-1", "auditors")) == "/sign-in/second"
    signed = browser.post("/sign-in/second", "/sign-in/second", otp=web.uma.code())
    assert (signed.status_code, signed.location) == (303, "/trail")
    assert browser.client.get("/trail", headers=HTML).status_code == 200


def test_groups_that_are_missing_take_the_role_away_on_every_page(web: Web) -> None:
    browser = web.visitor()
    assert browser.sign_in(web.uma, "uma-1", "others").status_code == 303
    assert browser.client.get("/sessions", headers=HTML).status_code == 200
    assert browser.client.get("/outside", headers=HTML).status_code == 403
    with_group = web.visitor()
    with_group.sign_in(web.uma, "uma-1", "auditors")
    assert with_group.client.get("/outside", headers=HTML).status_code == 200


def test_the_cookie_of_the_visit_is_lax_short_and_gone_afterwards(web: Web) -> None:
    browser = web.visitor()
    response = browser.post("/sign-in/provider", "/sign-in")
    (cookie,) = [each for each in response.headers.getlist("Set-Cookie") if "-visit=" in each]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=600" in cookie
    browser.come_back("uma-1")
    signed = browser.post("/sign-in/second", "/sign-in/second", otp=web.uma.code())
    (gone,) = [each for each in signed.headers.getlist("Set-Cookie") if "-visit=" in each]
    assert "Max-Age=0" in gone


@pytest.mark.parametrize(
    "place",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "\t/x", "x"],
)
def test_no_place_elsewhere_is_where_one_ends(web: Web, place: str) -> None:
    signed = web.visitor().sign_in(web.uma, "uma-1", "auditors", next=place)
    assert (signed.status_code, signed.location) == (303, "/")


def test_nobody_is_sent_away_or_signed_in_by_another_site(web: Web) -> None:
    browser = web.visitor()
    for path in ("/sign-in/provider", "/sign-in/second", "/sign-in/second/passkey"):
        assert browser.client.post(path, data={"otp": "1"}, headers=HTML).status_code == 403
    browser.leave()
    browser.come_back("uma-1")
    crossing = browser.client.post("/sign-in/second", data={"otp": web.uma.code()}, headers=CROSS_SITE)
    assert crossing.status_code == 403


def test_an_answer_of_another_browser_signs_nobody_in(web: Web) -> None:
    """Login CSRF: whoever is led to our address with somebody else's state and code."""
    attacker, victim = web.visitor(), web.visitor()
    attacker.leave()
    state, code = web.provider.vouch("mallory")
    place = "/sign-in/answer?" + urlencode({"state": state, "code": code})
    came_back = victim.client.get(place, headers=CROSS_SITE)
    assert came_back.status_code == 401
    assert "refresh" not in came_back.text
    assert victim.client.get("/sign-in/second", headers=HTML).status_code == 401


def test_what_comes_back_twice_or_broken_is_one_answer(web: Web) -> None:
    browser = web.visitor()
    browser.leave()
    state, code = web.provider.vouch("uma-1")
    query = urlencode({"state": state, "code": code})
    assert browser.client.get(f"/sign-in/answer?{query}", headers=HTML).status_code == 200
    words = set()
    for place in (
        query,
        "",
        "state=x&code=y",
        f"state={state}",
        "error=access_denied",
        "state=" + "x" * 9_000,
    ):
        response = browser.client.get(f"/sign-in/answer?{place}", headers=HTML)
        assert response.status_code == 401
        words.add(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", response.text))
    assert len(words) == 1


def test_texts_of_the_provider_run_nowhere(web: Web) -> None:
    browser = web.visitor()
    page = browser.client.get("/sign-in", headers=HTML).text
    assert "Acme &lt;b&gt;ID&lt;/b&gt;" in page
    assert "Acme <b>" not in page
    browser.enter(web.admins[0])
    link = browser.post("/identities", "/identities")
    assert link.status_code == 200
    state, code = web.provider.vouch("<script>alert(1)</script>", label="<img src=x>\u202e")
    browser.client.get("/sign-in/answer?" + urlencode({"state": state, "code": code}), headers=HTML)
    shown = browser.client.get("/identities/confirm", headers=HTML)
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text
    assert "<img src=x>" not in shown.text


def test_a_person_links_and_unlinks_themself_by_the_pages(web: Web) -> None:
    bob = web.admins[1]
    browser = web.visitor()
    browser.enter(bob)
    onward(browser.post("/identities", "/identities"))
    assert onward(browser.come_back("bob-9")) == "/identities/confirm"
    assert "bob-9" in browser.client.get("/identities/confirm", headers=HTML).text
    wrong = browser.post("/identities/confirm", "/identities/confirm", otp=bob.wrong_code())
    assert wrong.status_code == 401
    linked = browser.post("/identities/confirm", "/identities/confirm", otp=bob.code())
    assert (linked.status_code, linked.location) == (303, "/identities")
    assert web.visitor().sign_in(bob, "bob-9").status_code == 303
    (identity,) = web.house.vault.federation.of(web.house.actor(bob), bob.id)
    gone = browser.post(f"/identities/{identity.id}/unlink", "/identities")
    assert gone.status_code == 303
    assert web.visitor().sign_in(bob, "bob-9").status_code == 401


def test_another_session_cannot_finish_a_link_that_was_begun(web: Web) -> None:
    browser = web.visitor()
    browser.enter(web.admins[0])
    browser.post("/identities", "/identities")
    browser.come_back("ada-3")
    browser.post("/sign-out", "/sessions")
    browser.enter(web.admins[1])  # the same browser, somebody else by now
    assert browser.client.get("/identities/confirm", headers=HTML).status_code == 401


def test_where_no_provider_is_named_nothing_of_one_is_shown(web: Web) -> None:
    vault = replace(web.house.vault, federation=replace(web.house.vault.federation, provider=None))
    browser = Visitor(web, create_app(vault).test_client())
    assert "provider" not in browser.client.get("/sign-in", headers=HTML).text
    assert browser.post("/sign-in/provider", "/sign-in").status_code == 404


def test_an_administrator_sees_whose_identity_is_linked_and_unlinks_it(web: Web) -> None:
    browser = web.visitor()
    browser.enter(web.admins[0])
    place = f"/people/{web.uma.id}"
    assert "uma-1" in browser.client.get(place, headers=HTML).text
    (identity,) = web.house.vault.federation.of(web.house.actor(web.admins[0]), web.uma.id)
    gone = browser.post(f"/identities/{identity.id}/unlink", place)
    assert (gone.status_code, gone.location) == (303, place)
    assert "uma-1" not in browser.client.get(place, headers=HTML).text
    actor = web.house.actor(web.uma)
    begun = web.house.vault.federation.begin_link(actor)
    state, code = web.provider.vouch("uma-1")
    web.house.vault.federation.answer(begun.browser.expose(), Back(state, code), came())
    web.house.vault.federation.link(actor, begun.browser.expose(), web.uma.code())
