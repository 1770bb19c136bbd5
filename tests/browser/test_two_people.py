"""Who asks and who decides, side by side: progress, what stands out, a word that is lost, and nobody left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage, appoint, populate, serving
from vault.domain.actor import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.people import Member

pytestmark = pytest.mark.browser


@pytest.fixture
def two(tmp_path: Path, browser: Browser) -> Iterator[tuple[Stage, Member]]:
    """Serve a vault with a second approver; no page may have had any trouble."""
    with serving(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path) as (house, base_url):
        members, admins, seed = populate(house)
        second = appoint(house, admins, Role.APPROVER, "Bea Kowalski")
        house.world.clock.advance(hours=25)
        stage = Stage(house, base_url, browser, members, admins, seed)
        yield stage, second
        assert [trouble for visitor in stage.visitors for trouble in visitor.close()] == []


def ask(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.base_url}/accounts/{NUMBER}/ask")
    page.locator("input[value=IAM_RESTORE]").check()
    page.get_by_label("Ticket").fill("CHG-20420")
    page.get_by_label("What for, in a sentence").fill("The last IAM administrator left")
    page.get_by_role("button", name="Ask").click()
    page.wait_for_url("**/checkouts/*")


def approve(page: Page, code: str) -> None:
    page.get_by_role("radio", name="Approve").check()
    page.get_by_label("Code from your device").fill(code)
    page.get_by_role("button", name="Decide").click()
    page.get_by_text("Approved", exact=True).first.wait_for()


def shown(page: Page) -> str:
    page.reload()
    return page.locator("main").inner_text()


def fits(page: Page) -> bool:
    """Say whether nothing sticks out of the page at the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_two_people_side_by_side(two: tuple[Stage, Member]) -> None:
    stage, bea = two
    house, admin = stage.house, stage.house.actor(stage.admins[0])
    amir = stage.members[Role.APPROVER]
    asking = stage.sign_in(stage.visitor(), stage.members[Role.OPERATOR])
    ask(stage, asking)
    assert "Still needed: 1 approver. Amir Haddad and Bea Kowalski may decide." in shown(asking)

    deciding = stage.sign_in(stage.visitor(), amir)
    assert "First time on this account" in deciding.locator("main").inner_text()
    deciding.keyboard.press("g")
    deciding.keyboard.press("w")
    deciding.wait_for_url("**/approvals")
    deciding.keyboard.press("j")
    deciding.keyboard.press("Enter")
    deciding.wait_for_url("**/checkouts/*")
    approve(deciding, amir.code())
    assert "Ready to begin" in shown(asking)

    house.vault.people.disable(admin, house.actor(amir).id)
    waiting = shown(asking)
    assert "The word of Amir Haddad does not count any more" in waiting
    assert "Bea Kowalski may decide." in waiting

    narrow = stage.sign_in(stage.visitor(javascript=False, width=360, height=740, dark=True), bea)
    narrow.goto(f"{stage.base_url}/approvals")
    narrow.get_by_role("link", name="Look and decide").click()
    wide_enough = stage.sign_in(stage.visitor(width=360, height=740), bea)
    for path in ("/", "/approvals", narrow.url.removeprefix(stage.base_url)):
        wide_enough.goto(stage.base_url + path)
        assert fits(wide_enough), path
    approve(narrow, bea.code())
    assert "Ready to begin" in shown(asking)

    house.vault.people.disable(admin, house.actor(bea).id)
    assert "Locked: still needed: 1 approver, and nobody is left who may decide." in shown(asking)
    asking.get_by_role("button", name="Withdraw the request").click()
    assert "Withdrawn" in asking.locator("main").inner_text()
