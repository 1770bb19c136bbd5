"""Root mail in a browser: a reset is waited for and opened beside its checkout; what is forged leads nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage
from tests.browser.test_every_page import check
from tests.browser.test_main_path import ask, begin
from tests.support.mailbox import AUTHSERV, RESET, code, invoice, message, reset
from vault.domain.actor import Role
from vault.services.mailbox import Bounds, Came, Mailbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser
FORGED = "AWS Security <security@aws-help.example>"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def take(stage: Stage, *raws: bytes, to: str = "") -> None:
    """Take mail in for the account, or for another address of its domain."""
    vault = stage.house.vault
    sam = stage.house.actor(stage.members[Role.CSM])
    root = vault.accounts.get(sam, NUMBER).account.root_email
    bounds = Bounds(authserv_id=AUTHSERV, domains=frozenset({root.partition("@")[2]}))
    box: Mailbox = replace(vault.mailbox, bounds=bounds)
    for raw in raws:
        box.receive(Came(raw, to or root))


def test_a_reset_comes_and_is_opened_beside_its_checkout(stage: Stage) -> None:
    take(stage, invoice())
    page = stage.sign_in(stage.visitor(), stage.members[Role.OPERATOR])
    address = ask(page, "Rotate the root password or MFA device")
    begin(stage, page)
    page.get_by_role("heading", name="Mail to the root address").wait_for()
    take(
        stage,
        reset(),
        code(),
        message(
            "Your account is locked",
            f"Go to {RESET}x",
            FORGED,
            said="dmarc=pass header.from=aws-help.example",
        ),
    )
    page.goto(address)
    check(page)
    rows = page.locator(".mails > li")
    rows.filter(has_text="Password reset").get_by_role("button", name="Open it").click()
    shown = page.locator("#shown")
    shown.wait_for()
    link = shown.get_by_role("link", name="signin.aws.amazon.com")
    assert link.get_attribute("href") == RESET
    assert link.get_attribute("rel") == "noopener noreferrer"
    check(page)
    page.get_by_role("button", name="Hide now").click()
    assert RESET not in page.content()
    page.goto(address)
    rows.filter(has_text="Forged").get_by_role("button", name="Open it").click()
    page.get_by_text("Forged: it gives itself out as AWS's").wait_for()
    assert page.locator("#shown a[target]").count() == 0
    check(page)
    page.goto(f"{stage.base_url}/accounts/{NUMBER}/mail")
    page.get_by_text("Amazon Web Services Invoice Available").wait_for()
    assert "418293" not in page.content()
    check(page)


def test_custodians_look_at_what_came_for_nobody(stage: Stage) -> None:
    sam = stage.house.actor(stage.members[Role.CSM])
    domain = stage.house.vault.accounts.get(sam, NUMBER).account.root_email.partition("@")[2]
    take(stage, invoice(), to=f"nobody-knows-this-one-and-it-is-long@{domain}")
    page = stage.sign_in(stage.visitor(), stage.members[Role.CUSTODIAN])
    page.goto(f"{stage.base_url}/mail")
    page.get_by_label("Which").select_option("unmatched")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("nobody-knows-this-one").wait_for()
    assert "Invoice" not in page.content()
    check(page)
    page.get_by_role("link", name="Mail to an address of no account").click()
    check(page)
    page.get_by_label("Account number").fill(f"{NUMBER[:4]} {NUMBER[4:8]} {NUMBER[8:]}")
    page.get_by_label("How you know whose it is").fill("the address that it had before us")
    page.get_by_label("Code from your device").fill(stage.members[Role.CUSTODIAN].code())
    page.get_by_role("button", name="Give it to the account").click()
    page.get_by_text("by Carla Neri").wait_for()
    page.get_by_text("Amazon Web Services Invoice Available").wait_for()
    page.get_by_text("Waits here").wait_for()
    page.get_by_text("Your invoice for October").wait_for()
    check(page)
