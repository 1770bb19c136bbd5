"""A campaign in real browsers: proposed, agreed to, taken and given back by the page, without JavaScript as well."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.stage import NUMBER, Stage
from tests.browser.test_every_page import check
from vault.domain.actor import Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PICTURES: Final = os.environ.get("CAMPAIGN_PICTURES")
"""A directory in which each page is kept as a picture, wide and narrow, for who wants to look."""


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


def propose(stage: Stage) -> Page:
    """Propose a campaign over what existed before us; give the proposal's page."""
    amir, visitor = stage.members[Role.APPROVER], stage.visitor()
    visitor.expected = ("422 (UNPROCESSABLE ENTITY)",)
    page = stage.sign_in(visitor, amir)
    page.goto(f"{stage.base_url}/upkeep/campaigns")
    page.get_by_text("None runs now.").wait_for()
    page.get_by_role("link", name="Propose a campaign").click()
    page.get_by_label("Because").select_option("due_intake")
    page.get_by_role("button", name="Find").click()
    assert "3 held accounts are found now" in page.inner_text("main")
    page.get_by_role("button", name="Propose").click()
    page.get_by_text("Choose at least one.").wait_for()
    look(page, "campaign-new")
    page.get_by_label("Name", exact=True).fill("Spring 2027")
    page.get_by_role("checkbox", name="Olga Persson").check()
    page.get_by_role("radio", name="Nobody's: each takes what is free").check()
    page.get_by_label("Why", exact=True).fill("everything that existed before us, this spring")
    page.get_by_label("Code from your device").fill(amir.code())
    page.get_by_role("button", name="Propose").click()
    page.get_by_role("heading", name="Campaign", exact=True).wait_for()
    look(page, "campaign-proposal")
    return page


def agree(stage: Stage, proposal: str) -> None:
    """Agree to it, in a browser without JavaScript."""
    admin = stage.admins[1]  # the first one made the link of who does it
    page = stage.sign_in(stage.visitor(javascript=False), admin)
    page.goto(proposal)
    assert "3 accounts that nobody has yet" in page.inner_text("main")
    page.get_by_label("Code from your device").fill(admin.code())
    page.get_by_role("button", name="Agree").click()
    page.get_by_role("link", name="how far it is").click()
    look(page, "campaign-agreed")


def do(stage: Stage) -> None:
    """Take accounts and give one back, in a browser without JavaScript."""
    visitor = stage.visitor(javascript=False)
    visitor.expected = ("422 (UNPROCESSABLE ENTITY)",)
    page = stage.sign_in(visitor, stage.members[Role.OPERATOR])
    page.goto(f"{stage.base_url}/upkeep/campaigns")
    look(page, "campaigns")
    page.get_by_role("link", name="Spring 2027").click()
    page.get_by_label("Take how many").fill("no number")
    page.get_by_role("button", name="Take them").click()
    page.get_by_text("Give a number from 1 on.").wait_for()
    page.get_by_label("Take how many").fill("1")
    page.get_by_role("button", name="Take them").click()
    page.get_by_role("button", name="Take it").last.click()
    assert page.get_by_role("button", name="Give back").count() == 2
    look(page, "campaign-mine")
    page.get_by_role("button", name="Give back").last.click()
    assert page.get_by_role("button", name="Take it").count() == 2
    page.get_by_role("link", name=f"Ask for a rotation of {NUMBER[:4]}").click()
    assert page.get_by_role("radio", name="Rotate the root password or MFA device").is_checked()
    page.goto(f"{stage.base_url}/upkeep")
    page.get_by_text("Campaign Spring 2027").first.wait_for()
    page.goto(f"{stage.base_url}/upkeep/calendar?weeks=13")
    page.get_by_text("Campaign ends").wait_for()
    look(page, "calendar")


def test_two_people_begin_one_and_a_third_does_it(stage: Stage) -> None:
    page = propose(stage)
    agree(stage, page.url)
    do(stage)
    page.goto(f"{stage.base_url}/upkeep/campaigns")
    page.get_by_role("link", name="Spring 2027").click()
    page.get_by_text("Hand accounts on").click()
    page.get_by_label("To", exact=True).select_option("Olga Persson")
    page.locator("#move-number").fill("5")
    look(page, "campaign-hand-on")
    page.get_by_role("button", name="Hand on").click()
    page.get_by_role("link", name="What was agreed to, and how to end it").click()
    page.get_by_label("Why").fill("we are done with all of it")
    page.get_by_role("button", name="End it").click()
    page.get_by_role("link", name="how far it is").click()
    assert "Over" in page.inner_text("main")
