"""Onboardings by REST and in the terminal: opened once, gone on with as any case; addresses and limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.onboardings import APPROVAL, CUSTODIANS, OPENING, SEEN, A, Reception, reception_of
from vault.cli import onboardings as commands
from vault.domain.actor import Role

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.api.service import Caller, Service


@pytest.fixture
def desk(quick: Service) -> Reception:
    """Know a customer, a pattern of addresses and people."""
    made = reception_of(quick.world)
    object.__setattr__(quick.world.vault.onboardings, "pattern", made.desk.pattern)
    object.__setattr__(quick.world.vault.cases.acts, "acts", made.acts.acts)
    for name, role in (("carla", Role.CUSTODIAN), ("anna", Role.AUDITOR), ("olga", Role.OPERATOR)):
        quick.caller(name, role)
    return made


def test_from_the_request_to_custody(quick: Service, desk: Reception) -> None:
    carla, olga, anna = (quick.callers[name] for name in ("carla", "olga", "anna"))
    assert olga.post("/onboardings", OPENING).code == "policy.denied"
    made, again = (carla.post("/onboardings", OPENING, key="order-7") for _ in range(2))
    assert (made.status, again.json["id"], made.json["kind"]) == (201, made.json["id"], "onboarding")
    here = f"/onboardings/{made.json['id']}"
    assert made.headers["Location"].endswith(here)
    text = olga.get(f"{here}/instructions").json
    assert text["ticket"] == "T-77"
    assert f"- {A} (theirs, standalone): new root e-mail aws+{A}-" in text["text"]
    steps = f"/cases/{made.json['id']}/steps"
    carla.did(f"{steps}/instructions", {"run": {}})
    assert [words for _, words in desk.tickets.notes.values()] == [text["text"]]
    for step in ("no_root_keys", "alone"):
        done = carla.did(f"{steps}/{step}", {"run": {}, "account_id": A})
        assert done["item"]["by_vault"]
    carla.did(f"{steps}/approval", {"evidence": APPROVAL})
    carla.did(f"{steps}/root_email", {"evidence": SEEN, "account_id": A})
    carla.did(f"{steps}/custodians", {"evidence": CUSTODIANS, "account_id": A})
    desk.take_over()
    for step in ("mfa", "defaults"):
        carla.did(f"{steps}/{step}", {"run": {}, "account_id": A})
    assert olga.get(here).json["state"] == "done"
    assert olga.get("/onboardings").json["items"] == []
    (listed,) = olga.get("/onboardings?open=any&account_id=" + A).json["items"]
    assert (listed["state"], listed["oldest"]) == ("done", None)
    uses = {(each["use"], each["lasts"]) for each in anna.get(f"/root-emails?account_id={A}").json["items"]}
    assert uses == {("borne", True), ("borne", False), ("reserved", False)}
    assert olga.get(f"/accounts/{A}").json["root_email"].startswith(f"aws+{A}-")


def test_a_request_that_was_stopped_goes_on_under_its_key(
    quick: Service, desk: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    carla, opening = quick.callers["carla"], type(quick.world.vault.cases.opening)
    with monkeypatch.context() as patched:
        patched.setattr(opening, "open", _stopped)
        assert carla.post("/onboardings", OPENING, key="order-7").status == 500
    assert carla.get(f"/accounts/{A}").status == 200, "it was registered before the stop"
    made = carla.post("/onboardings", OPENING, key="order-7")
    assert (made.status, made.json["places"][0]["account_id"]) == (201, A)


def _stopped(*_: object) -> None:
    raise RuntimeError("the process stops here")


def test_what_cannot_be_meant_is_named(quick: Service, desk: Reception) -> None:
    carla = quick.callers["carla"]
    mixed = {**OPENING, "information": {**OPENING["information"], "path": "payer"}}
    assert carla.post("/onboardings", mixed).code == "case.account"
    wrong = {**OPENING, "information": {**OPENING["information"], "signatory_email": "no"}}
    refused = carla.post("/onboardings", wrong)
    assert (refused.code, refused.json["errors"][0]["pointer"]) == (
        "case.evidence",
        "/information/signatory_email",
    )
    bare = {**OPENING, "accounts": [{"account_id": A}]}
    assert carla.post("/onboardings", bare).json["errors"][0]["pointer"] == "/accounts/0"
    elsewhere = {**OPENING, "customer_id": "999999"}
    assert carla.post("/onboardings", elsewhere).status == 404
    assert carla.get("/onboardings/00000000-0000-4000-8000-000000000012/instructions").status == 404
    assert carla.get("/onboardings?open=any").json["items"] == []


def test_limits_of_new_accounts(quick: Service, desk: Reception) -> None:
    carla, olga = quick.callers["carla"], quick.callers["olga"]
    path = "/customers/900001/account-limit"
    assert olga.get(path).json == {
        "customer_id": desk.customer_id, "new": 0, "most": 5, "ticket": None, "set_by": None, "set_at": None,
    }  # fmt: skip
    new = {
        "account_id": "444455556665", "name": "made", "customer_id": "900001", "model": "SPAM",
        "kind": "standalone", "root_email": "5@roots.example", "is_new": True,
    }  # fmt: skip
    for index in range(5):
        other = {**new, "account_id": f"44445555666{index}", "root_email": f"{index}@roots.example"}
        assert carla.post("/accounts", other).status == 201
    refused = carla.post("/accounts", new)
    assert (refused.status, refused.code, refused.json["most"]) == (409, "account.limit", 5)
    assert olga.post(path, {"most": 6, "ticket": "T-9"}).code == "policy.denied"
    assert carla.post(path, {"most": 4, "ticket": "T-9"}).status == 422
    raised, again = (carla.post(path, {"most": 6, "ticket": "T-9"}, key="raise-1") for _ in range(2))
    assert raised.json == again.json
    assert (raised.json["most"], raised.json["ticket"], raised.json["set_by"]["name"]) == (6, "T-9", "carla")
    assert carla.post("/accounts", new).json["is_new"]


# --- in the terminal


def run(caller: Caller, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """Run a command of the group as somebody."""
    monkeypatch.setattr(commands, "connect", lambda: _Api(caller))
    made = CliRunner().invoke(commands.onboarding, list(words), catch_exceptions=False)
    assert made.exit_code == 0, made.output
    return made.output


def read(caller: Caller, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    """Run a command of the group as somebody, and read what it prints as JSON behind the server's own lines."""
    said = run(caller, monkeypatch, *words, "--json")
    return json.loads(said[said.index("{\n") :])


