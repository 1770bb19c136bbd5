"""A move in a browser: asked for on a page, and what it changes is seen before anybody says a word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage
from tests.browser.test_every_page import check
from vault.domain.actor import Role
from vault.services.customers import CustomerFacts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def test_a_move_is_asked_for_and_what_it_changes_is_seen(stage: Stage) -> None:
    house = stage.house
    custodian = house.actor(stage.members[Role.CUSTODIAN])
    house.vault.customers.register(custodian, "900077", CustomerFacts(name="Newly Named plc"))
    north = house.vault.accounts.get(custodian, NUMBER).account.customer_id
    page = stage.sign_in(stage.visitor(), stage.members[Role.CUSTODIAN])
    page.goto(f"{stage.base_url}/cases/moves/new?customer={north}")
    check(page)
    page.get_by_label(NUMBER).check()
    page.get_by_role("textbox", name="Ticket").fill("T-2002")
    page.get_by_label("DDI number").fill("900077")
    page.get_by_label("On which day the customer asked").fill("2026-11-20")
    page.get_by_label("Who asked").fill("Sam Signs")
    page.get_by_label("The day of the move").fill("2026-12-15")
    page.get_by_role("button", name="Open").click()
    page.get_by_role("heading", name="Move").first.wait_for()
    check(page)
    page.get_by_text("Newly Named plc (900077)").wait_for()
    page.locator(f"a[href='/accounts/{NUMBER}']").wait_for()
    page.get_by_role("link", name="Move the accounts").first.click()
    page.get_by_text("No longer see it").wait_for()
    page.get_by_text("Newly Named plc (900077)").wait_for()
    check(page)
