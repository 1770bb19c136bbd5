"""The walk beside the AWS console: by keys alone, narrow and dark without scripts, and by two operators in turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, PASSWORD, Stage, Visitor
from tests.browser.test_emergency import another
from tests.browser.test_every_page import check
from tests.browser.test_main_path import ask, begin, lease, secrets_on
from tests.support.people import Member
from vault.crypto import totp
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.services import rotations
from vault.services.rotations import ShownCode

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from vault.domain.secret import Secret

pytestmark = pytest.mark.browser
REASON = "Rotate the root password or MFA device"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def at(page: Page, step: str) -> None:
    """Wait until a step is the large one, and look whether its page is in order."""
    page.get_by_role("heading", name=step, exact=True).wait_for()


def clipboard(page: Page) -> str:
    """Read the clipboard."""
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_both_are_rotated_with_one_key_a_step(stage: Stage) -> None:  # noqa: PLR0915 - one walk is one story
    visitor = stage.visitor()
    visitor.expected = ("422 (UNPROCESSABLE",)
    page = lease(stage, visitor)
    page.get_by_role("link", name="Rotate both").click()
    at(page, "Sign in as root")
    check(page)
    link = page.get_by_role("link", name="Open AWS")
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    page.keyboard.press("e")
    page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('@'))")
    assert clipboard(page) == f"aws-root+{NUMBER}@mail.msp.example"
    page.keyboard.press("p")
    page.locator("[data-value]").wait_for()
    check(page)
    page.keyboard.press("c")
    page.locator("[data-gone]", has_text="Copied, and hidden.").wait_for()
    assert clipboard(page) == PASSWORD
    assert PASSWORD not in secrets_on(page)
    page.keyboard.press("d")
    page.locator("[data-code]").wait_for()
    assert page.locator("[data-code]").text_content() == stage.aws_code()
    page.keyboard.press("n")

    at(page, "Add the new device")
    check(page)
    page.keyboard.press("n")
    page.keyboard.type("JBSWY3DPEHPK3PXP")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "fewer than 112 bits" in page.inner_text("main")
    at(page, "Add the new device")
    page.keyboard.press("n")
    seed = totp.generate_seed()
    page.keyboard.type(seed.secret.expose())
    page.keyboard.press("Enter")
    at(page, "Type two codes")
    check(page)
    page.keyboard.press("n")
    page.locator("[data-code]").first.wait_for()
    check(page)
    now = totp.step_of(stage.house.world.clock.now())
    first, second = (totp.code_at(seed, step).expose() for step in (now, now + 1))
    page.keyboard.press("c")
    page.get_by_text("copied", exact=True).first.wait_for()
    assert clipboard(page) == first
    page.keyboard.press("c")
    page.wait_for_function("document.querySelectorAll('.code__digits--gone').length === 2")
    assert clipboard(page) == second
    page.keyboard.press("t")

    at(page, "Sign in with the new device")
    check(page)
    stage.house.world.clock.advance(seconds=61)
    page.keyboard.press("d")
    page.locator("[data-code]").wait_for()
    expected = totp.code_at(seed, totp.step_of(stage.house.world.clock.now())).expose()
    assert page.locator("[data-code]").text_content() == expected
    page.keyboard.press("n")
    at(page, "Remove the old device")
    check(page)
    page.keyboard.press("n")
    at(page, "Set the new password")
    page.keyboard.press("n")
    page.get_by_role("button", name="Show the new password").wait_for()
    page.keyboard.press("n")
    page.locator("[data-value]").wait_for()
    new = page.locator("[data-value]").text_content() or ""
    assert len(new) == 40
    check(page)
    page.keyboard.press("t")
    at(page, "Check in")
    check(page)
    assert new not in secrets_on(page)
    page.keyboard.press("n")
    page.get_by_role("heading", name="Checked in").wait_for()
    olga = stage.house.actor(stage.members[Role.OPERATOR])
    view = stage.house.vault.accounts.get(olga, NUMBER)
    # both are new, and what was set last was shown to nobody to sign in with
    assert [(part.current and part.current.number, part.due) for part in view.parts] == [(2, ()), (2, ())]
    assert [each.is_old for each in stage.house.vault.devices.of(olga, NUMBER)] == [False, False]


def test_it_is_walked_without_scripts_on_a_narrow_dark_screen(stage: Stage) -> None:
    visitor = stage.visitor(javascript=False, dark=True)
    page = lease(stage, visitor)
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("link", name="Rotate the password").click()
    page.get_by_role("button", name="Show the password").click()
    assert page.locator("[data-value]").text_content() == PASSWORD
    assert page.get_by_role("button", name="Copy").count() == 0
    assert page.locator("kbd").count() == page.locator("kbd[hidden]").count()
    assert "url=/checkouts/" in page.content()
    page.get_by_role("button", name="I am signed in").click()
    page.get_by_role("button", name="Show the new password").click()
    page.locator("[data-value]").wait_for()
    page.get_by_role("button", name="AWS refused it").click()
    # nothing was set: a new one is made
    at(page, "Set the new password")
    page.get_by_role("button", name="Make the new password").click()
    page.get_by_role("button", name="Show the new password").click()
    page.get_by_role("button", name="AWS took it").click()
    page.get_by_role("button", name="Check in").click()
    page.get_by_role("heading", name="Checked in").wait_for()


def take_over(stage: Stage, visitor: Visitor, member: Member) -> Page:
    """Begin a lease of somebody else."""
    page = stage.sign_in(visitor, member)
    ask(page, REASON)
    page.get_by_label("Code from your device").fill(member.code())
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("heading", name="Time left").wait_for()
    return page


def test_another_operator_goes_on_in_the_middle(stage: Stage) -> None:
    gus = another(stage, "Gus Berg")
    stage.house.world.clock.advance(hours=25)
    page = lease(stage, stage.visitor())
    page.get_by_role("link", name="Rotate both").click()
    for key in ("p", "d", "6"):
        page.keyboard.press(key)
        page.wait_for_load_state()
    at(page, "Set the new password")
    page.get_by_role("button", name="Make the new password").click()
    page.get_by_role("button", name="Show the new password").click()
    new = page.locator("[data-value]").text_content()
    rotation = page.url.removesuffix("#step").removesuffix("/display")
    page.goto(f"{stage.base_url}/")
    page.get_by_role("link", name=NUMBER).first.click()
    page.get_by_role("button", name="Check in").click()
    page.get_by_role("heading", name="Checked in").wait_for()

    other = take_over(stage, stage.visitor(), gus)
    other.get_by_role("link", name="Go on").click()
    at(other, "Find out which password AWS has")
    assert re.search(r"Olga Persson was shown version 2", other.inner_text("main"))
    check(other)
    other.keyboard.press("p")
    assert other.locator("[data-value]").text_content() == new
    other.keyboard.press("t")
    at(other, "Check in")
    # who set it sees what became of it, and whose word that is
    page.goto(rotation)
    page.get_by_role("heading", name="Steps").wait_for()
    check(page)
    assert "Accepted" in page.inner_text("main")


def test_codes_that_are_equal_by_chance_are_said_to_be(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rotations._codes

    def equal(seed: Secret[str], step: int) -> list[ShownCode]:
        first, second = real(seed, step)
        return [first, ShownCode(first.code, second.valid_from, second.valid_until)]

    monkeypatch.setattr(rotations, "_codes", equal)
    page = stage.sign_in(stage.visitor(), stage.members[Role.OPERATOR])
    address = ask(page, REASON)
    begin(stage, page)
    olga = stage.house.actor(stage.members[Role.OPERATOR])
    seed = totp.generate_seed().secret
    stage.house.vault.rotations.plan(olga, address.rpartition("/")[2], PartKind.MFA, seed)
    page.goto(f"{address}/rotate/mfa")
    page.get_by_role("button", name="Show two codes").click()
    page.get_by_text("These two are the same by chance").wait_for()
    check(page)
