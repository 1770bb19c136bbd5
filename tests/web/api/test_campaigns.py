"""Campaigns and the calendar by REST and in the terminal, from the proposal to the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from vault.cli import campaigns as commands
from vault.domain.actor import Role, Scope, ScopeKind

if TYPE_CHECKING:
    import click

    from tests.web.api.service import Caller, Service

NUMBERS = [f"{number}" * 12 for number in range(1, 5)]
WHY = "the yearly rotation of every account"


@pytest.fixture
def stage(quick: Service) -> Service:
    """Hold four accounts, with two operators and two people who raise budgets."""
    for number in NUMBERS:
        quick.world.held(number)
    for name, role in (
        ("olga", Role.OPERATOR),
        ("otto", Role.OPERATOR),
        ("ada", Role.APPROVER),
        ("amy", Role.ADMIN),
    ):
        quick.caller(name, role)
    return quick


def ids(stage: Service, *names: str) -> list[str]:
    """Give people's ids."""
    return [stage.world.people[name].actor.id for name in names]


def wish(stage: Service, **facts: Any) -> dict[str, Any]:
    """Want everything rotated that is due because it was taken in."""
    people = ids(stage, "olga", "otto")
    return {
        "name": "Spring",
        "why": WHY,
        "until": "2026-12-01T00:00:00Z",
        "accounts_per_hour": 20,
        "people": people,
        "filter": {"why": ["due_intake"], "customer_id": "900001"},
        "otp": stage.world.people["ada"].otp(),
        **facts,
    }


def begin(stage: Service, **facts: Any) -> str:
    """Begin a campaign as two people do; give its id."""
    ada, amy = stage.callers["ada"], stage.callers["amy"]
    made = ada.did("/campaigns", wish(stage, **facts), status=201)
    word = {"otp": stage.world.people["amy"].otp(), "content_hash": made["content_hash"]}
    amy.did(f"/proposals/{made['id']}/confirm", word)
    return str(made["subject"])


def test_from_the_proposal_to_the_end(stage: Service) -> None:
    ada, olga = stage.callers["ada"], stage.callers["olga"]
    assert ada.get("/campaigns/candidates?why=due_intake").json == {"count": 4, "accounts": NUMBERS}
    assert ada.get("/campaigns/candidates?customer_id=900002").json["count"] == 0
    names = [each["name"] for each in ada.get("/campaigns/people").json["items"]]
    assert names == ["olga", "otto"]
    campaign = begin(stage)
    (listed,) = olga.get("/campaigns").json["items"]
    assert (listed["id"], listed["accounts"], listed["left"], listed["state"]) == (campaign, 4, 4, "running")
    whole = olga.get(f"/campaigns/{campaign}").json
    assert [(each["person"]["name"], each["left"]) for each in whole["shares"]] == [("olga", 2), ("otto", 2)]
    mine = olga.get(f"/campaigns/{campaign}/accounts?person={ids(stage, 'olga')[0]}&stage=left").json["items"]
    assert len(mine) == 2
    olga.did(f"/campaigns/{campaign}/give-back", {"accounts": [mine[0]["account_id"]]})
    (free,) = olga.get(f"/campaigns/{campaign}/accounts?person=nobody").json["items"]
    assert free["account_id"] == mine[0]["account_id"]
    again = stage.callers["otto"].post(f"/campaigns/{campaign}/take", {"count": 9}, key="take-once")
    repeat = stage.callers["otto"].post(f"/campaigns/{campaign}/take", {"count": 9}, key="take-once")
    assert (again.status, repeat.json) == (200, again.json)
    assert olga.post(f"/campaigns/{campaign}/take", {"accounts": NUMBERS[:1]}).status in {200, 409}
    to = {"from_person": ids(stage, "otto")[0], "to_person": ids(stage, "olga")[0], "count": 1}
    moved = ada.did(f"/campaigns/{campaign}/assign", to)
    assert sum(each["left"] for each in moved["shares"]) == 4
    assert ada.post(f"/campaigns/{campaign}/assign", {**to, "to_person": "x"}).code == "campaign.person"
    ada.did(f"/proposals/{whole['proposal_id']}/end", {"why": "we are done with it"})
    assert olga.post(f"/campaigns/{campaign}/take", {}).code == "campaign.over"
    assert olga.get("/campaigns").json["items"] == []
    assert olga.get("/campaigns?state=any").json["items"][0]["state"] == "over"


