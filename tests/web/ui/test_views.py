"""The pages over HTTP: what a GET never shows, what hostile forms meet, and where one is led."""

from __future__ import annotations

import html
import io
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.people import House, Member, came
from tests.support.repository import ROOT
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.domain.ids import new_id
from vault.domain.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

HTML = {"Accept": "text/html"}
NUMBER = "111122223333"
PASSWORD = "Correct-Horse-7-Battery"


class Browser:
    """A client that fills in forms as pages give them."""

    def __init__(self, application: Flask, member: Member) -> None:
        self.client: FlaskClient = application.test_client()
        self.member = member
        self.post(
            "/sign-in", page="/sign-in", email=member.email, password=member.password, otp=member.code()
        )

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=HTML)

    def post(self, path: str, *, page: str = "/", **fields: object) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert found is not None
        return self.client.post(path, data={"csrf_token": found[1], **fields}, headers=HTML)


@pytest.fixture
def operator(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    """Sit an operator at a browser, with one account in custody."""
    # first the power: once an account is held, a new one waits for a day
    member = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    house.world.held(NUMBER, PASSWORD)
    return Browser(application, member)


@pytest.fixture
def administrator(application: Flask, admins: tuple[Member, Member]) -> Browser:
    """Sit an administrator at a browser."""
    return Browser(application, admins[0])


def ask(browser: Browser) -> str:
    """Ask, step up, and give the checkout's address."""
    answer = browser.post(
        f"/accounts/{NUMBER}/ask",
        reason="CRED_ROTATE",
        ticket="CHG-1",
        justification="Rotate what was taken in.",
        minutes="30",
    )
    assert answer.status_code == 303
    address = answer.headers["Location"]
    assert browser.post(f"{address}/step-up", otp=browser.member.code()).status_code == 303
    return str(address)


def test_a_secret_is_in_the_answer_to_its_post_and_in_no_get(operator: Browser, house: House) -> None:
    address = ask(operator)
    shown = operator.post(f"{address}/password")
    assert shown.status_code == 200
    assert shown.headers["Cache-Control"] == "no-store"
    assert PASSWORD in re.sub(r"<[^>]+>", "", shown.text)
    planned = operator.post(f"{address}/rotations", part="password").headers["Location"]
    with house.vault.units.read() as unit:
        (rotation,) = unit.rotations.unsettled(NUMBER)
    new = re.sub(r"<[^>]+>", "", operator.post(f"/rotations/{rotation.id}/display").text)
    with house.vault.units.read() as unit:
        staged = unit.versions.get(NUMBER, PartKind.PASSWORD, 2)
        assert staged is not None
        secret = house.vault.rotations.sealer.open(unit.vault_id, staged).plaintext.expose()
    assert secret in new.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&#34;", '"')
    for path in ("/", address, planned, f"/accounts/{NUMBER}", f"/accounts/{NUMBER}/ask", "/trail"):
        text = re.sub(r"<[^>]+>", "", operator.get(path).text)
        assert PASSWORD not in text
        assert secret not in text


@pytest.mark.parametrize("step", ["password", "code", "check-in", "cancel", "step-up", "decide", "revoke"])
def test_an_address_of_an_answer_leads_back_when_it_is_asked_for(operator: Browser, step: str) -> None:
    address = f"/checkouts/{new_id()}"
    answer = operator.get(f"{address}/{step}")
    assert (answer.status_code, answer.headers["Location"]) == (303, address)


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/accounts?q=1", "/accounts?q=1"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\tevil", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_only_to_this_site(
    application: Flask, admins: tuple[Member, Member], wanted: str, led_to: str
) -> None:
    browser = Browser(application, admins[0])
    browser.post("/sign-out")
    answer = browser.post(
        "/sign-in",
        page="/sign-in",
        email=admins[0].email,
        password=admins[0].password,
        otp=admins[0].code(),
        next=wanted,
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, led_to)


def test_a_form_without_its_token_does_nothing(operator: Browser, house: House) -> None:
    before = len(house.events("checkout.requested"))
    fields = {"reason": "CRED_ROTATE", "ticket": "CHG-1", "justification": "Rotate it now.", "minutes": "30"}
    answer = operator.client.post(f"/accounts/{NUMBER}/ask", data=fields, headers=HTML)
    assert answer.status_code == 403
    assert "origin.refused" in answer.text
    assert len(house.events("checkout.requested")) == before


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"reason": "NOT_A_REASON", "ticket": "CHG-1", "justification": "Ten characters", "minutes": "30"},
        {"reason": "CRED_ROTATE", "ticket": "CHG-1", "justification": "Ten characters", "minutes": "many"},
        {"reason": "CRED_ROTATE", "ticket": "\u202eGHC", "justification": "x" * 5000, "minutes": "30"},
        {
            "reason": "<script>alert(1)</script>",
            "ticket": "'\"><b>",
            "justification": "\u0000",
            "minutes": "-1",
        },
    ],
)
def test_a_hostile_request_is_refused_and_runs_nothing(operator: Browser, fields: dict[str, str]) -> None:
    answer = operator.post(f"/accounts/{NUMBER}/ask", **fields)
    assert answer.status_code in {403, 422}
    assert "<script>alert" not in answer.text
    assert "<b>" not in answer.text
    assert "\u202e" not in re.sub(r'value="[^"]*"', "", answer.text)


