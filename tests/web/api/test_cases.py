"""Cases by REST and in the terminal, on the made-up kind: the board, words on steps, two people, AWS, the end."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.cases import Bench, bench_of
from tests.support.world import make_world
from tests.web.api.service import Service, service_of
from vault.cli import cases as commands
from vault.cli.exits import Failure
from vault.domain.actor import Role, Scope, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.web.api.service import Caller

A, B = "111122223333", "222233334444"
NOTE = {"note": "seen on the page of the bank"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[tuple[Service, Bench]]:
    """Serve a vault that knows the made-up kind, with two held accounts and four people."""
    world = make_world(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path)
    for number in (A, B):
        world.held(number)
    bench = bench_of(world)
    world.vault = replace(world.vault, cases=bench.rooms)
    service = service_of(world)
    for name, role in (("chris", Role.CSM), ("olga", Role.OPERATOR), ("ada", Role.APPROVER)):
        service.caller(name, role)
    yield service, bench
    world.vault.close()


def steps(caller: Caller, case_id: str, query: str = "") -> list[dict[str, Any]]:
    found = caller.get(f"/cases/{case_id}/steps{query}")
    assert found.status == 200, found.data
    return list(found.json["items"])


def test_from_the_board_to_the_end(stage: tuple[Service, Bench]) -> None:
    service, bench = stage
    chris, olga, ada = (service.callers[name] for name in ("chris", "olga", "ada"))
    case = bench.open(A)
    at = f"/cases/{case.id}"
    board = chris.get("/cases").json
    (row,) = board["items"]
    assert (row["id"], row["accounts"], row["done"], row["steps"]) == (case.id, 1, 2, 8)
    assert (row["oldest"]["step"], row["oldest"]["roles"]) == ("balance", ["csm"])
    assert row["mine"]["account_id"] == A
    assert board["counts"] == [{"kind": "move", "state": "open", "count": 1}]
    assert olga.get("/cases?turn=mine").json["items"] == []
    assert len(olga.get("/cases?turn=handover.prepare").json["items"]) == 1
    said = chris.did(f"{at}/steps/balance", {"account_id": A, "evidence": NOTE})
    assert (said["item"]["standing"], said["item"]["evidence"], said["preview"]) == ("done", NOTE, None)
    olga.did(f"{at}/steps/begin", {"account_id": A, "evidence": NOTE})
    refused = olga.call("POST", f"{at}/steps/remove", {"account_id": A, "run": {}})
    assert (refused.status, refused.code) == (409, "case.state")
    word = {"account_id": A, "evidence": NOTE, "otp": service.otp("olga")}
    asked = olga.did(f"{at}/steps/no_return", word)["item"]
    assert (asked["standing"], asked["roles"], asked["you_may"]) == ("asked", ["approver"], ["disagree"])
    late = {"account_id": A, "agree": {"at": "2026-01-01T00:00:00Z"}, "otp": service.otp("ada")}
    changed = ada.call("POST", f"{at}/steps/no_return", late)
    assert (changed.status, changed.code) == (409, "approval.changed")
    agreed = {"account_id": A, "agree": {"at": asked["at"]}, "otp": service.otp("ada")}
    assert ada.did(f"{at}/steps/no_return", agreed)["item"]["second_by"] == bench.world.people["ada"].actor.id
    bench.shed.things = {A: {"role", "topic"}}
    bench.shed.keeps = {"topic"}
    looked = olga.did(f"{at}/steps/remove", {"account_id": A, "dry_run": True})
    assert looked["preview"] == {"goes": ["role"], "stays": ["topic"], "words": ""}
    left = olga.call("POST", f"{at}/steps/remove", {"account_id": A, "run": {"code": "123456"}})
    assert (left.status, left.code) == (503, "case.unavailable")
    bench.shed.keeps = set()
    key = "one-and-the-same"
    run = {"account_id": A, "run": {"code": "123456"}}
    done = [olga.call("POST", f"{at}/steps/remove", run, key=key).json for _ in range(2)]
    assert done[0] == done[1]
    assert (done[0]["item"]["standing"], done[0]["item"]["by_vault"]) == ("done", True)
    no = chris.call("POST", f"{at}/cancel", {"why": "it was the wrong account"})
    assert (no.status, no.code) == (409, "case.state")
    waived = {"account_id": A, "waive": "they want none", "otp": service.otp("chris")}
    let = chris.did(f"{at}/steps/letter", waived)["item"]
    unseen = ada.call("POST", f"{at}/steps/letter", {"account_id": A, "agree": {}})
    assert (unseen.status, unseen.json["errors"][0]["pointer"]) == (422, "/agree/at")
    missing = ada.call("POST", f"{at}/steps/letter", {"account_id": A, "agree": {"at": let["at"]}})
    assert (missing.status, missing.json["errors"][0]["pointer"]) == (422, "/otp")
    ada.did(f"{at}/steps/letter", {"account_id": A, "agree": {"at": let["at"]}, "otp": service.otp("ada")})
    chris.did(f"{at}/steps/end", {"evidence": NOTE})
    assert chris.get("/cases").json["items"] == []
    (over,) = chris.get("/cases?open=false&customer_id=900001&kind=move").json["items"]
    assert (over["state"], over["done"], over["steps"], over["oldest"]) == ("done", 8, 8, None)


def test_steps_are_narrowed_and_paged(stage: tuple[Service, Bench]) -> None:
    service, bench = stage
    chris, olga = service.callers["chris"], service.callers["olga"]
    case = bench.open(A, B)
    assert [each["account_id"] for each in steps(chris, case.id, "?waits=mine")] == [A, B]
    assert steps(olga, case.id, "?waits=mine") == []
    assert {each["step"] for each in steps(chris, case.id, f"?account_id={A}")} > {"balance", "letter"}
    assert len(steps(chris, case.id, "?step=balance")) == 2
    first = chris.get(f"/cases/{case.id}/steps?limit=10").json
    rest = chris.get(f"/cases/{case.id}/steps?limit=10&cursor={first['next']}").json
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (10, 4, None)
    assert chris.get(f"/cases/{case.id}/steps?cursor=x").code == "cursor.invalid"
    blocked = next(each for each in steps(chris, case.id) if each["step"] == "remove")
    assert (blocked["standing"], blocked["missing"]) == ("blocked", ["From here nobody goes back"])
    assert [each["form"] for each in blocked["run_fields"]] == ["code"]


def test_exactly_one_thing_is_said(stage: tuple[Service, Bench]) -> None:
    service, bench = stage
    case = bench.open(A)
    for body in ({"account_id": A}, {"account_id": A, "evidence": NOTE, "dry_run": True}):
        answer = service.callers["chris"].call("POST", f"/cases/{case.id}/steps/balance", body)
        assert (answer.status, answer.code) == (422, "input.invalid")
    wrong = {"account_id": A, "evidence": {"note": "", "more": "x"}}
    answer = service.callers["chris"].call("POST", f"/cases/{case.id}/steps/balance", wrong)
    assert (answer.status, answer.code) == (422, "case.evidence")
    assert {each["pointer"] for each in answer.json["errors"]} == {"/evidence/note", "/evidence/more"}


def test_of_other_accounts_nothing_is_told(stage: tuple[Service, Bench]) -> None:
    service, bench = stage
    case = bench.open(A, B)
    bench.rooms.work.attest(bench.csm, case.id, "balance", B, {"note": "what B paid"})
    near = service.caller("nora", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, A))
    whole = near.get(f"/cases/{case.id}")
    assert (whole.json["accounts"], whole.json["unseen"]) == (1, 1)
    assert B not in whole.data.decode()
    assert B not in near.get(f"/cases/{case.id}/steps").data.decode()
    assert (near.get("/cases").json["items"][0]["accounts"]) == 1
    far = service.caller("fay", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, "999900001111"))
    assert far.get(f"/cases/{case.id}").status == 404
    assert far.get("/cases").json["items"] == []


def test_a_cancelled_case_is_told_as_it_ended(stage: tuple[Service, Bench]) -> None:
    service, bench = stage
    case = bench.open(A)
    why = {"why": "the customer stays with us"}
    told = service.callers["chris"].did(f"/cases/{case.id}/cancel", why)
    assert (told["state"], told["may_cancel"], told["places"][0]["state"]) == (
        "cancelled",
        False,
        "cancelled",
    )
    assert service.callers["olga"].call("POST", f"/cases/{case.id}/cancel", why).status == 403


def test_the_calendar_names_what_forbids_a_day(stage: tuple[Service, Bench]) -> None:
    service, _ = stage
    days = {each["day"]: each for each in service.callers["chris"].get("/cases/calendar").json["days"]}
    assert len(days) == 30
    assert days["2026-11-26"]["closed"]["why"] == "holiday"
    assert days["2026-11-26"]["holiday"] == "Thanksgiving Day"
    assert days["2026-11-20"]["member"]["why"] == "past"
    assert days["2026-11-24"]["member"] is None
    december = service.callers["chris"].get("/cases/calendar?from=2026-12-01&until=2026-12-16").json["days"]
    assert december[0]["member"] is None
    assert (december[0]["payer"]["rule"], december[0]["payer"]["waivable"]) == ("H5", False)
    assert december[-1]["payer"] is None
    wrong = service.callers["chris"].get("/cases/calendar?from=2026-12-16&until=2026-12-01")
    assert (wrong.status, wrong.code) == (422, "input.invalid")
    end = service.callers["chris"].get("/cases/calendar?from=9999-12-31")
    assert (end.status, [each["pointer"] for each in end.json["errors"]]) == (422, ["/from"])


class Connected:
    """The CLI's client, on a test's caller."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def get(self, path: str, **query: object) -> Any:
        """Read."""
        told = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        answer = self.caller.get(f"{path}?{told}")
        assert answer.status == 200, answer.data
        return answer.json

    def all(self, path: str, **query: object) -> Any:
        """Read a short list."""
        return self.get(path, **query)["items"]

    def post(self, path: str, body: object) -> Any:
        """Do."""
        answer = self.caller.post(path, body)
        if answer.status >= 400:
            raise Failure(answer.code, answer.json["detail"], exit_status=1)
        return answer.json


