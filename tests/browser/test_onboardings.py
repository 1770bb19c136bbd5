"""An onboarding in a real browser: opened with an account that nobody registered, its text, addresses and limits."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.stage import Stage
from tests.browser.test_every_page import check
from vault.domain.actor import Role
from vault.domain.root_email import AddressPattern

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PICTURES: Final = os.environ.get("ONBOARDING_PICTURES")
"""A directory in which each page is kept as a picture, wide and narrow, for who wants to look."""
LINE = "4444 5555 6666; Shop; standalone; SPAM; aws@customer.example; transferred"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def look(page: Page, name: str) -> None:
    """Check a page at every size, and keep pictures where they are wanted."""
    check(page)
    if PICTURES is None:
        return
    for width, dark in ((1280, False), (360, True)):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


def test_an_onboarding_is_opened_on_pages(stage: Stage) -> None:
    vault, visitor = stage.house.vault, stage.visitor(javascript=False)
    visitor.expected = ("422 (UNPROCESSABLE ENTITY)", "409 (CONFLICT)")
    page = stage.sign_in(visitor, stage.members[Role.CUSTODIAN])
    page.goto(f"{stage.base_url}/cases/onboarding/new")
    look(page, "onboarding-whose")
    page.get_by_label("Customer").select_option(index=1)
    page.get_by_role("button", name="Show its accounts").click()
    page.get_by_text("No addresses are made").wait_for()
    page.get_by_label("Accounts to register with it").fill(LINE.replace("standalone", "alone"))
    page.get_by_role("textbox", name="Ticket").fill("T-77")
    page.get_by_role("button", name="Open it").click()
    page.get_by_text("Line 1 is not: number; name; kind").first.wait_for()
    look(page, "onboarding-new")
    page.get_by_label("Accounts to register with it").fill(LINE)
    page.get_by_label("Legal name of the company").fill("Example Ltd")
    page.get_by_role("button", name="Open it").click()
    page.get_by_text("Name of the authorised signatory: write it.").first.wait_for()
    assert page.get_by_role("textbox", name="Ticket").input_value() == "T-77", "what was typed is kept"
    page.get_by_label("Legal address of the company").fill("1 Example Street\nExampletown")
    page.get_by_label("Name of the authorised signatory").fill("Sam Signs")
    page.get_by_label("E-mail address of the signatory").fill("sam@customer.example")
    page.get_by_label("The way in").select_option("standalone")
    page.get_by_role("button", name="Open it").click()
    page.get_by_role("link", name="Instructions", exact=True).click()
    page.get_by_text("Without an address: 1 account").wait_for()
    look(page, "onboarding-text-bare")
    pattern = AddressPattern("aws+{account}-{random}@roots.example")
    object.__setattr__(vault, "onboardings", replace(vault.onboardings, pattern=pattern))
    page.get_by_role("button", name="Make an address for each").click()
    page.get_by_text("new root e-mail aws+444455556666-").wait_for()
    look(page, "onboarding-text")
    page.get_by_role("link", name="Root addresses").click()
    page.get_by_label("Address or account").fill("@roots.example")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("cell", name="Kept for an account").wait_for()
    look(page, "root-emails")
    page.goto(f"{stage.base_url}/customers")
    page.locator("tbody td a").first.click()
    page.get_by_role("link", name="how many new ones it may have").click()
    page.get_by_label("New accounts that it may have").fill("four")
    page.get_by_role("textbox", name="Ticket").fill("T-9")
    page.get_by_role("button", name="Record the increase").click()
    page.get_by_text("Give a whole number.").first.wait_for()
    look(page, "account-limit")
    page.get_by_label("New accounts that it may have").fill("8")
    page.get_by_role("button", name="Record the increase").click()
    page.get_by_text("AWS raised the limit to 8 on ticket T-9").wait_for()
    assert visitor.close() == []