def test_what_is_wrong_is_said_beside_its_field(stage: Service) -> None:
    wrong = wish(stage, accounts_per_hour=1, people=["x"], accounts=["999999999999"])
    answer = stage.callers["ada"].post("/campaigns", wrong)
    assert (answer.status, {each["pointer"] for each in answer.json["errors"]}) == (
        422,
        {"/accounts_per_hour", "/people", "/accounts"},
    )
    for path in ("?until=2026-11-20", "?from=2026-11-23&until=2027-03-30", "?from=nonsense"):
        assert stage.callers["olga"].get(f"/calendar{path}").status == 422
    for day in ("0001-01-01", "1999-12-31", "9000-01-01", "9999-12-31"):
        for path in (f"?from={day}", f"?from={day}&until={day}", f"?until={day}"):
            assert stage.callers["olga"].get(f"/calendar{path}").status == 422


def test_a_far_campaign_is_not_there(stage: Service) -> None:
    campaign = begin(stage, filter={}, accounts=NUMBERS[:1])
    fred = stage.caller("fred", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, NUMBERS[3]))
    path = f"/campaigns/{campaign}"
    assert {fred.get(each).status for each in (path, f"{path}/accounts")} == {404}
    assert fred.post(f"{path}/take", {}).code == "not_found"
    assert fred.get("/campaigns?state=any").json["items"] == []


class Connected:
    """The CLI's client, on a test's caller."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def get(self, path: str, **query: object) -> Any:
        """Read."""
        told = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        return self.caller.get(f"{path}?{told}").json

    def all(self, path: str, **query: object) -> Any:
        """Read a short list."""
        return self.get(path, **query)["items"]

    def post(self, path: str, body: object) -> Any:
        """Do."""
        answer = self.caller.post(path, body)
        assert answer.status in {200, 201}, answer.data
        return answer.json


def test_the_terminal_says_the_same(stage: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    world = stage.world
    monkeypatch.setattr(commands, "now", world.clock.now)

    def with_code(api: Connected, path: str, body: dict[str, Any], *, wait: bool) -> Any:
        assert not wait
        return api.post(path, {**body, "otp": world.people["ada"].otp()})

    monkeypatch.setattr(commands, "post_with_factor", with_code)

    def run(who: str, *words: str, command: click.Command = commands.campaign) -> str:
        monkeypatch.setattr(commands, "connect", lambda: Connected(stage.callers[who]))
        came = CliRunner().invoke(command, words, catch_exceptions=False)
        assert came.exit_code == 0, came.output
        return came.output

    assert "otto" in run("ada", "people")
    (olga,) = ids(stage, "olga")
    words = ("--name", "Spring", "--why", WHY, "--person", olga, "--pace", "20", "--because", "due_intake")
    printed = run("ada", "propose", *words, "--open", "--json")
    made = json.loads(printed[printed.index("{\n") :])
    amy = {"otp": world.people["amy"].otp(), "content_hash": made["content_hash"]}
    stage.callers["amy"].did(f"/proposals/{made['id']}/confirm", amy)
    campaign = made["subject"]
    assert campaign in run("olga", "list")
    assert "nobody  4" in run("olga", "show", campaign)
    assert "olga    2" in run("olga", "take", campaign, "--count", "2")
    assert run("olga", "accounts", campaign, "--mine").count("olga") == 2
    assert NUMBERS[2] in run("olga", "accounts", campaign, "--free")
    assert "nobody  3" in run("olga", "give-back", campaign, NUMBERS[0])
    assert "olga    2" in run("ada", "assign", campaign, NUMBERS[0], "--to", olga)
    told = run("olga", "--from", "2026-11-23", "--until", "2026-12-31", command=commands.calendar)
    assert "2026-12-07" in told
    assert "Spring" in told
    empty = run("olga", "--from", "2026-11-24", "--until", "2026-11-25", command=commands.calendar)
    assert empty.endswith("Nothing falls on these days.\n")
    assert "over" in run("amy", "end", campaign, "--why", "we are done with it")
