"""Closures by REST, in the terminal and on the account's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.services.test_closures import A, Bench, bench_of
from tests.web.ui.test_views import Browser
from vault.cli import closures as commands
from vault.domain.actor import Role

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.people import House, Member
    from tests.web.api.service import Service

HERE = f"/accounts/{A}/closure"
REOPENED = {"on": "2026-11-24", "where": "case 4711 with AWS Support"}


def closed(bench: Bench) -> None:
    """Close the account to its end."""
    bench.done()


def test_from_opening_to_reopened(quick: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    quick.world.held(A)
    bench = bench_of(quick.world)
    carla, sam = quick.caller("carla", Role.CUSTODIAN), quick.caller("sam", Role.CSM)
    made = carla.did(HERE, {"ticket": "T-9", "cause": "order-7"}, status=201)
    assert carla.did(HERE, {"ticket": "T-9", "cause": "order-7"}, status=201)["id"] == made["id"]
    assert (made["kind"], sam.get(HERE).json["case"]) == ("closure", made["id"])
    assert sam.post(HERE, {"ticket": "T-9"}).code == "policy.denied"
    assert carla.post(HERE, {"ticket": "T-9"}).code == "case.account"
    bench.world.vault.cases.work.cancel(bench.carla.actor, made["id"], "opened for a test alone")
    closed(bench)
    quick.world.clock.advance(days=1)
    shown = sam.get(HERE).json
    assert (shown["custody"], shown["closings"][0]["days_left"], shown["case"]) == ("closed", 89, None)
    told: list[Any] = []

    class Api:
        """Answers as the service did."""

        def get(self, path: str) -> object:
            assert path == HERE
            return shown

        def post(self, path: str, body: object) -> object:
            told.append((path, body))
            return made

    monkeypatch.setattr(commands, "connect", Api)
    assert "89" in CliRunner().invoke(commands.closure, ["show", A]).output
    asked = CliRunner().invoke(commands.closure, ["open", A, "--ticket", "T-9", "--with", "222233334444"])
    assert (asked.exit_code, told) == (0, [(HERE, {"ticket": "T-9", "accounts": ["222233334444"]})])
    unread = carla.post(f"{HERE}/reopen", {**REOPENED, "on": "soon", "otp": "000000"})
    assert [each["pointer"] for each in unread.json["errors"]] == ["/on"]
    sent = {**REOPENED, "otp": quick.world.people["carla"].otp()}
    again = carla.post(f"{HERE}/reopen", sent, key="once")
    assert (again.status, again.json["custody"]) == (200, "held")
    assert carla.post(f"{HERE}/reopen", sent, key="once").json == again.json
    late = carla.post(f"{HERE}/reopen", {**REOPENED, "otp": quick.world.people["carla"].otp()})
    assert (late.status, late.code) == (409, "custody.state")


def test_the_account_s_page_counts_down_and_takes_that_it_was_reopened(
    application: Flask, house: House, admins: tuple[Member, Member]
) -> None:
    # first the power: once an account is held, a new one waits for a day
    member = house.appoint(admins, "cora@msp.example", Role.CUSTODIAN)
    browser = Browser(application, member)
    house.world.held(A)
    bench = bench_of(house.world)
    closed(bench)
    page = browser.get(f"/accounts/{A}").text
    assert "90 days left to reopen it" in page
    where = f"/accounts/{A}/reopen"
    assert where in page
    assert browser.get(where).status_code == 200
    day = f"{house.world.clock.now():%Y-%m-%d}"
    assert browser.post(where, page=where, on=day, where="", otp=member.code()).status_code == 422
    sent = browser.post(where, page=where, on=day, where="case 4711 with AWS Support", otp=member.code())
    assert sent.status_code == 303
    assert "days left to reopen it" not in browser.get(f"/accounts/{A}").text
    assert "There is nothing to reopen" in browser.get(where).text
