"""Findings, drift and looks by REST and on the terminal; and the numbers of them."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from tests.support.inspected import DENIED, WANTED, PaperInspector, inspected, listed
from tests.web.api.service import the_url
from vault.cli.findings import drift, findings, inspection
from vault.domain.account import Kind
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.inspection import Known

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service

NUMBER, PAYER = "111122223333", "999988887777"
SENTENCE = {"sentence": "the keys are deleted now"}


@pytest.fixture
def paper(quick: Service) -> PaperInspector:
    """Hold an account with root keys whose MFA cannot be seen, and a payer whose list cannot be read."""
    world = quick.world
    made = inspected(world.vault)
    world.held(NUMBER)
    world.account(PAYER, Kind.PAYER)
    made.other[NUMBER] = {"root_keys": Known(value=True), "root_mfa": DENIED}
    while world.vault.inspecting.once().accounts:
        pass
    return made


@pytest.mark.usefixtures("paper")
def test_a_finding_is_taken_and_ended(quick: Service) -> None:
    olga, uma = quick.caller("olga", Role.OPERATOR), quick.caller("uma", Role.AUDITOR)
    page = olga.did("/findings?state=open&rule=root_keys", method="GET")
    (item,) = page["items"]
    assert (item["weight"], item["account_id"], item["owner"], page["next"]) == (1, NUMBER, None, None)
    path = f"/findings/{item['id']}"
    shown = uma.did(path, method="GET")
    assert (shown["may_take"], shown["may_end"], shown["may_accept"]) == (False, False, False)
    assert uma.post(f"{path}/take", {}).status == 403
    assert olga.post(f"{path}/close", SENTENCE).code == "finding.state"
    taken = olga.post(f"{path}/take", {"to": "me"}, key="k-1")
    assert taken.json["owner"]["name"] == "olga"
    before = quick.size()
    assert olga.post(f"{path}/take", {"to": "me"}, key="k-1").headers["Idempotency-Replayed"] == "true"
    assert quick.size() == before
    assert [each["id"] for each in olga.did("/findings?owner=me", method="GET")["items"]] == [item["id"]]
    assert olga.post(f"{path}/accept", SENTENCE | {"days": 30}).code == "finding.state"
    assert olga.post(f"{path}/accept", SENTENCE | {"days": 400}).status == 422
    done = olga.did(f"{path}/close", SENTENCE)
    assert (done["state"], done["ending"]) == ("closed", SENTENCE["sentence"])
    assert olga.get("/findings?cursor=nonsense").code == "cursor.invalid"
    near: Caller = quick.caller("near", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, PAYER))
    assert near.get(path).status == 404


def test_what_was_seen_tells_what_is_unknown(quick: Service, paper: PaperInspector) -> None:
    olga = quick.caller("olga", Role.OPERATOR)
    told = olga.did(f"/accounts/{NUMBER}/inspection", method="GET")
    assert (told["last"]["root_keys"], told["last"]["root_mfa"]) == (True, None)
    assert told["unknown"] == [{"fact": "root_mfa", "reason": "denied", "code": "AccessDenied"}]
    assert told["last"]["missing"] == []
    assert (told["earlier"], told["asked"]) == ([], False)
    asked = olga.post(f"/accounts/{NUMBER}/inspection", {}, key="k-2")
    assert asked.json["asked"] is True
    again = olga.post(f"/accounts/{NUMBER}/inspection", {}, key="k-2")
    assert again.headers["Idempotency-Replayed"] == "true"
    paper.other[NUMBER] = {
        "policy": Known(None),
        "membership": DENIED,
        "contacts": DENIED,
        "report": DENIED,
        "defaults": dict.fromkeys(WANTED.names(), Known(value=False)),
    }
    quick.world.clock.advance(minutes=1)
    quick.world.vault.inspecting.once()
    told = olga.did(f"/accounts/{NUMBER}/inspection", method="GET")
    assert told["last"]["password_policy"]["there"] is False
    assert told["last"]["place"] is told["last"]["contacts"] is told["last"]["report_at"] is None
    assert told["last"]["missing"] == sorted(WANTED.names())
    assert len(told["earlier"]) == 1
    uma = quick.caller("uma", Role.AUDITOR)
    assert uma.post(f"/accounts/{NUMBER}/inspection", {}).status == 403


def test_drift_tells_which_lists_were_not_read(quick: Service, paper: PaperInspector) -> None:
    olga, world = quick.caller("olga", Role.OPERATOR), quick.world
    told = olga.did("/drift", method="GET")
    assert told["items"] == []
    assert [(each["payer_id"], each["count"], each["unknown"]) for each in told["rosters"]] == [
        (PAYER, None, "denied")
    ]
    with world.vault.units.read() as unit:
        payer, member = unit.accounts.get(PAYER), unit.accounts.get(NUMBER)
    assert payer is not None
    assert member is not None
    paper.lists[PAYER] = listed(payer, member, state="SUSPENDED")
    world.clock.advance(days=1)
    while world.vault.inspecting.once().accounts:
        pass
    told = olga.did("/drift?state=open", method="GET")
    assert {(each["account_id"], each["rule"]) for each in told["items"]} == {
        (PAYER, "state_differs"),
        (NUMBER, "state_differs"),
    }
    assert told["rosters"][0]["count"] == 2


@pytest.mark.usefixtures("paper")
def test_numbers_tell_what_is_open_and_how_old_looks_are(quick: Service) -> None:
    quick.world.clock.advance(hours=1)
    client = quick.app.test_client(use_cookies=False)
    told = client.get("/metrics", base_url=the_url(quick.app)).text
    assert 'rootvault_findings_open{rule="root_keys"} 1.0' in told
    assert 'rootvault_findings_open{rule="default"} 0.0' in told
    assert "rootvault_inspection_oldest_seconds 3600.0" in told
    assert "rootvault_inspections_missing 0.0" in told


class Terminal:
    """What the commands speak to: the service, as one of its callers."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def get(self, path: str, **query: Any) -> Any:
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        with redirect_stdout(StringIO()):  # where the service writes of each request
            return self.caller.did(f"{path}?{asked}" if asked else path, method="GET")

    def post(self, path: str, body: object) -> Any:
        with redirect_stdout(StringIO()):
            return self.caller.did(path, body)


