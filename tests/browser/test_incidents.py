"""The board of incidents and one of them, as a person goes through them; each at every size."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage
from tests.browser.test_every_page import check
from tests.support.trails import found_at, root, used
from vault.domain.actor import Role

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def alarm(stage: Stage, folder: Path) -> None:
    """Let root sign in without a checkout, from a place with a hostile name, and use what it got."""
    clock = stage.house.world.clock
    at = clock.now()
    clock.advance(hours=2)
    hostile = "<img src=x onerror=alert(1)>\u202egnp.exe"
    records = [
        root(
            NUMBER,
            at,
            additionalEventData={"MFAUsed": "No"},
            userAgent=hostile,
            sourceIPAddress="198.51.100.77",
        ),
        used(NUMBER, at, "DeleteBucketPolicy", sourceIPAddress=hostile),
    ]
    found_at(stage.house.vault, folder, records, at)


def test_an_incident_from_the_board_to_its_end(stage: Stage, tmp_path: Path) -> None:
    alarm(stage, tmp_path / "trail")
    visitor = stage.visitor()
    visitor.expected = ("422",)
    page = stage.sign_in(visitor, stage.members[Role.AUDITOR])
    page.goto(f"{stage.base_url}/incidents")
    check(page)
    page.get_by_role("link", name="Root sign-in").click()
    page.get_by_role("heading", name="Root sign-in").wait_for()
    check(page)
    page.get_by_role("button", name="Take it").click()
    page.get_by_text("Looked into").wait_for()
    page.get_by_label("What explains it").fill("short")
    page.get_by_role("button", name="Close it").click()
    page.get_by_role("alert").wait_for()
    check(page)
    page.get_by_label("What explains it").fill("The customer's own people, told us by phone; ticket INC-7.")
    page.get_by_role("button", name="Close it").click()
    page.get_by_role("heading", name="How it was explained").wait_for()
    check(page)
    page.goto(f"{stage.base_url}/incidents")
    page.get_by_role("link", name="Root use").click()
    page.get_by_label("Hand it on to").select_option(label="Amir Haddad")
    page.get_by_role("button", name="Hand it on").click()
    page.get_by_text(re.compile("Amir Haddad, since")).wait_for()
    assert page.locator("img").count() == 0
    check(page)
