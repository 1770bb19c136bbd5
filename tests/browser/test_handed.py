"""The customer's walk in a real browser: link, code, what was done, their word; narrow, dark, without JavaScript."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.stage import Stage
from tests.browser.test_every_page import check
from tests.support.handed import SIGNED, Post, released
from tests.support.world import Human
from vault.domain.actor import Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PICTURES: Final = os.environ.get("PICTURES", "")
"""A directory in which each page is kept as a picture, wide and narrow, for who wants to look."""

ACCOUNTS = ("111122223333", "111122224444")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def look(page: Page, name: str) -> None:
    """Check a page at every size, and keep pictures where they are wanted."""
    check(page)
    for width, dark in ((1280, False), (360, True)) if PICTURES else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("javascript", [True, False], ids=["", "without javascript"])
def test_the_customer_walks_from_the_letter_to_their_word(stage: Stage, *, javascript: bool) -> None:
    world, post = stage.house.world, Post()
    object.__setattr__(stage.house.vault.releases.links, "mailer", post)
    roles = {"olga": Role.OPERATOR, "abel": Role.APPROVER, "cora": Role.CSM, "carla": Role.CUSTODIAN}
    for name, role in roles.items():
        member = stage.members[role]
        world.people[name] = Human(stage.house.actor(member), member.seed, world.clock, member.used)
    case_id = released(world, *ACCOUNTS)
    world.clock.advance(minutes=2)
    ours = stage.sign_in(stage.visitor(javascript=javascript), stage.members[Role.CSM])
    code = send(stage, ours, case_id, pictures=javascript)
    visitor = stage.visitor(javascript=javascript)
    visitor.expected = ("401", "422")
    page = visitor.open(f"/handover/{post.token}")
    walk(stage, page, code, pictures=javascript)
    ours.reload()
    ours.get_by_role("link", name="Certificate of account").first.wait_for()
    assert ours.get_by_role("link", name="Certificate of account").count() == len(ACCOUNTS)
    if javascript:
        look(ours, "handover-end-closed")


def send(stage: Stage, ours: Page, case_id: str, *, pictures: bool) -> str:
    """Have the link mailed, as one of us; give the code."""
    ours.goto(f"{stage.base_url}/cases/{case_id}")
    ours.get_by_role("link", name="End and evidence").click()
    if pictures:
        look(ours, "handover-end")
    stage.house.world.clock.advance(minutes=1)
    ours.get_by_label("Code").fill(stage.members[Role.CSM].code())
    ours.get_by_role("button", name="Mail a link and show its code").click()
    code = ours.locator("[data-value]").inner_text()
    if pictures:
        look(ours, "handover-link")
    ours.get_by_role("link", name="To the end of the handover").click()
    ours.get_by_text("not opened yet").wait_for()
    return code


def walk(stage: Stage, page: Page, code: str, *, pictures: bool) -> None:
    """Open the page, read, confirm and close it, as the signatory."""
    if pictures:
        look(page, "handed-code")
    page.get_by_label("Code").fill("2222 2222")
    page.get_by_role("button", name="Open the page").click()
    page.get_by_text("do not open anything together").first.wait_for()
    page.get_by_label("Code").press_sequentially(code.lower())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Your AWS accounts are yours").wait_for()
    if pictures:
        look(page, "handed")
    with page.expect_download() as taken:
        page.get_by_role("link", name="To read and print").click()
    assert "Handover of 2 AWS accounts" in Path(taken.value.path()).read_text("utf-8")
    page.get_by_label("Your name").fill(SIGNED)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Tick this to confirm.").first.wait_for()
    page.get_by_label("I hold the root of every account").check()
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("You confirmed it").wait_for()
    stage.house.vault.releases.handed_over.once()
    page.reload()
    page.get_by_text("What we kept of your root credentials is destroyed.").wait_for()
    if pictures:
        look(page, "handed-confirmed")
    page.get_by_role("button", name="Close this page").click()
    page.get_by_role("heading", name="The page is closed").wait_for()
    page.go_back()
    page.reload()
    page.get_by_role("heading", name="Your code").wait_for()
