"""The board of upkeep and the recovery score, as a person reads them and goes on from them; at every size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage
from tests.browser.test_every_page import check
from tests.browser.test_incidents import alarm
from vault.domain.actor import Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("PICTURES", "")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def picture(page: Page, name: str) -> None:
    """Keep a picture of a page where somebody asked for pictures."""
    for width, dark in ((1280, False), (360, True)) if PICTURES else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


def test_from_the_board_to_a_rotation(stage: Stage, tmp_path: Path) -> None:
    alarm(stage, tmp_path / "trail")
    page = stage.sign_in(stage.visitor(), stage.members[Role.OPERATOR])
    page.get_by_role("link", name="Upkeep").first.click()
    page.get_by_role("heading", name="Board").wait_for()
    page.get_by_text("An incident about this account is open").wait_for()
    check(page)
    picture(page, "board")
    page.get_by_role("navigation", name="Upkeep").get_by_role("link", name="Recovery score").click()
    page.get_by_role("heading", name="open to us after any single loss").wait_for()
    check(page)
    picture(page, "recovery")
    page.get_by_role("link", name="if the vault is lost").first.click()
    page.get_by_role("heading", name="open to us after any single loss").wait_for()
    page.goto(f"{stage.base_url}/accounts/{NUMBER}")
    check(page)
    picture(page, "account")
    page.goto(f"{stage.base_url}/upkeep?stage=due")
    page.get_by_role("link", name="Rotate").first.click()
    page.wait_for_url("**/ask?reason=CRED_ROTATE")
    check(page)


def test_the_board_needs_no_scripts(stage: Stage) -> None:
    page = stage.sign_in(stage.visitor(javascript=False), stage.members[Role.OPERATOR])
    page.goto(f"{stage.base_url}/upkeep")
    page.get_by_label("Health").select_option("due")
    page.get_by_role("button", name="Find").click()
    assert "health=due" in page.url
    page.get_by_role("link", name="Rotate").first.wait_for()
