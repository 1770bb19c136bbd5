"""Moves by REST and in the terminal: asked for once, prepared and carried out as any case."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.moves import DAY, NEW, ON_THE_DAY, WORD, MoveBench, bench_of
from vault.cli import moves as commands
from vault.domain.actor import Role

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service

A = "111122223333"
HERE = f"/accounts/{A}/moves"
ASKED = {"to": NEW, "day": DAY, "requested": "2026-11-23", "by": "Sam Signs", "ticket": "T-2002"}


@pytest.fixture
def bench(quick: Service) -> MoveBench:
    """Hold an account of a first customer, and know a second one."""
    made = bench_of(quick.world)
    quick.world.held(A)
    for name, role in (
        ("carla", Role.CUSTODIAN),
        ("anna", Role.ADMIN),
        ("sam", Role.CSM),
        ("olga", Role.OPERATOR),
    ):
        quick.caller(name, role)
    return made


def test_from_the_request_to_the_other_customer(quick: Service, bench: MoveBench) -> None:
    carla, anna, olga = (quick.callers[name] for name in ("carla", "anna", "olga"))
    assert olga.post(HERE, ASKED).code == "policy.denied"
    early = carla.post(HERE, {**ASKED, "day": "2026-12-01"})
    assert (early.status, early.code, early.json["rule"]) == (409, "case.rule", "D1")
    wrong = carla.post(HERE, {**ASKED, "day": "2026-02-30", "requested": "soon"})
    assert {each["pointer"] for each in wrong.json["errors"]} == {"/day", "/requested"}
    made, again = (carla.post(HERE, ASKED, key="order-7") for _ in range(2))
    assert (made.status, again.json["id"]) == (201, made.json["id"])
    assert made.headers["Location"].endswith(f"/cases/{made.json['id']}")
    steps = f"/cases/{made.json['id']}/steps"
    for step in ("consent", "acceptance"):
        carla.did(f"{steps}/{step}", {"evidence": WORD})
    (listed,) = carla.get(HERE).json["items"]
    assert (listed["from_ddi"], listed["to_ddi"], listed["day"]) == ("900001", NEW, DAY)
    assert listed["foreseen"] == {"loses": 0, "gains": 0, "by_account": 0, "checkouts": 0}
    quick.world.clock.at = ON_THE_DAY
    people = quick.world.people
    asked = carla.did(f"{steps}/move", {"evidence": {}, "otp": people["carla"].otp()})["item"]
    done = anna.did(f"{steps}/move", {"agree": {"at": asked["at"]}, "otp": people["anna"].otp()})
    assert done["item"]["standing"] == "done"
    assert olga.get(f"/accounts/{A}").json["customer_id"] == bench.new.id
    assert olga.get(HERE).json["items"][0]["foreseen"] is None


def test_the_same_in_the_terminal(quick: Service, bench: MoveBench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Api:
        """A terminal's connection that asks the served vault in this process."""

        def __init__(self, caller: Caller) -> None:
            self.caller = caller

        def get(self, path: str, **_: Any) -> Any:
            return self.caller.get(path).json

        def post(self, path: str, body: Any) -> Any:
            return self.caller.post(path, body).json

    monkeypatch.setattr(commands, "connect", lambda: Api(quick.callers["sam"]))

    def run(*words: str) -> str:
        done = CliRunner().invoke(commands.move, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def read(*words: str) -> Any:
        printed = run(*words, "--json")
        return json.loads(printed[printed.index("{\n") :])

    asked = (
        "--to",
        NEW,
        "--day",
        DAY,
        "--requested",
        "2026-11-23",
        "--by",
        "Sam",
        "--ticket",
        "T-2",
        "--cause",
        "7",
    )
    first, second = run("ask", A, *asked), read("ask", A, *asked)
    assert f"Move {second['id']} is open" in first
    assert "0 lose sight" in run("list", A)
    assert read("list", A)["items"][0]["id"] == second["id"]
    assert bench.account(A).customer_id == bench.old.id
