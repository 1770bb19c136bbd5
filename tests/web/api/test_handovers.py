"""Handovers by REST and in the terminal: asked for by a machine that asks twice, gates, days, words, the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.handovers import (
    CONTACT,
    END,
    MEMBERS_DAY,
    ONE,
    PAYER,
    PAYER_DAY,
    SIGNATORY,
    TWO,
    Handover,
    email_of,
)
from vault.cli import cases as steps
from vault.cli import handovers as commands
from vault.domain.actor import Role
from vault.domain.plans import handover as plan

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service

BODY = {
    "customer_id": "900001",
    "ticket": "T-1001",
    "order": "order-77",
    "signatory": SIGNATORY,
    "contract_end": END,
    "contact": CONTACT,
    "accounts": [
        {"account_id": number, "root_email": email_of(number), "mailbox": "Mia of IT", "phone": "Pat"}
        for number in (PAYER, ONE, TWO)
    ],
}


@pytest.fixture
def stage(quick: Service) -> tuple[Service, Handover, Caller]:
    """Hold a payer and two members, with people and a workflow's token."""
    handover = Handover(quick.world).three()
    for name, role in (("chris", Role.CSM), ("olga", Role.OPERATOR), ("ada", Role.APPROVER)):
        quick.caller(name, role)
    return quick, handover, quick.bearer(None, "handover.open", "case.read")


def test_a_machine_asks_twice_and_follows(stage: tuple[Service, Handover, Caller]) -> None:
    service, _, machine = stage
    first = machine.post("/handovers", BODY, key="k-1")
    assert (first.status, first.json["state"]) == (201, "prepared")
    again = machine.post("/handovers", BODY, key="k-1")
    assert (again.status, again.json, again.headers["Idempotency-Replayed"]) == (201, first.json, "true")
    other = machine.post("/handovers", BODY, key="k-2")
    assert (other.status, other.json["id"]) == (201, first.json["id"])
    at = f"/handovers/{first.json['id']}"
    assert machine.get(at).json["signatory"]["name"] == SIGNATORY["name"]
    assert [each["root_email"] for each in machine.get(at).json["known"]] == [
        email_of(number) for number in (ONE, TWO, PAYER)
    ]
    gates = machine.get(f"{at}/gates").json
    assert not gates["met"]
    assert {each["rule"] for each in gates["items"] if each["state"] == "open"} == {"H2", "H5", "H6"}
    assert [each["at"] for each in machine.get(f"{at}/days").json["items"]] == ["2026-12-31T14:00:00Z"] * 3
    assert [each["id"] for each in machine.get("/handovers?state=prepared").json["items"]] == [
        first.json["id"]
    ]
    before = service.size()
    for path, body in (
        (f"{at}/accounts/{ONE}/schedule", {"at": "2026-12-15T15:00:00Z"}),
        (f"{at}/steps/balance", {"evidence": {"note": "paid, I guess"}}),
        (f"{at}/cancel", {"why": "the customer stays with us"}),
        (at, {"contract_end": "2027-01-31"}),
        (f"{at}/accounts/{ONE}/release", {"otp": "000000"}),
    ):
        assert machine.post(path, body).code == "policy.denied"
    assert service.size() == before + 5, "each was refused on record"


