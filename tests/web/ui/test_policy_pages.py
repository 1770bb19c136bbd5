"""The policy's pages: the matrix for everybody, versions for few, proposing, and why something is not open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.people import House, Member
from tests.support.policies import SHIPPED, changed
from tests.web.ui.test_views import HTML, NUMBER, Browser
from vault.domain.actor import Role
from vault.domain.policy import Permission

if TYPE_CHECKING:
    from flask import Flask

LESS = changed("accounts_per_hour = 10", "accounts_per_hour = 5")


@pytest.fixture
def operator(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    member = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    house.world.held(NUMBER)
    return Browser(application, member)


def test_anybody_signed_in_sees_who_may_do_what(operator: Browser) -> None:
    page = operator.get("/policy")
    assert page.status_code == 200
    for permission in Permission:
        assert f">{permission}<" in page.text
    assert "/policy/versions" not in page.text
    assert operator.get("/policy/versions").status_code == 403
    assert operator.get("/policy/propose").status_code == 403
    assert operator.client.get("/policy").headers["Cache-Control"] == "no-store"


def test_a_refusal_leads_to_its_explanation(operator: Browser) -> None:
    asked = {
        "reason": "IAM_RESTORE",
        "ticket": "T-1",
        "justification": "a task for this test",
        "minutes": "60",
    }
    refused = operator.post(f"/accounts/{NUMBER}/ask", page=f"/accounts/{NUMBER}/ask", **asked)
    found = re.search(r'href="(/policy/explain\?[^"]+)"[^>]*>Why, gate by gate', refused.text)
    assert found is not None
    told = operator.get(found[1].replace("&amp;", "&"))
    assert told.status_code == 200
    assert "approval.locked" in told.text
    assert "It is not open to you now" in told.text
    assert (
        "You can ask for this now" in operator.get(f"/policy/explain?account={NUMBER}&reason=BILL_ROOT").text
    )


@pytest.mark.parametrize(
    "query",
    ["account=1", f"account={NUMBER}", f"account={NUMBER}&reason=X&minutes=-1", "account=&reason=%22%3E"],
)
def test_what_is_not_well_asked_is_said_and_nothing_breaks(operator: Browser, query: str) -> None:
    assert operator.get(f"/policy/explain?{query}").status_code == 422


def test_what_is_out_of_sight_is_absent(operator: Browser) -> None:
    assert operator.get("/policy/explain?account=999999999999&reason=BILL_ROOT").status_code == 404


def test_an_administrator_compares_and_proposes(application: Flask, admins: tuple[Member, Member]) -> None:
    admin = Browser(application, admins[0])
    page = admin.get("/policy/propose")
    assert "accounts_per_hour = 10" in page.text
    sent = {"text": LESS.replace("\n", "\r\n"), "act": "compare"}
    compared = admin.post("/policy/propose", page="/policy/propose", **sent)
    assert compared.status_code == 200
    assert "takes away" in compared.text
    assert "limits.accounts_per_hour" in compared.text
    wrong = admin.post("/policy/propose", page="/policy/propose", text="version = 1\nx = 2\n", act="compare")
    assert wrong.status_code == 422
    assert "line 2" in wrong.text
    why = admin.post(
        "/policy/propose",
        page="/policy/propose",
        text=SHIPPED + "# <script>alert(1)</script>\n",
        why="because the work asks for it",
        otp=admins[0].code(),
        act="propose",
    )
    # the vault of these tests has one policy for ever: it says so, and the text comes back escaped
    assert why.status_code == 409
    assert "<script>alert" not in why.text


def test_pages_are_not_for_nobody(application: Flask) -> None:
    for path in ("/policy", "/policy/explain", "/policy/versions", "/policy/propose"):
        assert application.test_client().get(path, headers=HTML).status_code in {302, 303, 401}