@pytest.mark.usefixtures("paper")
def test_the_terminal_does_the_same(quick: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(quick.caller("olga", Role.OPERATOR))
    monkeypatch.setattr("vault.cli.findings.connect", lambda: terminal)

    def run(command: Any, *words: str) -> str:
        done = CliRunner().invoke(command, list(words))
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "root_keys" in run(findings)
    (found,) = json.loads(run(findings, "list", "--rule", "root_keys", "--account", NUMBER, "--json"))[
        "items"
    ]
    number = found["id"]
    assert "Delete them" in run(findings, "show", number)
    assert json.loads(run(findings, "show", number, "--json"))["id"] == number
    assert "owned by olga" in run(findings, "take", number)
    assert number[:8] in run(findings, "list", "--mine")
    assert "is closed" in run(findings, "close", number, "the keys are deleted")
    (place,) = json.loads(run(findings, "list", "--rule", "place", "--json"))["items"]
    assert json.loads(run(findings, "take", place["id"], "--json"))["owner"]["name"] == "olga"
    assert "is accepted" in run(findings, "accept", place["id"], "it moves next week", "--days", "9")
    assert "denied" in run(drift)
    assert json.loads(run(drift, "--all", "--json"))["rosters"]
    told = run(inspection, NUMBER)
    assert "unknown: root_mfa: denied (AccessDenied)" in told
    assert "asked for" in run(inspection, NUMBER, "--ask")
    assert json.loads(run(inspection, NUMBER, "--json"))["asked"] is True
    quick.world.account("555566667777")
    assert "not looked at yet" in run(inspection, "555566667777")