def test_what_is_wrong_points_into_the_body(stage: tuple[Service, Handover, Caller]) -> None:
    service, _, machine = stage
    wrong = {
        **BODY,
        "contract_end": "2026-02-30",
        "signatory": {"name": "Sam", "email": "sam"},
        "accounts": [{"account_id": ONE, "root_email": "no address"}],
    }
    answer = machine.post("/handovers", wrong)
    assert (answer.status, answer.code) == (422, "case.evidence")
    pointers = {each["pointer"] for each in answer.json["errors"]}
    assert pointers == {"/contract_end", "/signatory/email", "/accounts/0/root_email"}
    assert machine.post("/handovers", {**BODY, "customer_id": "900009"}).status == 404
    ours = {**BODY, "order": "", "accounts": [{"account_id": ONE, "root_email": "new@msp.example"}]}
    assert machine.post("/handovers", ours).json["errors"][0]["pointer"] == "/accounts/0/root_email"
    strange = [{"account_id": number} for number in (ONE, "999999999999", "888888888888")]
    refused = machine.post("/handovers", {**BODY, "order": "", "accounts": strange})
    pointers = {each["pointer"] for each in refused.json["errors"]}
    assert (refused.code, pointers) == (
        "case.account",
        {"/accounts/1/account_id", "/accounts/2/account_id"},
    )
    opened = service.callers["chris"].did("/handovers", {**BODY, "signatory": None}, status=201)
    told = service.callers["chris"].post(
        f"/handovers/{opened['id']}", {"signatory": {"name": "Sam", "email": "x"}}
    )
    assert [each["pointer"] for each in told.json["errors"]] == ["/signatory/email"]
    both = {
        "contract_end": "2026-02-30",
        "signatory": {"name": "Sam", "email": "sam@customer.example"},
        "accounts": [{"account_id": "999999999999", "mailbox": "Mia", "phone": "Pat"}],
    }
    told = service.callers["chris"].post(f"/handovers/{opened['id']}", both)
    pointers = {each["pointer"] for each in told.json["errors"]}
    assert (told.code, pointers) == ("case.evidence", {"/contract_end", "/accounts/0/account_id"})
    assert machine.get(f"/handovers/{opened['id']}").json["signatory"] is None, "nothing was said of it"


def test_what_a_case_does_not_ask_for_is_left_out_of_what_is_told(
    stage: tuple[Service, Handover, Caller],
) -> None:
    service, _, machine = stage
    alone = {**BODY, "organization": "keep", "accounts": [{"account_id": ONE}]}
    opened = machine.did("/handovers", alone, status=201)
    told = service.callers["chris"].did(f"/handovers/{opened['id']}", {"organization": "keep"})
    assert (opened["organization"], told["organization"]) == (None, None)


def test_a_payer_that_is_not_the_handovers_is_named_and_never_dropped_unsaid(
    stage: tuple[Service, Handover, Caller],
) -> None:
    service, _, machine = stage
    chris = service.callers["chris"]
    wrong = [{"account_id": ONE, "payer": "9" * 12}, {"account_id": TWO, "payer": TWO}]
    refused = machine.post("/handovers", {**BODY, "accounts": [*wrong, {"account_id": PAYER, "payer": ONE}]})
    pointers = [each["pointer"] for each in refused.json["errors"]]
    assert (refused.code, pointers) == ("case.evidence", [f"/accounts/{each}/payer" for each in range(3)])
    assert refused.json["errors"][0]["detail"] == f"H7: the payers of this case are {PAYER}."
    at = f"/handovers/{machine.did('/handovers', BODY, status=201)['id']}"
    told = chris.post(at, {"accounts": wrong, "organization": "keep"})
    pointers = [each["pointer"] for each in told.json["errors"]]
    assert (told.code, pointers) == ("case.evidence", ["/accounts/0/payer", "/accounts/1/payer"])
    chris.did(at, {"accounts": [{"account_id": ONE, "payer": PAYER}]})  # it is so: nothing else was possible