class _Api:
    """The client's words, said in process."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def get(self, path: str, **query: object) -> Any:
        asked = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        return self.caller.get(f"{path}?{asked}" if asked else path).json

    def all(self, path: str, **query: object) -> Any:
        return self.get(path, **query)["items"]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.caller.post(path, body)
        assert answer.status in {200, 201}, answer.json
        return answer.json


def test_in_the_terminal(
    quick: Service, desk: Reception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    carla, table = quick.callers["carla"], tmp_path / "accounts.csv"
    table.write_text(
        f"account_id,name,model,kind,root_email,origin\n{A},theirs,SPAM,standalone,aws@customer.example,\n"
    )
    said = run(
        carla, monkeypatch, "open", "--customer", "900001", "--ticket", "T-77", "--accounts", str(table),
        "--company", "Example Ltd", "--company-address", "1 Example Street", "--signatory", "Sam Signs",
        "--signatory-email", "sam@customer.example", "--path", "standalone",
    )  # fmt: skip
    assert "is open, with 1 accounts" in said
    (case,) = read(carla, monkeypatch, "list")["items"]
    assert "The customer has the instructions (custodian)" in run(carla, monkeypatch, "list")
    assert "Dear Sam Signs," in run(carla, monkeypatch, "instructions", case["id"])
    assert "has an address" in run(carla, monkeypatch, "addresses", case["id"])
    assert "reserved" in run(carla, monkeypatch, "root-emails", "--text", "@roots.example")
    raised = run(carla, monkeypatch, "limit", "900001", "--most", "7", "--ticket", "T-9")
    assert "T-9" in raised
    assert read(carla, monkeypatch, "limit", "900001")["most"] == 7


def test_a_table_of_accounts_that_cannot_be_meant(tmp_path: Path) -> None:
    for text in ("account,name\n", "account_id,origin\n1,old\n", "account_id\n1,2\n"):
        table = tmp_path / "accounts.csv"
        table.write_text(text)
        words = ["open", "--customer", "1", "--ticket", "T-1", "--accounts", str(table)]
        assert CliRunner().invoke(commands.onboarding, words).exit_code == 2
    assert CliRunner().invoke(commands.onboarding, ["limit", "1", "--most", "7"]).exit_code == 2
