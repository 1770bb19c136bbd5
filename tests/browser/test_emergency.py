"""Emergencies in real browsers: glass broken over a held lease through to its review, and a freeze that two lift."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.stage import NUMBER, PASSWORD, Stage
from tests.browser.test_every_page import check
from tests.browser.test_main_path import ask, begin, rotate
from vault.domain.actor import Role
from vault.services.people import Wish

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.people import Member

pytestmark = pytest.mark.browser

WORDS: Final = "Production of Northwind is down, and nobody else answers the phone."
PICTURES: Final = os.environ.get("EMERGENCY_PICTURES")
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


def another(stage: Stage, name: str = "Gus Berg") -> Member:
    """Appoint a second operator."""
    house, (one, two) = stage.house, stage.admins
    email = f"{name.partition(' ')[0].lower()}@msp.example"
    invited = house.vault.people.invite(house.actor(one), email, name, (Wish(Role.OPERATOR),))
    member = house.enrol(invited)
    house.vault.people.confirm_grant(house.actor(two), invited.grants[0].id, two.code())
    return member


def enable(stage: Stage, member: Member) -> None:
    """Let two administrators enable somebody, each in a browser of their own."""
    page = stage.sign_in(stage.visitor(), stage.admins[0])
    page.goto(f"{stage.base_url}/people/{member.id}/limits")
    page.get_by_text(re.compile("^Let .* break the glass$")).click()
    look(page, "limits")
    form = page.locator("details form")
    form.get_by_label("Why").fill("On duty in the nights of November.")
    form.get_by_label("Code from your device").fill(stage.admins[0].code())
    form.get_by_role("button", name="Propose").click()
    page.get_by_role("heading", name="Break-glass").wait_for()
    other = stage.sign_in(stage.visitor(), stage.admins[1])
    other.goto(page.url)
    other.get_by_label("Code from your device").fill(stage.admins[1].code())
    other.get_by_role("button", name="Agree").click()
    other.get_by_text("Agreed to by").wait_for()
    stage.house.world.clock.advance(hours=25)


def test_glass_is_broken_over_a_held_lease_and_reviewed(stage: Stage) -> None:
    gus = another(stage)
    enable(stage, gus)
    olga = stage.visitor()
    held = stage.sign_in(olga, stage.members[Role.OPERATOR])
    address = ask(held, "Rotate the root password or MFA device")
    begin(stage, held)
    rotate(held)

    breaker = stage.visitor()
    breaker.expected = ("status of 422",)
    page = stage.sign_in(breaker, gus)
    page.goto(f"{stage.base_url}/accounts/{NUMBER}")
    page.get_by_role("link", name="Break the glass").click()
    assert "Olga Persson loses the account at once" in page.inner_text("main")
    look(page, "ask-glass")
    page.get_by_role("radio", name="A billing task that only the root user can do").check()
    page.get_by_label("Ticket").fill("INC-7")
    page.get_by_label("What for, in a sentence").fill("too short")
    page.get_by_role("button", name="Break the glass").click()
    page.get_by_text("Say what for in 30 to 500 characters.").wait_for()
    page.get_by_label("What for, in a sentence").fill(WORDS)
    page.get_by_role("button", name="Break the glass").click()
    page.get_by_role("heading", name="Ready to begin").wait_for()
    look(page, "glass-ready")
    broken = page.url
    page.get_by_label("Code from your device").fill(gus.code())
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Show the password").click()
    assert page.locator("[data-value]").text_content() == PASSWORD
    page.goto(broken)
    page.get_by_role("button", name="Check in").click()
    page.get_by_role("heading", name="Checked in").wait_for()
    look(page, "glass-ended")

    held.goto(address)
    assert "revoked by who broke the glass: INC-7" in held.inner_text("main")
    held.goto(f"{stage.base_url}/accounts/{NUMBER}")
    assert "A broken glass waits for its review" in held.inner_text("main")
    look(held, "account-review")

    other = stage.sign_in(stage.visitor(), stage.members[Role.APPROVER])
    assert "Broken glass to review" in other.inner_text("main")
    look(other, "home-review")
    other.get_by_role("link", name=NUMBER).click()
    look(other, "review")
    other.get_by_role("radio", name="Justified", exact=False).first.check()
    other.get_by_label("What you found").fill("The ticket, the trail and the call list say the same.")
    other.get_by_label("Code from your device").fill(stage.members[Role.APPROVER].code())
    other.get_by_role("button", name="Close the review").click()
    other.get_by_text("The ticket, the trail and the call list say the same.").wait_for()
    look(other, "reviewed")
    other.goto(f"{stage.base_url}/accounts/{NUMBER}")
    assert "A broken glass waits" not in other.inner_text("main")


def test_one_press_freezes_and_two_people_lift(stage: Stage) -> None:
    olga = stage.visitor()
    olga.expected = ("status of 423",)
    held = stage.sign_in(olga, stage.members[Role.OPERATOR])
    address = ask(held, "Rotate the root password or MFA device")
    begin(stage, held)

    page = stage.sign_in(stage.visitor(), stage.members[Role.APPROVER])
    page.goto(f"{stage.base_url}/accounts/{NUMBER}")
    look(page, "account-press")
    page.get_by_role("button", name="Freeze this account").click()
    page.get_by_text("This account is frozen").wait_for()
    look(page, "account-frozen")

    held.get_by_role("button", name="Show the password").click()
    held.get_by_text("nothing is disclosed").first.wait_for()
    assert PASSWORD not in held.content()
    held.goto(address)
    assert "This account is frozen" in held.inner_text("main")
    look(held, "checkout-frozen")

    page.goto(f"{stage.base_url}/freezes")
    look(page, "freezes")
    page.get_by_text("Lift it", exact=True).click()
    page.get_by_label("Why it can go on").fill("It was a test of the alarm.")
    page.get_by_label("Code from your device").fill(stage.members[Role.APPROVER].code())
    page.get_by_role("button", name="Say that it can go on").click()
    page.get_by_text("Half lifted").wait_for()
    look(page, "half-lifted")

    other = stage.sign_in(stage.visitor(), stage.admins[0])
    other.get_by_role("link", name="Freeze").first.click()
    other.get_by_label("Why it can go on").fill("It was a test of the alarm.")
    other.get_by_label("Code from your device").fill(stage.admins[0].code())
    other.get_by_role("button", name="Lift it now").click()
    other.get_by_text("Nothing is frozen.").wait_for()
    look(other, "lifted")

    other.get_by_role("button", name="Freeze the whole vault").click()
    other.get_by_text("Everything is frozen").wait_for()
    held.goto(f"{stage.base_url}/reasons")
    assert "Everything is frozen" in held.inner_text("main")
    look(held, "vault-frozen")


def test_password_and_codes_go_to_two_people(stage: Stage) -> None:
    gus, carla = another(stage), stage.members[Role.CUSTODIAN]
    stage.house.world.clock.advance(hours=25)
    custody = stage.sign_in(stage.visitor(), carla)
    custody.goto(f"{stage.base_url}/accounts/{NUMBER}/custody")
    look(custody, "custody")
    custody.get_by_role("button", name="Split custody").click()
    custody.get_by_text("End split custody").wait_for()
    look(custody, "custody-split")

    held = stage.sign_in(stage.visitor(), stage.members[Role.OPERATOR])
    address = ask(held, "Rotate the root password or MFA device")
    begin(stage, held)
    assert held.get_by_role("button", name="Show a code").count() == 0
    look(held, "split-holder")

    second = stage.sign_in(stage.visitor(), gus)
    second.goto(address)
    look(second, "split-join")
    second.get_by_label("Code from your device").fill(gus.code())
    second.get_by_role("button", name="Take the codes").click()
    second.get_by_role("button", name="Show a code").click()
    assert second.locator("[data-code]").text_content() == stage.aws_code()
    assert second.get_by_role("button", name="Show the password").count() == 0
    second.goto(address)
    look(second, "split-second")
    # the walk is one, and each sees their own half of it
    second.goto(f"{address}/rotate/mfa?at=add")
    second.get_by_label("Secret key of the new device").wait_for()
    look(second, "split-walk")
    held.goto(f"{address}/rotate/both?at=add")
    held.get_by_text("Gus Berg does this step").wait_for()
    held.goto(address)
    held.get_by_role("button", name="Show the password").click()
    assert held.locator("[data-value]").text_content() == PASSWORD