def test_a_day_is_chosen_by_its_rules_and_an_account_goes_its_way(
    stage: tuple[Service, Handover, Caller],
) -> None:
    service, handover, _ = stage
    chris, olga, ada = (service.callers[name] for name in ("chris", "olga", "ada"))
    body = {**BODY, "accounts": BODY["accounts"][1:2]}  # type: ignore[index]  # a list
    case = chris.did("/handovers", body, status=201)["id"]
    at = f"/handovers/{case}/accounts/{ONE}"
    holiday = chris.post(f"{at}/schedule", {"at": "2026-11-26T15:00:00Z"})
    assert (holiday.status, holiday.code, holiday.json["rule"]) == (409, "case.rule", "H2")
    assert holiday.json["next"] == "2026-12-31T14:00Z"
    unread = chris.post(f"{at}/schedule", {"at": "tomorrow"})
    assert [each["pointer"] for each in unread.json["errors"]] == ["/at"]
    planned = chris.post(f"{at}/schedule", {"at": MEMBERS_DAY.isoformat()}, key="day-1")
    assert planned.json["item"]["standing"] == "done"
    assert chris.post(f"{at}/schedule", {"at": MEMBERS_DAY.isoformat()}, key="day-1").json == planned.json
    note = {"evidence": {"note": "seen in the console"}}
    olga.did(f"{at}/steps/billing_access", note)
    handover.until(MEMBERS_DAY)
    chris.did(f"/handovers/{case}/steps/balance", note)
    assert chris.get(f"/handovers/{case}/gates").json["met"]
    olga.did(f"{at}/steps/begin", {"evidence": {}})
    assert olga.post(f"{at}/steps/topics", {"dry_run": True}).code == "case.state"
    found = chris.get(f"/handovers/{case}").json
    assert (found["state"], found["places"][0]["custody"]) == ("in_progress", "in_transfer")
    with handover.world.vault.units.read() as unit:
        kept = unit.cases.get(case)
    assert kept is not None
    handover.go(kept, ONE)
    handover.give(kept, ONE)
    first = olga.did(f"{at}/release", {"otp": service.otp("olga")})
    assert first["item"]["standing"] == "asked"
    assert olga.post(f"{at}/release", {"otp": service.otp("olga")}).json["item"]["standing"] == "asked"
    assert ada.post(f"{at}/release", {"otp": "000000"}).json["errors"][0]["pointer"] == "/at"
    second = ada.did(f"{at}/release", {"otp": service.otp("ada"), "at": first["item"]["at"]})
    assert second["item"]["standing"] == "done"
    assert handover.custody(ONE) == "released"
    assert chris.post(f"/handovers/{case}/cancel", {"why": "the customer stays with us"}).code == "case.state"


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


def test_the_terminal_says_the_same(
    stage: tuple[Service, Handover, Caller], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    service, handover, _ = stage

    def run(who: str, *words: str, status: int = 0) -> str:
        for module in (commands, steps):
            monkeypatch.setattr(module, "connect", lambda: Connected(service.callers[who]))
        came = CliRunner().invoke(commands.handover, words, catch_exceptions=False)
        assert came.exit_code == status, came.output
        return came.output

    file = tmp_path / "handover.json"
    file.write_text(json.dumps({"contact": CONTACT, "contract_end": END}))
    accounts = [f"--account={number}={email_of(number)}" for number in (PAYER, ONE, TWO)]
    opened = run(
        "chris", "open", "--customer", "900001", "--ticket", "T-1", "--file", str(file), *accounts, "--json"
    )
    case = json.loads(opened[opened.index("{\n") :])["id"]
    assert "requested" in run("chris", "list")
    sam = ("--signatory", "Sam", "--signatory-email", "sam@customer.example")
    told = run(
        "chris", "tell", case, *sam, "--under", f"{ONE}={PAYER}"
    )  # of one payer alone: not asked, left out
    assert "Sam <sam@customer.example>" in told
    assert email_of(ONE) in told
    assert "H2" in run("chris", "gates", case, status=1)
    assert "2026-12-31" in run("chris", "days", case)
    run("chris", "schedule", case, ONE, "--at", MEMBERS_DAY.isoformat())
    assert "scheduled" in run("chris", "schedule", case, "--nearest")
    assert "done" in run(
        "olga", "confirm", case, plan.BILLING, "--account", ONE, "--evidence", "note=seen there"
    )
    assert MEMBERS_DAY.replace(day=31) > PAYER_DAY
    assert handover.custody(ONE) == "held"
    assert "cancelled" in run("chris", "cancel", case, "--why", "the customer stays with us")
    assert case in run("chris", "list", "--ended")


def test_a_dry_run_asks_for_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, object]] = []

    class Answering:
        def post(self, path: str, body: object) -> Any:
            sent.append((path, body))
            return {
                "item": {},
                "preview": {"goes": ["role Rackspace"], "stays": ["role Theirs"], "words": ""},
            }

    monkeypatch.setattr(steps, "connect", Answering)
    came = CliRunner().invoke(commands.handover, ["dry-run", "case-1", "roles", ONE], catch_exceptions=False)
    assert came.exit_code == 0, came.output
    assert "role Rackspace" in came.output.partition("Stays")[0]
    assert "role Theirs" in came.output.partition("Stays")[2]
    assert sent == [("/cases/case-1/steps/roles", {"account_id": ONE, "dry_run": True})]
