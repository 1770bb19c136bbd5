"""The gates in front of every handler: who, how often, whether, from where; and what a browser may keep."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from tests.support.people import House, Member
from tests.web.conftest import BOOM, probe_routes, told
from vault.adapters.local_keys import InsecureLocalKeys
from vault.domain.actor import Role
from vault.domain.policy import Permission
from vault.errors import Refused
from vault.ports.keys import KeyHealth
from vault.services.tokens import new_text
from vault.web.app import create_app
from vault.web.guard import HEALTH, SIGNED_IN, declaration_of, is_public, needs
from vault.web.security import HEADERS, client_address

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def enter(client: FlaskClient, member: Member, **headers: str) -> int:
    """Sign a browser in by the form, as the page does."""
    form = {
        "email": member.email,
        "password": member.password,
        "otp": member.code(),
        "csrf_token": client.get("/form").text,
    }
    return client.post("/sign-in", data=form, headers=headers).status_code


def auth(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


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
    for rule in application.url_map.iter_rules():
        declaration = declaration_of(application, rule.endpoint)
        assert declaration is not None
        if is_public(declaration):
            continue
        for method in rule.methods or ():
            answer = client.open(_address(rule.rule), method=method)
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
    # the first of a closed list of words, 1 for everything else
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


# --- where it came from ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["1.2.3.4"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.2.3.4, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.2.3.4", "203.0.113.5, 10.0.0.2"], "203.0.113.5"),
        ("10.0.0.1", ["1.2.3.4, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("", ["203.0.113.5"], ""),
    ],
)
def test_the_address_is_that_of_the_last_one_whom_no_trusted_proxy_vouches_for(
    peer: str, forwarded: list[str], expected: str
) -> None:
    proxies = (ipaddress.ip_network("10.0.0.0/8"),)
    assert client_address(peer, forwarded, proxies) == expected


def test_without_trusted_proxies_a_forged_address_is_not_believed(
    probe: Flask, bearers: Mapping[Role, str]
) -> None:
    headers = {**auth(bearers[Role.AUDITOR]), "X-Forwarded-For": "6.6.6.6", "X-Request-Id": "forged"}
    answer = probe.test_client().get("/api/v1/who", headers=headers)
    assert told(answer)["ip"] == "127.0.0.1"
    assert told(answer)["request"] == answer.headers["X-Request-Id"] != "forged"


def test_a_foreign_host_name_is_refused(probe: Flask) -> None:
    client = probe.test_client()
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", ""):
        assert client.get("/healthz", headers={"Host": host}).status_code == 400
    assert client.get("/healthz", headers={"Host": "127.0.0.1:8400"}).status_code == 200


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/form", "/page", "/nowhere", "/api/v1/who", "/api/v1/boom"])
def test_every_answer_carries_the_headers_and_is_kept_by_nobody(probe: Flask, path: str) -> None:
    answer = probe.test_client().get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


def test_what_nobody_foresaw_says_nothing(
    probe: Flask, bearers: Mapping[Role, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = probe.test_client().get("/api/v1/boom", headers=auth(bearers[Role.ADMIN]))
    assert (answer.status_code, told(answer)["code"]) == (500, "internal")
    assert told(answer)["instance"].endswith(answer.headers["X-Request-Id"])
    shown = capsys.readouterr()
    assert BOOM not in answer.text + shown.out + shown.err
    assert "RuntimeError" in shown.out + shown.err


def test_people_are_sent_to_sign_in_and_back(probe: Flask) -> None:
    answer = probe.test_client().get("/page?tab=1", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=%2Fpage%3Ftab%3D1")


def test_problems_are_documents_for_programs_and_pages_for_people(probe: Flask) -> None:
    client = probe.test_client()
    document = client.get("/api/v1/nowhere", headers={"Accept": "text/html"})
    assert document.content_type == "application/problem+json"
    assert (document.status_code, told(document)["code"]) == (404, "not_found")
    page = client.get("/nowhere", headers={"Accept": "text/html"})
    assert page.content_type.startswith("text/html")
    assert page.status_code == 404


def test_the_access_log_holds_nothing_of_what_was_sent(
    probe: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    probe.test_client().get("/enrol/very-secret-link?code=123456")
    probe.test_client().get("/page?secret=very-secret-query")
    shown = capsys.readouterr()
    assert "very-secret" not in shown.out + shown.err
    assert "123456" not in shown.out + shown.err
    assert "/page" in shown.out + shown.err


def test_signing_in_is_limited_by_address_and_the_rest_is_not_hurt(house: House) -> None:
    client = create_app(house.vault, [probe_routes()]).test_client()
    token = client.get("/form").text
    form = {"email": "x@msp.example", "password": "wrong password 1", "otp": "000000", "csrf_token": token}
    answers = [client.post("/sign-in", data=form).status_code for _ in range(31)]
    assert answers[-1] == 429
    assert answers[:30].count(401) == 5
    late = client.post("/sign-in", data=form, headers={"Accept": "application/json"})
    assert int(late.headers["Retry-After"]) >= 1
    assert client.get("/form").status_code == 200


# --- health ---------------------------------------------------------------------------------------


class DarkKeys(InsecureLocalKeys):
    """A key that is down."""

    def __init__(self) -> None:
        """Need no file."""

    def check(self) -> tuple[KeyHealth, ...]:
        """Say so."""
        return (
            KeyHealth("key-1", ok=True, words="fine"),
            KeyHealth("key-2", ok=False, words="does not answer"),
        )


def test_health_tells_alive_ready_and_degraded_apart(house: House, probe: Flask) -> None:
    client = probe.test_client()
    assert client.get("/healthz").json == {"status": "alive"}
    ready = client.get("/readyz")
    assert (ready.status_code, told(ready)["status"]) == (200, "ready")
    dark = replace(house.vault, keys=DarkKeys())
    degraded = create_app(dark, []).test_client().get("/readyz")
    assert (degraded.status_code, told(degraded)["status"]) == (200, "degraded")
    assert told(degraded)["keys"] == {"ok": 1, "down": 1}
    assert "key-2" not in degraded.text


def test_numbers_are_for_this_machine_or_for_who_exports(probe: Flask, bearers: Mapping[Role, str]) -> None:
    client = probe.test_client()
    assert "rootvault_requests_total" in client.get("/metrics").text
    away = {"REMOTE_ADDR": "203.0.113.5"}
    assert client.get("/metrics", environ_overrides=away).status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
    for role, expected in ((Role.AUDITOR, 200), (Role.OPERATOR, 403)):
        answer = client.get("/metrics", environ_overrides=away, headers=auth(bearers[role]))
        assert answer.status_code == expected
