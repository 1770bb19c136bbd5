"""The pages of passkeys over HTTP: what they tell to whom, and what a form without a passkey meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.passkeys import authenticator
from tests.web.ui.test_views import HTML, NUMBER, Browser, operator

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.people import House

__all__ = ["operator"]


def enrolled(house: House, who: Browser) -> None:
    """Give the person of a browser a passkey, by the use case."""
    actor = house.actor(who.member)
    key = authenticator(house.vault, actor.id)
    ticket = house.vault.passkeys.to_enrol(actor).ticket
    house.vault.passkeys.add(actor, "laptop", ticket, key.make(ticket), who.member.code())


def test_the_sign_in_tells_nothing_about_anybody(application: Flask) -> None:
    told = application.test_client().get("/sign-in/challenge")
    assert told.status_code == 200
    assert sorted(told.json or {}) == ["credentials", "origin", "party", "ticket"]
    assert (told.json or {})["credentials"] == []
    assert told.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/passkeys", "/passkeys/challenge", "/passkeys/new", "/confirmations/x"])
def test_the_rest_is_for_who_is_signed_in(application: Flask, path: str) -> None:
    assert application.test_client().get(path).status_code in {401, 303}


def test_a_wrong_answer_at_the_sign_in_is_one_page_that_says_nothing(application: Flask) -> None:
    client = application.test_client()
    page = client.get("/sign-in", headers=HTML).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    for otp, status in (("passkey.AAAA", 401), ("123456", 401), ("", 422)):
        answer = client.post("/sign-in/passkey", data={"csrf_token": token, "otp": otp}, headers=HTML)
        assert answer.status_code == status
        assert answer.text.count("Use a passkey") == 1
    assert client.post("/sign-in/passkey", data={"otp": "passkey.AAAA"}, headers=HTML).status_code == 403


def test_where_a_passkey_is_enrolled_every_form_asks_for_it_and_takes_no_code(
    house: House, operator: Browser
) -> None:
    assert "Code from your device" in operator.get("/tokens").text
    enrolled(house, operator)
    page = operator.get("/tokens").text
    assert "Code from your device" not in page
    assert 'data-passkey="/passkeys/challenge"' in page
    assert "A passkey needs JavaScript" in page
    answer = operator.post("/tokens", page="/tokens", name="laptop", days="1", otp=operator.member.code())
    assert answer.status_code == 401
    assert "auth.passkey_required" in answer.text
    assert house.events("token.issued") == []


def test_a_program_is_told_where_its_person_confirms(
    application: Flask, house: House, operator: Browser
) -> None:
    member = operator.member
    token = house.vault.tokens.issue_own(house.actor(member), "cli", member.code()).text.expose()
    enrolled(house, operator)
    client = application.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    ask = {
        "account_id": NUMBER,
        "reason": "CRED_ROTATE",
        "ticket": "T-1001",
        "justification": "a task for this",
    }
    made = client.post("/api/v1/checkouts", json=ask, headers=headers)
    assert made.status_code == 201, made.text
    where = f"/api/v1/checkouts/{(made.json or {})['id']}/step-up"
    answer = client.post(where, json={"otp": "000000"}, headers=headers)
    body = answer.json or {}
    assert (answer.status_code, body["code"]) == (401, "auth.passkey_required")
    assert body["confirm_url"].endswith(f"/confirmations/{body['confirmation']}")
    waiting = client.get(f"/api/v1/confirmations/{body['confirmation']}", headers=headers).json or {}
    assert (waiting["state"], waiting["path"]) == ("waiting", where)
