"""The customer's page as it is served: nothing before the code, once in one browser, no secret; and our page of it."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.support.handed import NUMBERS, SIGNED, Post, post_of, released
from tests.support.people import House, Member
from tests.web.ui.test_views import HTML, Browser
from tests.web.visits import auth
from vault.domain.actor import Role
from vault.web.app import create_app

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
WRONG = "22222222"


@dataclass
class Room:
    """A released handover of two accounts, its application, its letters, and a browser of who prepares it."""

    house: House
    app: Flask
    post: Post
    case_id: str
    csm: Browser

    def link(self) -> tuple[str, str]:
        """Have a link mailed; give its path and its code."""
        self.csm.member.clock.advance(seconds=31)
        answer = self.csm.post(
            f"/cases/{self.case_id}/end/link", page=f"/cases/{self.case_id}/end", otp=self.csm.member.code()
        )
        code = re.search(r"data-value[^>]*>([A-Z0-9]{4}) ([A-Z0-9]{4})<", answer.text)
        assert code is not None, answer.text
        return f"/handover/{self.post.token}", code[1] + code[2]


@pytest.fixture
def room(house: House, admins: tuple[Member, Member]) -> Room:
    csm = house.appoint(admins, "csm@msp.example", Role.CSM)
    post = post_of(house.world)
    case_id = released(house.world, *NUMBERS)
    house.vault = replace(house.vault, releases=house.world.vault.releases)
    app = create_app(house.vault)
    for limiter in app.extensions["limiter"]:
        limiter.enabled = False
    return Room(house, app, post, case_id, Browser(app, csm))


def send(client: FlaskClient, path: str, to: str = "", **fields: str) -> TestResponse:
    """Send a form of a page."""
    found = CSRF.search(client.get(path, headers=HTML).text)
    assert found is not None
    return client.post(f"{path}{to}", data={"csrf_token": found[1], **fields}, headers=HTML)


def test_a_link_alone_shows_nothing_and_no_link_is_known_from_another(room: Room) -> None:
    path, _ = room.link()
    client = room.app.test_client()
    pages = [client.get(each, headers=HTML) for each in (path, "/handover/" + "x" * 43, "/handover/x")]
    hidden = ("Example Ltd", *NUMBERS, "T-6000", SIGNED, "root@customer.example")
    texts = set()
    for each in pages:
        assert (each.status_code, each.headers["Cache-Control"]) == (200, "no-store")
        assert each.headers["Referrer-Policy"] == "no-referrer"
        assert not any(word in each.text for word in hidden)
        texts.add(re.sub(r'(action|value)="[^"]*"', "", each.text))
    assert len(texts) == 1
    for name in ("pack.html", "pack.zip"):
        assert client.get(f"{path}/{name}", headers=HTML).status_code == 303
    refused = [send(client, each, code=WRONG) for each in (path, "/handover/" + "x" * 43)]
    assert [each.status_code for each in refused] == [401, 401]
    said = [re.sub(r'(action|value)="[^"]*"|[0-9a-f-]{36}', "", each.text) for each in refused]
    assert said[0] == said[1]


def test_a_form_of_another_site_does_nothing(room: Room) -> None:
    path, code = room.link()
    client = room.app.test_client()
    assert client.post(path, data={"code": code}, headers=HTML).status_code == 403
    answer = client.post(path, data={"code": code}, headers={**HTML, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Your code" in client.get(path, headers=HTML).text


def test_the_customer_walks_through(room: Room) -> None:
    path, code = room.link()
    client = room.app.test_client()
    assert send(client, path, code="").status_code == 422
    assert send(client, path, code=f"{code[:4]} {code[4:].lower()}").headers["Location"] == path
    text = client.get(path, headers=HTML).text
    for word in (
        "Example Ltd",
        f"account {NUMBERS[0]}",
        "Enrol your own MFA device",
        "CloudHealth",
        "Our last bill",
    ):
        assert word in text
    assert 'type="password"' not in text
    assert "olga" not in text
    assert "Correct-Horse" not in text
    page = client.get(f"{path}/pack.html", headers=HTML)
    assert page.headers["Content-Disposition"].startswith("attachment")
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{path}/pack.zip", headers=HTML).data))
    assert "pack.json" in archive.namelist()
    assert client.get(f"{path}/pack.exe", headers=HTML).status_code == 422
    assert send(client, path, "/acknowledge", signed=SIGNED).status_code == 422  # without the tick
    assert send(client, path, "/acknowledge", signed=SIGNED, sure="y").status_code == 303
    assert "You confirmed it" in client.get(path, headers=HTML).text
    room.house.vault.releases.handed_over.once()
    assert "What we kept of your root credentials is destroyed." in client.get(path, headers=HTML).text
    assert "closed" in send(client, path, "/leave").text
    assert "Your code" in client.get(path, headers=HTML).text


def test_only_the_browser_that_opened_it_has_it(room: Room) -> None:
    path, code = room.link()
    client, other = room.app.test_client(), room.app.test_client()
    send(client, path, code=code)
    assert "Your code" in other.get(path, headers=HTML).text
    assert "used already" in send(other, path, code=code).text
    assert send(other, path, "/acknowledge", signed=SIGNED, sure="y").status_code == 401
    second = send(client, path, "/acknowledge", signed=SIGNED, sure="y")
    third = send(client, path, "/leave")  # the other tab of the same browser
    assert (second.status_code, third.status_code) == (303, 200)
    newer, _ = room.link()
    assert "Your code" in client.get(path, headers=HTML).text
    assert "Your code" in client.get(newer, headers=HTML).text


def test_our_page_shows_the_code_once_and_where_it_stands(room: Room) -> None:
    place = f"/cases/{room.case_id}/end"
    path, code = room.link()
    text = room.csm.get(place).text
    assert code[:4] + " " + code[4:] not in text
    assert path not in text
    assert "not opened yet" in text
    assert "not yet" in text
    send(room.app.test_client(), path, code=code)
    assert "opened" in room.csm.get(place).text
    assert room.csm.post(f"{place}/link", page=place, otp="000000").status_code == 401
    for kind in ("html", "json", "zip", "txt"):
        assert room.csm.get(f"{place}/pack.{kind}").status_code == 200
    assert room.csm.get(f"{place}/pack.exe").status_code == 422
    assert "End and evidence" in room.csm.get(f"/cases/{room.case_id}").text


def test_rest_speaks_of_the_end(room: Room) -> None:
    house, client = room.house, room.app.test_client()
    member = room.csm.member
    member.clock.advance(seconds=31)
    token = auth(house.vault.tokens.issue_own(house.actor(member), "own", member.code()).text.expose())
    base = f"/api/v1/handovers/{room.case_id}"
    end = client.get(f"{base}/end", headers=token).get_json()
    assert (end["state"], end["links"], end["destroyed"]) == ("released", [], [])
    room.csm.member.clock.advance(seconds=31)
    made = client.post(f"{base}/link", json={"otp": room.csm.member.code()}, headers=token)
    assert made.status_code == 200
    assert re.fullmatch(r"[0-9A-Z]{8}", made.get_json()["code"])
    assert made.get_json()["code"] not in client.get(f"{base}/end", headers=token).text
    letter = {"signed": SIGNED, "on": "2026-11-23", "where": "Comment 9"}
    assert client.post(f"{base}/acknowledge", json=letter, headers=token).get_json()["way"] == "letter"
    again = client.post(f"{base}/acknowledge", json=letter, headers=token)
    assert again.get_json()["state"] == "acknowledged"
    pack = client.get(f"{base}/evidence-pack", headers=token)
    assert pack.get_json()["format"] == "rootvault.handover/1"
    assert "APN" not in client.get(f"{base}/evidence-pack?format=apn", headers=token).text
    assert client.get(f"{base}/evidence-pack?format=zip", headers=token).mimetype == "application/zip"
