"""Every page for every role, narrow and wide, dark and light: nothing overflows, everything has a name and an order.

The checks are WCAG 2.2's that a program can decide: 1.3.1 (headings, labels), 1.4.10 (reflow at 360 px), 2.4.1
(skip link), 2.4.2 (titles), 2.5.8 (targets of 24 px), 4.1.2 (names). Contrast is computed from the tokens in
tests/web/ui. The console of each page stays empty, so nothing on it was refused by the policy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage
from tests.browser.test_main_path import ask, begin
from tests.support.repository import ROOT
from tests.support.thorough import THOROUGH
from vault.domain.actor import Role

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

EVERYONE = [
    "/",
    "/accounts",
    f"/accounts/{NUMBER}",
    "/cases",
    "/cases/handovers?show=all",
    "/cases/calendar?month=2026-12",
    "/upkeep",
    "/upkeep/recovery",
    "/upkeep/campaigns?state=any",
    "/upkeep/calendar?weeks=13",
    "/upkeep/findings?state=all&rule=root_keys",
    "/upkeep/drift",
    f"/accounts/{NUMBER}/inspection",
    "/mail",
    f"/accounts/{NUMBER}/mail",
    "/root-emails",
    "/trail",
    "/reasons",
    "/policy",
    f"/policy/explain?account={NUMBER}&reason=IAM_RESTORE",
    "/sessions",
    "/keyboard",
    "/tokens",
    "/passkeys",
    "/notices",
    "/notices/settings",
]
PAGES = {
    Role.OPERATOR: [
        f"/accounts/{NUMBER}/ask",
        "/accounts/456789012345",
        "/accounts/567890123456/ask",
        "/trail?q=nothing",
    ],
    Role.APPROVER: ["/upkeep/campaigns/new?why=due_age"],
    Role.AUDITOR: [
        f"/trail?account={NUMBER}",
        "/trail?outcome=denied",
        "/trail?q=zz&ticket=T-1",
        f"/accounts/{NUMBER}/timeline",
        "/sample",
        "/review",
        "/review/2026-11-23",
        "/activity?days=90",
        "/outside",
        "/notices/dead",
        f"/accounts/{NUMBER}/known",
        f"/accounts/{NUMBER}/known?at=2026-11-23T09:01",
        "/incidents",
        "/incidents?state=all&kind=root_use",
        "/accounts?custody=onboarding&q=Blue",
    ],
    Role.CUSTODIAN: [
        "/cases/onboarding/new?customer=none",
        "/cases/closures/new",
        "/customers",
        "/customers/new",
        "/register",
        "/accounts/567890123456/intake",
    ],
    Role.CSM: ["/cases/handovers/new", "/cases/moves/new"],
    Role.ADMIN: [
        "/people",
        "/people/invite",
        "/policy/versions",
        "/policy/propose",
        "/upkeep/recipient",
        "/upkeep/keys",
        "/upkeep/keyless",
    ],
}
VIEWS = [(360, 740, True), (1024, 800, False)]
if THOROUGH:
    VIEWS += [(360, 740, False), (768, 900, False), (1024, 800, True), (1600, 1000, False)]

FAULTS = (ROOT / "tests/browser/faults.js").read_text()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def check(page: Page) -> None:
    """Check the page at every size, once it is there whole."""
    page.wait_for_load_state()
    for width, height, dark in VIEWS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        assert page.evaluate(FAULTS) == [], f"{page.url} at {width}"


@pytest.mark.parametrize("role", list(Role))
def test_pages_are_in_order(stage: Stage, role: Role) -> None:
    visitor = stage.visitor()
    page = stage.sign_in(visitor, stage.admins[0] if role is Role.ADMIN else stage.members[role])
    turn = list(Role).index(role) % 3
    mine = EVERYONE if THOROUGH else EVERYONE[turn::3]  # each page as two roles see it
    for path in [*mine, *PAGES[role]]:
        answer = page.goto(stage.base_url + path)
        assert answer is not None
        assert answer.status == 200, path
        assert answer.headers["cache-control"] == "no-store"
        check(page)
    page.goto(f"{stage.base_url}/trail?account={NUMBER}")
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="The exact bytes").wait_for()
    check(page)


def test_pages_about_a_person_are_in_order(stage: Stage) -> None:
    house, carla, sam = stage.house, stage.members[Role.CUSTODIAN], stage.members[Role.CSM]
    ada = house.actor(stage.admins[0])
    customer = house.vault.accounts.get(ada, NUMBER).account.customer_id
    page = stage.sign_in(stage.visitor(), carla)
    page.goto(f"{stage.base_url}/customers/{customer}")
    check(page)
    house.vault.people.disable(ada, carla.id)
    house.vault.recovery.propose(ada, sam.id, "lost the phone on a train", stage.admins[0].code())
    page = stage.sign_in(stage.visitor(), sam)
    page.goto(f"{stage.base_url}/sessions")
    page.get_by_role("heading", name="Where I am signed in").wait_for()
    check(page)
    page = stage.sign_in(stage.visitor(), stage.admins[1])
    for path in (carla.id, f"{carla.id}/leaver", sam.id, f"{sam.id}/sessions"):
        answer = page.goto(f"{stage.base_url}/people/{path}")
        assert answer is not None
        assert answer.status == 200, path
        check(page)


def test_pages_of_a_running_checkout_are_in_order(stage: Stage) -> None:
    visitor = stage.visitor()
    page = stage.sign_in(visitor, stage.members[Role.OPERATOR])
    address = ask(page, "Rotate the root password or MFA device")
    check(page)
    begin(stage, page)
    check(page)
    for press in ("Show the password", "Show a code"):
        page.get_by_role("button", name=press).click()
        page.locator("#shown").wait_for()
        check(page)
    page.goto(address)
    page.get_by_role("link", name="Rotate the password").click()
    page.get_by_role("button", name="Make the new password").click()
    page.get_by_role("button", name="Show the new password").wait_for()
    check(page)
    page.get_by_role("button", name="Show the new password").click()
    page.locator("#shown").wait_for()
    check(page)
    page.get_by_role("button", name="I do not know").click()
    page.get_by_role("button", name="None of them works").wait_for()
    check(page)
    page.goto(address)
    page.get_by_role("button", name="Check in").click()
    page.get_by_role("heading", name="Checked in").wait_for()
    check(page)
    page.goto(f"{address}/evidence")
    page.get_by_role("heading", name="What was disclosed").wait_for()
    check(page)
    page.goto(stage.base_url)
    page.get_by_role("heading", name="Unfinished after you").wait_for()
    check(page)


def test_pages_for_whoever_is_not_signed_in_are_in_order(stage: Stage) -> None:
    administrator = stage.visitor()
    page = stage.sign_in(administrator, stage.admins[0])
    page.goto(f"{stage.base_url}/people/invite")
    page.get_by_label("Name").fill("Nina Roth")
    page.get_by_label("E-mail").fill("nina@msp.example")
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("[data-value]").text_content()
    check(page)
    page.get_by_role("link", name="To Nina Roth").click()
    page.get_by_role("heading", name="Nina Roth", level=1).wait_for()
    check(page)

    newcomer = stage.visitor()
    newcomer.expected = ("404 (NOT FOUND)", "401 (UNAUTHORIZED)")
    other = newcomer.open("/sign-in")
    check(other)
    assert link is not None
    other.goto(link)
    check(other)
    for path, words in (("/nowhere", "Not there"), ("/enrol/unknown", "This link is not known")):
        other.goto(stage.base_url + path)
        assert words in other.inner_text("main")
        assert re.search(r"request [0-9a-f]{8}-", other.inner_text("main"))
        check(other)


def test_the_keyboard_reaches_everything_and_shortcuts_can_be_switched_off(stage: Stage) -> None:
    page = stage.sign_in(stage.visitor(), stage.members[Role.OPERATOR])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("ga")
    assert page.locator("#find").input_value() == "ga"
    page.keyboard.press("Tab")
    page.keyboard.type("gr")
    page.get_by_role("heading", name="What root is for").wait_for()
    page.goto(f"{stage.base_url}/keyboard")
    page.get_by_role("button", name="Switch shortcuts off").click()
    page.keyboard.type("ga")
    page.get_by_role("button", name="Switch shortcuts on").wait_for()
    assert page.url.endswith("/keyboard")
