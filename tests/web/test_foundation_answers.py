"""Answers, addresses, limits and health of the web foundation: what each tells, and to whom."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace

import pytest
from flask import Flask

from tests.support.people import House
from tests.web.conftest import BOOM, probe_routes, told
from tests.web.visits import auth
from vault.adapters.local_keys import InsecureLocalKeys
from vault.domain.actor import Role
from vault.ports.keys import KeyHealth
from vault.web.app import create_app
from vault.web.security import HEADERS, client_address

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


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


def test_a_foreign_host_name_is_refused_by_a_page_that_leads_nowhere(application: Flask) -> None:
    answer = application.test_client().get(
        "/sign-in", headers={"Host": "evil.example", "Accept": "text/html"}
    )
    assert answer.status_code == 400
    assert "href" not in answer.text


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
