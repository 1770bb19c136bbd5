"""Two people at once, in real browsers: ask, approve, step up, reveal, code, hide, rotate, check in, verify."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error

from tests.browser.stage import NUMBER, PASSWORD, Stage, Visitor
from vault.crypto import totp
from vault.domain.actor import Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    """Pages do not look different on another database; this is the one of production."""
    return postgresql_url


REASON = "Restore IAM permissions after the only administrator locked themselves out"


def secrets_on(page: Page) -> str:
    """Give all that a page holds, seen or not."""
    return re.sub(r"<[^>]+>", "", page.content())


def ask(page: Page, reason: str = REASON) -> str:
    """Find the account, ask for it, and give the address of the checkout."""
    page.get_by_role("link", name="Accounts").first.click()
    page.get_by_label("Number, name or root e-mail").fill("1234 5678 9012")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=NUMBER).click()
    page.get_by_role("link", name="Ask for root").click()
    page.get_by_role("radio", name=reason).check()
    page.get_by_label("Ticket").fill("CHG-40117")
    page.get_by_label("What for, in a sentence").fill("The only IAM administrator deleted their own policy.")
    page.get_by_role("button", name="Ask for root").click()
    page.get_by_role("heading", name=re.compile("Waiting for approval|Ready to begin")).wait_for()
    return page.url


def begin(stage: Stage, page: Page) -> None:
    """Give the second factor that starts the lease."""
    page.get_by_label("Code from your device").fill(stage.members[Role.OPERATOR].code())
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("heading", name="Time left").wait_for()


@pytest.mark.parametrize("javascript", [True, False], ids=["with-scripts", "without-scripts"])
def test_two_people_take_an_account_through_its_whole_way(stage: Stage, javascript: bool) -> None:
    operator = stage.visitor(javascript=javascript)
    page = stage.sign_in(operator, stage.members[Role.OPERATOR])
    address = ask(page)
    assert "Waiting for approval" in page.inner_text("main")

    approver = stage.visitor(javascript=javascript)
    other = stage.sign_in(approver, stage.members[Role.APPROVER])
    other.get_by_role("link", name=NUMBER).click()
    assert "The only IAM administrator deleted their own policy." in other.inner_text("main")
    other.get_by_role("radio", name="Approve").check()
    other.get_by_label("Shorten to").select_option("30 min")
    other.get_by_label("Code from your device").fill(stage.members[Role.APPROVER].code())
    other.get_by_role("button", name="Decide").click()
    other.get_by_role("heading", name="Approved").wait_for()

    page.goto(address)
    begin(stage, page)
    assert PASSWORD not in secrets_on(page)

    page.get_by_role("button", name="Show the password").click()
    value = page.locator("[data-value]")
    assert value.text_content() == PASSWORD
    assert "Receipt: entry" in page.inner_text("main")
    assert PASSWORD not in page.url
    assert PASSWORD not in page.title()

    page.get_by_role("button", name="Show a code").click()
    assert page.locator("[data-code]").text_content() == stage.aws_code()
    assert PASSWORD not in secrets_on(page)

    page.get_by_role("link" if not javascript else "button", name=re.compile("^Hide")).first.click()
    page.goto(address)
    rotate(page)
    rotation = page.url
    page.get_by_role("button", name="AWS took it").click()
    page.get_by_role("heading", name="Check in", exact=True).wait_for()
    page.get_by_role("button", name="Check in").click()
    page.get_by_role("heading", name="Checked in").wait_for()

    verify(other, rotation)
    other.goto(f"{stage.base_url}/accounts/{NUMBER}")
    assert "Only while it was set at AWS" in other.inner_text("main")


def rotate(page: Page) -> str:
    """Plan and show a new password; give it, and leave the page where it is no more."""
    page.get_by_role("link", name="Rotate the password").click()
    page.get_by_role("button", name=re.compile("I am signed in|Make the new password")).click()
    page.get_by_role("button", name="Show the new password").click()
    new = page.locator("[data-value]").text_content()
    assert new is not None
    assert len(new) == 40
    assert new != PASSWORD
    page.goto(page.url.removesuffix("#step").removesuffix("/display"))
    assert new not in secrets_on(page)
    return new


def verify(page: Page, rotation: str) -> None:
    """Confirm a rotation as a second person."""
    page.goto(rotation)
    page.get_by_label("What proves it").fill("PasswordUpdated seen in CloudTrail, us-east-1.")
    page.get_by_role("button", name="It is proven").click()
    page.get_by_text("by a second person").wait_for()


def lease(stage: Stage, visitor: Visitor) -> Page:
    """Sign in and begin a lease that needs nobody else."""
    page = stage.sign_in(visitor, stage.members[Role.OPERATOR])
    ask(page, "Rotate the root password or MFA device")
    begin(stage, page)
    return page


def test_a_password_hides_itself_and_the_back_button_shows_nothing(stage: Stage) -> None:
    visitor = stage.visitor()
    # going back to the answer of a POST that may not be kept: the browser says so in its console
    visitor.expected = ("ERR_CACHE_MISS",)
    page = lease(stage, visitor)
    address = page.url
    page.clock.install()
    page.get_by_role("button", name="Show the password").click()
    assert page.locator("[data-value]").text_content() == PASSWORD
    page.clock.run_for(31_000)
    page.get_by_text("Hidden. To see it again").wait_for()
    assert PASSWORD not in secrets_on(page)

    page.goto(address)
    page.get_by_role("button", name="Show the password").click()
    assert page.locator("[data-value]").text_content() == PASSWORD
    page.get_by_role("link", name="My work").first.click()
    page.get_by_role("heading", name="My work").wait_for()
    # Chromium asks whether to send the form again, and calls that a navigation that failed
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()
    page.wait_for_url("chrome-error://**")
    assert PASSWORD not in secrets_on(page)
    visitor.troubles[:] = [each for each in visitor.troubles if "ERR_CACHE_MISS" not in each]
    page.goto(address + "/password")
    assert page.url == address
    assert PASSWORD not in secrets_on(page)


def test_copying_puts_exactly_the_password_into_the_clipboard_and_takes_it_out_again(stage: Stage) -> None:
    visitor = stage.visitor()
    page = lease(stage, visitor)
    page.clock.install()
    page.get_by_role("button", name="Show the password").click()
    page.get_by_role("button", name="Copy once").click()
    page.get_by_text("Copied. The clipboard").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == PASSWORD
    assert PASSWORD not in secrets_on(page)
    page.clock.run_for(30_500)
    page.wait_for_function("navigator.clipboard.readText().then(text => text === '')")
    storage = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert storage == [0, 0, ""]


def test_a_new_device_is_enrolled_with_two_consecutive_codes(stage: Stage) -> None:
    visitor = stage.visitor()
    visitor.expected = ("422 (UNPROCESSABLE",)
    page = lease(stage, visitor)
    seed = totp.generate_seed()
    page.get_by_role("link", name="Replace the MFA device").click()
    page.get_by_role("link", name="I am signed in").click()
    page.get_by_label("Secret key of the new device").fill("not a seed at all 01")
    page.get_by_role("button", name="Seal it").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("Secret key of the new device").input_value() == ""
    page.get_by_label("Secret key of the new device").fill(seed.secret.expose())
    page.get_by_role("button", name="Seal it").click()
    page.get_by_role("button", name="Show two codes").click()
    page.get_by_role("heading", name="Two codes of device").wait_for()
    now = totp.step_of(stage.house.world.clock.now())
    expected = [totp.code_at(seed, step).expose() for step in (now, now + 1)]
    assert page.locator("[data-code]").all_text_contents() == expected
    assert seed.secret.expose() not in secrets_on(page)
    page.get_by_role("button", name="AWS took it").click()
    page.get_by_role("heading", name="Sign in with the new device").wait_for()


def test_a_used_code_says_how_long_to_wait_and_keeps_what_was_typed(stage: Stage) -> None:
    visitor = stage.visitor()
    visitor.expected = ("409 (CONFLICT)",)
    operator = stage.members[Role.OPERATOR]
    page = stage.sign_in(visitor, operator)
    ask(page, "Rotate the root password or MFA device")
    used = totp.code_at(operator.seed, operator.used).expose()
    page.get_by_label("Code from your device").fill(used)
    page.get_by_role("button", name="Begin").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "otp.used" in alert.inner_text()
    assert re.search(r"try again in \d+ s", alert.inner_text())
    field = page.get_by_label("Code from your device")
    assert field.get_attribute("aria-invalid") == "true"
    assert field.input_value() == ""


def test_a_refused_request_keeps_the_words_that_were_typed(stage: Stage) -> None:
    visitor = stage.visitor()
    visitor.expected = ("422 (UNPROCESSABLE",)
    page = stage.sign_in(visitor, stage.members[Role.OPERATOR])
    page.goto(f"{stage.base_url}/accounts/{NUMBER}/ask?reason=CRED_ROTATE")
    page.get_by_label("Ticket").fill("no ticket!")
    page.get_by_label("What for, in a sentence").fill("too short")
    page.get_by_role("button", name="Ask for root").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("Ticket").input_value() == "no ticket!"
    assert "Give the number of the ticket" in page.inner_text("main")
    assert "Say what for in 10 to 500 characters" in page.inner_text("main")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
