"""The gates in front of every handler: who, how often, whether, from where; and what a browser may keep."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Blueprint, Flask

from tests.support.people import House, Member
from tests.web.conftest import probe_routes, told
from tests.web.visits import auth, enter
from vault.domain.actor import Role
from vault.domain.policy import Permission
from vault.errors import Refused
from vault.services.tokens import new_text
from vault.web.app import create_app
from vault.web.guard import HEALTH, SIGNED_IN, declaration_of, is_public, needs

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


# --- declarations ---------------------------------------------------------------------------------


def test_a_route_that_declares_nothing_stops_the_program(house: House) -> None:
    routes = Blueprint("careless", __name__)
    routes.add_url_rule("/careless", "careless", lambda: "open to all")
    with pytest.raises(Refused) as caught:
        create_app(house.vault, [routes])
    assert "careless.careless" in caught.value.detail


def test_every_route_of_the_application_declares_what_it_needs(application: Flask) -> None:
    rules = list(application.url_map.iter_rules())
    assert len(rules) > 20
    for rule in rules:
        declaration = declaration_of(application, rule.endpoint)
        assert declaration is not None
        assert "OPTIONS" not in (rule.methods or ())
        assert ("HEAD" in (rule.methods or ())) == (declaration.need is HEALTH)


def test_the_gates_close_for_every_role_that_the_policy_does_not_name(
    house: House, application: Flask, bearers: Mapping[Role, str]
) -> None:
    client, closed = application.test_client(), 0
    for method, address, permission in _addresses(application):
        allowed = house.vault.policy.permissions[permission]
        for role, text in bearers.items():
            answer = client.open(address, method=method, headers={**auth(text), "Accept": "application/json"})
            if role in allowed:
                assert answer.status_code != 401, (role, method, address)
                continue
            assert (answer.status_code, told(answer)["code"]) == (403, "policy.denied"), (
                role,
                method,
                address,
            )
            closed += 1
    assert closed > 0
    assert len(house.events("access.denied")) == min(closed, 100)


def test_the_gates_close_for_who_is_not_signed_in(house: House, application: Flask) -> None:
    client = application.test_client()
    for number, rule in enumerate(application.url_map.iter_rules()):
        declaration = declaration_of(application, rule.endpoint)
        assert declaration is not None
        if is_public(declaration):
            continue
        somebody = {"REMOTE_ADDR": f"192.0.2.{number % 250 + 1}"}  # one address alone would come too often
        for method in rule.methods or ():
            answer = client.open(_address(rule.rule), method=method, environ_base=somebody)
            if rule.rule.startswith("/api/"):
                assert answer.status_code == 401
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            else:
                assert answer.status_code in {303, 401}, (rule.rule, method)
    assert house.events("access.denied") == []


def test_options_head_and_unknown_methods_run_no_handler(application: Flask, house: House) -> None:
    client = application.test_client()
    ran: list[str] = []
    for endpoint, view in list(application.view_functions.items()):
        if endpoint.endswith(".static"):
            continue
        application.view_functions[endpoint] = _noted(ran, endpoint, view)
    for rule in application.url_map.iter_rules():
        for method in ("OPTIONS", "HEAD", "TRACE", "PROPFIND", "NONSENSE"):
            answer = client.open(_address(rule.rule), method=method)
            if method == "HEAD" and "HEAD" in (rule.methods or ()):
                continue
            assert answer.status_code == 405, (rule.rule, method)
            assert set(answer.headers["Allow"].split(", ")) <= {*METHODS, "HEAD"}
    assert set(ran) == {"health.alive", "health.ready"}


def test_a_view_that_asks_for_options_does_not_get_them(house: House) -> None:
    routes = Blueprint("eager", __name__)
    routes.add_url_rule(
        "/eager", "eager", needs(SIGNED_IN)(lambda: "ran"), methods=["GET", "OPTIONS", "HEAD"]
    )
    client = create_app(house.vault, [routes]).test_client()
    for method in ("OPTIONS", "HEAD"):
        answer = client.open("/eager", method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def _noted(ran: list[str], endpoint: str, view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def noted(*args: object, **kwargs: object) -> Any:
        ran.append(endpoint)
        return view(*args, **kwargs)

    return noted


def _addresses(application: Flask) -> list[tuple[str, str, Permission]]:
    found: list[tuple[str, str, Permission]] = []
    for rule in application.url_map.iter_rules():
        declaration = declaration_of(application, rule.endpoint)
        if declaration is not None and isinstance(declaration.need, Permission):
            found.extend((method, _address(rule.rule), declaration.need) for method in rule.methods or ())
    return found


def _address(rule: str) -> str:
    # a UUID where only one fits, the first of a closed list of words, 1 for everything else
    rule = re.sub(r"<uuid:[^>]*>", str(UUID(int=1)), rule)
    return re.sub(r"<(?:any\('([^']+)'[^>]*)?[^>]*>", lambda found: found[1] or "1", rule)


# --- sessions and tokens --------------------------------------------------------------------------


def test_a_cookie_copied_before_the_logout_is_worth_nothing_after_it(
    probe: Flask, admins: tuple[Member, Member]
) -> None:
    client, thief = probe.test_client(), probe.test_client()
    assert enter(client, admins[0]) == 200
    cookie = client.get_cookie("rootvault")
    assert cookie is not None
    thief.set_cookie("rootvault", cookie.value)
    assert thief.get("/api/v1/who").status_code == 200
    assert client.post("/sign-out", data={"csrf_token": client.get("/form").text}).status_code == 200
    thief.set_cookie("rootvault", cookie.value)
    assert thief.get("/api/v1/who").status_code == 401
    assert client.get("/api/v1/who").status_code == 401


def test_the_cookie_is_shut_as_far_as_it_goes(probe: Flask, admins: tuple[Member, Member]) -> None:
    client = probe.test_client()
    enter(client, admins[0])
    for name in ("rootvault", "rootvault-device"):
        cookie = client.get_cookie(name)
        assert cookie is not None
        assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Strict", "/")
        assert cookie.domain in {"", "localhost"}


def test_signing_in_takes_no_session_that_someone_else_planted(
    probe: Flask, admins: tuple[Member, Member]
) -> None:
    client = probe.test_client()
    enter(client, admins[0])
    before, form = client.get_cookie("rootvault"), client.get("/form").text
    with client.session_transaction() as session:
        session["planted"] = "by someone else"
    enter(client, admins[1])
    with client.session_transaction() as session:
        assert set(session) == {"t"}
    after = client.get_cookie("rootvault")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert told(client.get("/api/v1/who"))["id"] == admins[1].id
    assert client.post("/sign-out", data={"csrf_token": form}).status_code == 403


def test_a_bearer_token_counts_alone(
    house: House, probe: Flask, admins: tuple[Member, Member], bearers: Mapping[Role, str]
) -> None:
    client = probe.test_client()
    enter(client, admins[1])
    answer = told(client.get("/api/v1/who", headers=auth(bearers[Role.ADMIN])))
    assert (answer["id"], answer["browser"]) == (admins[0].id, False)
    for header in ("Bearer nonsense", "Bearer ", "Basic YTpi", "bearer", ""):
        assert client.get("/api/v1/who", headers={"Authorization": header}).status_code == 401, header


def test_flask_logins_own_cookies_open_nothing(probe: Flask, admins: tuple[Member, Member]) -> None:
    client = probe.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = admins[0].id
        session["_fresh"] = True
    client.set_cookie("remember_token", f"{admins[0].id}|{'0' * 128}")
    client.set_cookie("rootvault-never-remembered", f"{admins[0].id}|{'0' * 128}")
    assert client.get("/api/v1/who").status_code == 401


def test_a_disabled_person_is_out_at_the_next_request(
    house: House, probe: Flask, admins: tuple[Member, Member]
) -> None:
    client = probe.test_client()
    enter(client, admins[1])
    assert client.get("/api/v1/who").status_code == 200
    house.vault.people.disable(house.actor(admins[0]), admins[1].id)
    assert client.get("/api/v1/who").status_code == 401


def test_refused_tokens_are_in_the_log_and_a_flood_of_them_as_a_count(house: House, probe: Flask) -> None:
    client = probe.test_client()
    for _ in range(45):
        wrong = new_text(person=True).expose()
        assert client.get("/api/v1/who", headers=auth(wrong)).status_code == 401
    assert len(house.events("access.denied")) == 10
    assert len(house.events("access.flood")) == 2


# --- forms and sites ------------------------------------------------------------------------------


def test_a_form_without_its_token_changes_nothing(
    house: House, probe: Flask, admins: tuple[Member, Member]
) -> None:
    client = probe.test_client()
    enter(client, admins[0])
    for data in ({}, {"csrf_token": ""}, {"csrf_token": "nonsense"}):
        answer = client.post("/sign-out", data=data)
        assert answer.status_code == 403
    assert client.get("/api/v1/who").status_code == 200
    assert client.post("/api/v1/echo", json={}).status_code == 403
    assert [each["detail"] for each in house.events("access.denied")] == [{"code": "origin.refused"}] * 4
    token = client.get("/form").text
    assert client.post("/api/v1/echo", json={}, headers={"X-CSRFToken": token}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_changes_nothing_even_with_a_good_form_token(
    probe: Flask, admins: tuple[Member, Member], headers: dict[str, str]
) -> None:
    client = probe.test_client()
    assert enter(client, admins[0], **headers) == 403
    enter(client, admins[0])
    token = client.get("/form").text
    assert client.post("/sign-out", data={"csrf_token": token}, headers=headers).status_code == 403
    assert client.get("/api/v1/who").status_code == 200


def test_a_program_with_a_bearer_token_needs_no_form(probe: Flask, bearers: Mapping[Role, str]) -> None:
    answer = probe.test_client().post("/api/v1/echo", json={"a": 1}, headers=auth(bearers[Role.AUDITOR]))
    assert (answer.status_code, answer.json) == (200, {"a": 1})


def test_by_tls_the_cookie_and_the_browser_insist_on_it(house: House, admins: tuple[Member, Member]) -> None:
    server = replace(house.vault.settings.server, public_url="https://vault.example.com")
    vault = replace(house.vault, settings=replace(house.vault.settings, server=server))
    client = create_app(vault, [probe_routes()]).test_client()
    there = "https://vault.example.com"
    form = {
        "email": admins[0].email,
        "password": admins[0].password,
        "otp": admins[0].code(),
        "csrf_token": client.get("/form", base_url=there).text,
    }
    answer = client.post("/sign-in", data=form, base_url=there)
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    cookies = answer.headers.getlist("Set-Cookie")
    assert sorted(cookie.partition("=")[0] for cookie in cookies) == [
        "__Host-rootvault",
        "__Host-rootvault-device",
    ]
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert client.get("/form", base_url="https://127.0.0.1").status_code == 400
