"""A member loses its root credentials in real browsers: looked at, agreed to by two, carried out; stopped once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.stage import Stage
from tests.browser.test_every_page import check
from tests.support.central_root import MEMBER, asking_aws, hold_member
from tests.support.world import Human
from vault.domain.actor import Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PICTURES: Final = os.environ.get("PICTURES", "")
"""A directory in which each page is kept as a picture, wide and narrow, for who wants to look."""


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
def test_two_people_take_a_members_root_credentials_away(stage: Stage, *, javascript: bool) -> None:
    world = stage.house.world
    carla, amir = stage.members[Role.CUSTODIAN], stage.members[Role.APPROVER]
    world.people["carla"] = Human(stage.house.actor(carla), carla.seed, world.clock, carla.used)
    with asking_aws(world) as aws:
        hold_member(world)
        world.clock.advance(minutes=1)
        visitor = stage.visitor(javascript=javascript)
        # the first try at AWS is answered with a page of status 503
        visitor.expected = ("503",)
        page = stage.sign_in(visitor, carla)
        page.goto(f"{stage.base_url}/upkeep/keyless")
        if javascript:
            look(page, "keyless-list")
        page.locator(f'a[href="/upkeep/keyless/{MEMBER}"]').click()
        page.get_by_role("button", name="Look", exact=True).click()
        page.get_by_text("arn:aws:iam::111122223333:mfa/rv-1").wait_for()
        page.locator("summary", has_text="Remove its root credentials").click()
        page.get_by_label("Why").fill("nobody signs in as root of this member any more")
        page.get_by_label("Code from your device").fill(carla.code())
        page.get_by_role("button", name="Propose").click()
        page.wait_for_url("**/proposals/*")
        proposal = page.url

        second = stage.sign_in(stage.visitor(javascript=javascript), amir)
        second.goto(proposal)
        if javascript:
            look(second, "keyless-proposal")
        second.get_by_label("Code from your device").fill(amir.code())
        second.get_by_role("button", name="Agree").click()
        second.get_by_text("In force").first.wait_for()

        page.goto(f"{stage.base_url}/upkeep/keyless/{MEMBER}")
        aws.fail_next("DeleteLoginProfile", "ServiceFailure")
        page.get_by_role("button", name="Carry it out").click()
        page.get_by_text("Nothing is lost; do it again.").wait_for()
        page.goto(f"{stage.base_url}/upkeep/keyless/{MEMBER}")
        if javascript:
            look(page, "keyless-stopped")
        page.get_by_role("button", name="Go on").click()
        page.get_by_text("nothing at all").wait_for()
        if javascript:
            look(page, "keyless-gone")

        assert not aws.root(MEMBER).password
        page.goto(f"{stage.base_url}/accounts/{MEMBER}")
        page.get_by_text("No root credentials").first.wait_for()
