"""Cases in a browser: every page of a handover is in order; its days are taken in one go, also without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage
from tests.browser.test_every_page import check
from vault.domain.actor import Role
from vault.domain.case import CaseKind
from vault.domain.plans import handover as plan
from vault.services.case_opening import Opening

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.browser

MEMBER = "210987654321"
GIVEN = {
    ("", plan.SIGNATORY): {
        "name": "Sam Signatory",
        "email": "sam@customer.example",
        "channel": "+1 555 0100",
    },
    ("", plan.CONTRACT): {"end": "2026-12-31"},
    ("", plan.ORGANIZATION): {"goes": plan.LEAVES},
}
EMAILS = {
    (NUMBER, plan.NEW_EMAIL): {"email": "aws-p@customer.example"},
    (MEMBER, plan.NEW_EMAIL): {"email": "aws-m@customer.example"},
}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def opened(stage: Stage, given: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    """Open a handover of a payer with its member; give its address."""
    rooms, sam = stage.house.vault.cases, stage.house.actor(stage.members[Role.CSM])
    north = stage.house.vault.accounts.get(sam, NUMBER).account.customer_id
    case = rooms.opening.open(sam, Opening(CaseKind.HANDOVER, north, (NUMBER, MEMBER), "T-1001", given=given))
    return f"/cases/{case.id}"


def test_pages_of_a_case_are_in_order(stage: Stage) -> None:
    at = opened(stage, GIVEN | EMAILS)
    page = stage.sign_in(stage.visitor(), stage.members[Role.CSM])
    for path in (
        at,
        f"{at}?show=waits",
        f"{at}/steps/day?account={MEMBER}",
        f"{at}/steps/signatory",
        f"{at}/steps/go?account={NUMBER}",
        f"{at}/steps/day/all",
        f"{at}/steps/contacts/all",
        "/",
        "/cases/handovers",
        f"/accounts/{MEMBER}",
    ):
        answer = page.goto(stage.base_url + path)
        assert answer is not None
        assert answer.status == 200, path
        check(page)
    page.goto(stage.base_url + at)
    page.get_by_role("link", name="The customer's contact information").first.click()
    page.get_by_label("Full name").fill("Sam Signatory")
    visitor = stage.visitors[-1]
    visitor.expected = ("422 (UNPROCESSABLE",)
    page.get_by_role("button", name="Write it down").click()
    page.get_by_text("City: write it.").first.wait_for()
    assert page.get_by_label("Full name").input_value() == "Sam Signatory"
    check(page)


def test_a_step_is_said_of_all_in_one_go_and_without_javascript_by_the_button(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened(stage, GIVEN)
    monkeypatch.setattr("vault.web.ui.case_batch.SECONDS", 0.0)  # one account in each request
    page = stage.sign_in(stage.visitor(), stage.members[Role.CSM])
    page.goto(f"{stage.base_url}{at}/steps/{plan.NEW_EMAIL}/all")
    lines = page.get_by_role("region", name="Each account its own").get_by_role("textbox")
    lines.fill(f"{NUMBER} aws-p@customer.example\n{MEMBER}, no address")
    page.get_by_role("button", name="Write them down").click()
    page.get_by_role("heading", name="Passed by (1)").wait_for()
    page.get_by_role("heading", name="1 of 2 accounts done").wait_for()
    check(page)
    lines.fill(f"{MEMBER}\taws-m@customer.example")
    page.get_by_role("button", name="Write them down").click()
    page.get_by_role("heading", name="2 of 2 accounts done").wait_for()
    page.goto(f"{stage.base_url}{at}/steps/day/all")
    page.get_by_role("button", name="Take these days").click()
    page.get_by_role("heading", name="2 of 2 accounts done").wait_for()
    check(page)
    plain = stage.sign_in(stage.visitor(javascript=False), stage.members[Role.CSM])
    plain.goto(f"{stage.base_url}{at}/steps/{plan.SUCCESSORS}/all")
    plain.get_by_label("Who reads the new root mailbox").fill("Mia of IT")
    plain.get_by_label("Who answers the account's new phone number").fill("Pat of IT")
    plain.get_by_role("button", name="for 2 accounts").click()
    plain.get_by_role("heading", name="1 of 2 accounts done").wait_for()
    plain.get_by_role("button", name="Go on").click()
    plain.get_by_role("heading", name="2 of 2 accounts done").wait_for()
