"""Findings from the list to their end, drift, and what was seen of an account: as a person goes, at every size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage
from tests.browser.test_every_page import check
from tests.support.inspected import DENIED, WANTED, inspected, listed
from vault.domain.account import Custodian, Kind, Model
from vault.domain.actor import Role
from vault.domain.inspection import Known
from vault.services.accounts import AccountFacts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser
PAYER, STRANGER = "999988887777", "777788889999"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def look(stage: Stage) -> None:
    """Let AWS be as it should not be, and look at every account."""
    house = stage.house
    paper, carla = inspected(house.vault), house.actor(stage.members[Role.CUSTODIAN])
    account = house.vault.accounts.get(carla, NUMBER).account
    facts = AccountFacts("Payer <b>", "payer@msp.example", Custodian.OURS, Custodian.OURS)
    payer = house.vault.accounts.register(carla, PAYER, account.customer_id, Model.SPAM, Kind.PAYER, facts)
    paper.other[NUMBER] = {
        "root_keys": Known(value=True),
        "root_mfa": DENIED,
        "defaults": {name: Known(value=not name.startswith("topic")) for name in WANTED.names()},
    }
    hostile = replace(account, id=STRANGER, name="<img src=x onerror=alert(1)>\u202egnp.exe")
    paper.lists[PAYER] = listed(payer, hostile)
    for _ in range(9):
        house.vault.inspecting.once()


def test_findings_from_the_list_to_their_end(stage: Stage) -> None:
    look(stage)
    visitor = stage.visitor()
    visitor.expected = ("422",)
    page = stage.sign_in(visitor, stage.members[Role.OPERATOR])
    page.goto(f"{stage.base_url}/upkeep/findings")
    check(page)
    page.get_by_role("link", name="Root has access keys").click()
    page.get_by_role("button", name="Take it").click()
    page.get_by_role("button", name="It is mended").wait_for()
    page.get_by_text("It weighs most").wait_for()
    check(page)
    page.get_by_label("What was done").fill("short")
    page.get_by_role("button", name="It is mended").click()
    page.get_by_role("alert").wait_for()
    check(page)
    page.get_by_label("What was done").fill("Deleted the two keys, ticket INC-8.")
    page.get_by_role("button", name="It is mended").click()
    page.get_by_role("heading", name="How it ended").wait_for()
    check(page)
    page.goto(f"{stage.base_url}/upkeep/findings?rule=default")
    page.get_by_role("link", name="Default missing").click()
    page.get_by_role("button", name="Take it").click()
    page.get_by_text("It may stay for a time").click()
    page.get_by_label("Why it may stay").fill("The customer reads these topics elsewhere.")
    check(page)
    page.get_by_label("For how many days").fill("400")
    page.get_by_role("button", name="Accept it").click()
    page.get_by_role("alert").wait_for()
    page.get_by_label("For how many days").fill("30")
    page.get_by_role("button", name="Accept it").click()
    page.get_by_role("heading", name="Why it may stay").wait_for()
    check(page)


def test_what_was_seen_of_an_account_and_of_lists(stage: Stage) -> None:
    look(stage)
    page = stage.sign_in(stage.visitor(), stage.members[Role.OPERATOR])
    page.goto(f"{stage.base_url}/accounts/{NUMBER}")
    page.get_by_role("heading", name="At AWS").wait_for()
    check(page)
    page.get_by_role("link", name="What is known").click()
    page.get_by_text("AWS refuses the role this question").wait_for()
    page.get_by_text("topic:rackspace-support@eu-west-1").wait_for()
    check(page)
    page.get_by_role("button", name="Look now").click()
    page.get_by_text("A look is asked for").wait_for()
    check(page)
    page.goto(f"{stage.base_url}/upkeep/drift")
    page.get_by_text(f"lists {STRANGER}").wait_for()
    assert page.locator("img").count() == 0
    check(page)
    page = stage.sign_in(stage.visitor(), stage.members[Role.AUDITOR])
    page.goto(f"{stage.base_url}/upkeep/findings")
    page.get_by_role("link", name="Root has access keys").click()
    assert page.get_by_role("button", name="Take it").count() == 0
    check(page)