def test_a_file_is_not_a_seed(operator: Browser) -> None:
    address = ask(operator)
    answer = operator.post(f"{address}/rotations", part="mfa", seed=(io.BytesIO(b"A" * 64), "seed.txt"))
    assert answer.status_code == 422
    assert "Paste the secret key that AWS shows." in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/trail/99999999999999999999999",
        "/trail?cursor=nonsense",
        "/trail?since=yesterday",
        "/accounts?cursor=nonsense",
        "/accounts?custody=nonsense&kind=%E2%80%AE",
        "/accounts/not-a-number",
        "/checkouts/..%2f..%2fetc",
        "/checkouts/00000000-0000-4000-8000-000000000000",
        "/rotations/x/display",
        "/customers?q=%25%27",
    ],
)
def test_no_address_makes_an_unforeseen_error(operator: Browser, path: str) -> None:
    answer = operator.get(path)
    assert answer.status_code < 500
    assert "Something unforeseen" not in answer.text


def test_an_unknown_version_is_not_opened(operator: Browser) -> None:
    address = ask(operator)
    for version, status in (("7", 404), ("-1", 200), ("9" * 30, 200), ("\u0661", 200)):
        assert operator.post(f"{address}/password", version=version).status_code == status


def test_a_garbled_role_gives_nobody_power(
    administrator: Browser, house: House, admins: tuple[Member, Member]
) -> None:
    person = house.appoint(admins, "petra@msp.example", Role.CSM)
    before = len(house.events("role.proposed"))
    answer = administrator.post(f"/people/{person.id}/grants", role="god", scope="all", target="")
    assert answer.status_code == 422
    assert len(house.events("role.proposed")) == before


def test_an_invitation_is_confirmed_by_the_other_administrator(
    application: Flask, house: House, admins: tuple[Member, Member], administrator: Browser
) -> None:
    made = administrator.post(
        "/people/invite", name="Nina Roth", email="nina@msp.example", role="operator", scope="all", target=""
    )
    assert made.status_code == 200
    found = re.search(r"/enrol/([A-Za-z0-9_-]{43})", made.text)
    assert found is not None
    assert house.vault.enrolment.begin(Secret(found[1]), came()).person.email == "nina@msp.example"
    with house.vault.units.read() as unit:
        person = unit.people.by_email("nina@msp.example")
        assert person is not None
        grant = unit.people.grants(person.id)[0]
    confirm = f"/people/{person.id}/grants/{grant.id}/confirm"
    bob = Browser(application, admins[1])
    assert bob.post(confirm, otp=admins[1].code()).status_code == 409
    house.take(Secret(found[1]))
    assert administrator.post(confirm, otp=admins[0].code()).status_code == 403
    assert bob.post(confirm, otp=admins[1].code()).status_code == 303
    with house.vault.units.read() as unit:
        assert unit.people.grants(person.id)[0].confirmed_by == admins[1].id


def test_an_entry_is_taken_along_and_checked_without_the_vault(
    operator: Browser, house: House, tmp_path: Path
) -> None:
    ask(operator)
    index = int(str(house.events("checkout.granted")[0]["seq"]))
    page = operator.get(f"/trail/{index}").text
    command = re.search(r"python -m audit receipt [^<]+", page)
    assert command is not None
    for kind, name in (("leaf", f"entry-{index}.json"), ("proof", f"entry-{index}.tlog-proof")):
        answer = operator.get(f"/trail/{index}/{kind}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        (tmp_path / name).write_bytes(answer.data)
    words = shlex.split(html.unescape(command[0]))
    checked = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    (tmp_path / f"entry-{index}.json").write_bytes(operator.get(f"/trail/{index - 1}/leaf").data)
    forged = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert forged.returncode != 0


def test_an_auditor_takes_a_copy_that_verifies(
    application: Flask, house: House, admins: tuple[Member, Member], tmp_path: Path
) -> None:
    auditor = Browser(application, house.appoint(admins, "uma@msp.example", Role.AUDITOR))
    answer = auditor.post("/trail/copy")
    assert answer.status_code == 200
    (tmp_path / "log.tar").write_bytes(answer.data)
    checked = subprocess.run(
        [sys.executable, "-m", "audit", "verify", "log.tar", "--key", house.vault.vkey],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert len(house.events("audit.exported")) == 1


def test_a_token_is_shown_once(operator: Browser, house: House) -> None:
    made = operator.post("/tokens", name="laptop", days="7", otp=operator.member.code())
    found = re.search(r"data-value[^>]*>([A-Za-z0-9_]+)<", made.text)
    assert found is not None
    assert house.vault.tokens.resolve(Secret(found[1])) is not None
    assert found[1] not in operator.get("/tokens").text
    assert "laptop" in operator.get("/tokens").text


def test_signing_out_everywhere_ends_this_session_too(operator: Browser) -> None:
    assert operator.get("/sessions").status_code == 200
    operator.post("/sessions/end")
    assert operator.get("/sessions").status_code == 303


def test_reading_an_account_is_not_an_entry_and_reading_the_log_is(operator: Browser, house: House) -> None:
    operator.get(f"/accounts/{NUMBER}")
    operator.get("/")
    assert house.events("audit.viewed") == []
    operator.get("/trail")
    assert len(house.events("audit.viewed")) == 1