def test_the_terminal_says_the_same(
    stage: tuple[Service, Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, bench = stage
    case = bench.open(A, B).id
    monkeypatch.setattr("vault.cli.case_words.now", bench.world.clock.now)
    who = ["chris"]

    def with_code(api: Connected, path: str, body: dict[str, Any], *, wait: bool) -> Any:
        assert not wait
        return api.post(path, {**body, "otp": service.otp(who[0])})

    monkeypatch.setattr(commands, "post_with_factor", with_code)
    monkeypatch.setattr(commands, "connect", lambda: Connected(service.callers[who[0]]))

    def run(name: str, *words: str, ends: int = 0) -> str:
        who[0] = name
        came = CliRunner().invoke(commands.cases, words)
        assert came.exit_code == ends, (came.output, came.exception)
        return came.output

    assert "Nothing is owed" in run("chris")
    assert "you (csm)" in run("chris", "board", "--mine", "--kind", "move")
    assert run("olga", "board", "--mine").endswith("No case fits.\n")
    assert "Asked for    note" in run("chris", "step", case, "balance", "--account", A)
    own = tmp_path / "own.txt"
    own.write_text(f"{A} paid today\n\n{B}  paid today as well\n", encoding="utf-8")
    assert "Done for 2 accounts." in run("chris", "batch", case, "balance", "--each", str(own))
    said = {
        each["account_id"]: each["evidence"]
        for each in steps(service.callers["chris"], case, "?step=balance")
    }
    assert said == {A: {"note": "paid today"}, B: {"note": "paid today as well"}}
    own.write_text(f"{A}\n", encoding="utf-8")
    assert "has no value beside it" in run("olga", "batch", case, "begin", "--each", str(own), ends=2)
    again = run("chris", "batch", case, "balance", "--evidence", "note=paid today")
    assert again.endswith("Done for 0 accounts.\n")
    printed = run("olga", "step", case, "begin", "--account", A, "--evidence", "note=we begin", "--json")
    assert json.loads(printed[printed.index("{\n") :])["standing"] == "done"
    bench.shed.things = {A: {"role"}}
    asked = run("olga", "step", case, "no_return", "--account", A, "--evidence", "note=all looked at")
    assert "asked" in asked
    assert "done" in run("ada", "step", case, "no_return", "--account", A, "--agree")
    assert "Goes\n  role" in run("olga", "run", case, "remove", "--account", A, "--dry")
    bench.shed.stops = 0
    refused = run("olga", "batch", case, "remove", "--run", ends=1)
    assert "case.unavailable" in refused
    bench.shed.stops = None
    assert "done" in run("olga", "run", case, "remove", "--account", A, "--with", "code=123456")
    assert "remove" in run("olga", "steps", case, "--account", A)
    assert "A letter" in run("chris", case)
    run("chris", "step", case, "balance", "--account", A, "--agree", "--waive", "why not", ends=2)
    run("chris", "step", case, "balance", ends=2)
    assert "Thanksgiving Day" in run("chris", "calendar")
