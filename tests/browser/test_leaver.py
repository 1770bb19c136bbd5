"""A leaver's minute, in two browsers: shut out in the middle of a lease, and what they saw is changed by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, PASSWORD, Stage
from tests.browser.test_emergency import another
from tests.browser.test_every_page import check
from tests.browser.test_main_path import ask, begin, rotate, verify
from vault.domain.actor import Role

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def test_a_leavers_minute(stage: Stage) -> None:
    gus = another(stage)
    stage.house.world.clock.advance(hours=25)
    olga = stage.members[Role.OPERATOR]
    leaver = stage.visitor()
    leaver.expected = ("status of 401",)
    theirs = stage.sign_in(leaver, olga)
    lease = ask(theirs, "A billing task that only the root user can do")
    begin(stage, theirs)
    theirs.get_by_role("button", name="Show the password").click()
    assert theirs.locator("[data-value]").text_content() == PASSWORD

    page = stage.sign_in(stage.visitor(), stage.admins[0])
    page.goto(f"{stage.base_url}/people/{olga.id}")
    page.get_by_role("button", name="Disable Olga Persson").click()
    page.goto(f"{stage.base_url}/people/{olga.id}/leaver")
    page.get_by_role("heading", name="0 of 1 replaced and proven").wait_for()
    check(page)

    # the very next click of who left leads out
    theirs.goto(lease)
    theirs.get_by_role("heading", name="Sign in").wait_for()
    assert PASSWORD not in theirs.content()

    other = stage.sign_in(stage.visitor(), gus)
    other.goto(f"{stage.base_url}/accounts/{NUMBER}")
    check(other)
    ask(other, "Rotate the root password or MFA device")
    other.get_by_label("Code from your device").fill(gus.code())
    other.get_by_role("button", name="Begin").click()
    other.get_by_role("heading", name="Time left").wait_for()
    rotate(other)
    rotation = other.url
    other.get_by_role("button", name="AWS took it").click()
    other.get_by_role("heading", name="Check in", exact=True).wait_for()
    page.reload()
    page.get_by_role("heading", name="0 of 1 replaced and proven").wait_for()
    approver = stage.sign_in(stage.visitor(), stage.members[Role.APPROVER])
    verify(approver, rotation)
    page.reload()
    page.get_by_role("heading", name="1 of 1 replaced and proven").wait_for()
    check(page)
