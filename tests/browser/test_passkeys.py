"""Passkeys in a real browser with a virtual authenticator: enrolled, signed in with, pressed for what is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.stage import NUMBER, PASSWORD, Stage, Visitor
from tests.browser.test_every_page import check
from tests.browser.test_main_path import ask
from vault.domain.actor import Role
from vault.errors import Unauthenticated

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import CDPSession, Page

    from tests.support.people import Member

pytestmark = pytest.mark.browser

OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Keep it in SQLite: nothing here is the database's."""
    return f"sqlite+pysqlite:///{tmp_path / 'vault.db'}"


@pytest.fixture(autouse=True)
def named(stage: Stage) -> None:
    """Visit by the name that passkeys belong to: browsers allow none under an address."""
    stage.base_url = stage.base_url.replace("127.0.0.1", "localhost")


class Key:
    """A virtual authenticator in one page."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        made = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})
        self.id: str = made["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        """Give what it holds."""
        found = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]
        assert isinstance(found, list)
        return found

    def verifies(self, *, well: bool) -> None:
        """Let its user be verified, or not."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": well})


def enrol(stage: Stage, page: Page, member: Member, name: str = "work laptop") -> Key:
    """Add a passkey on one's own page, with a code one last time."""
    key = Key(page)
    page.goto(f"{stage.base_url}/passkeys")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Code from your device").fill(member.code())
    page.get_by_role("button", name="Add it").click()
    page.get_by_role("rowheader", name=name).wait_for()
    return key


def sign_in(stage: Stage, visitor: Visitor, role: Role) -> Page:
    return stage.sign_in(visitor, stage.members[role])


def test_two_people_take_an_account_by_their_passkeys_side_by_side(stage: Stage) -> None:
    one, other = stage.visitor(), stage.visitor()
    page, second = sign_in(stage, one, Role.OPERATOR), sign_in(stage, other, Role.APPROVER)
    mine, theirs = (
        enrol(stage, page, stage.members[Role.OPERATOR]),
        enrol(stage, second, stage.members[Role.APPROVER], "security key"),
    )
    page.goto(f"{stage.base_url}/")
    address = ask(page)

    second.goto(address)
    second.get_by_role("radio", name="Approve").check()
    second.get_by_role("textbox", name="Comment").fill("Seen:\r\ntwo lines, “quotes” and 🔑.")
    assert second.get_by_label("Code from your device").count() == 0
    second.get_by_role("button", name="Decide").click()
    second.get_by_role("heading", name="Approved").wait_for()

    page.goto(address)
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("heading", name="Time left").wait_for()
    page.get_by_role("button", name="Show the password").click()
    assert page.locator("[data-value]").text_content() == PASSWORD
    assert [each["signCount"] for each in (*mine.credentials(), *theirs.credentials())] == [2, 2]
    factors = {
        kind: str(stage.house.events(kind)[0]["actor"]["mfa"])  # type: ignore[index] # a leaf's actor is an object
        for kind in ("checkout.approved", "checkout.granted", "secret.reveal.released")
    }
    assert all(factors[kind].startswith("passkey:") for kind in ("checkout.approved", "checkout.granted")), (
        factors
    )


def test_one_signs_in_by_passkey_without_a_name_and_not_by_code_any_more(stage: Stage) -> None:
    visitor = stage.visitor()
    visitor.expected = ("401 (UNAUTHORIZED)",)
    member = stage.members[Role.OPERATOR]
    page = sign_in(stage, visitor, Role.OPERATOR)
    key = enrol(stage, page, member)
    page.get_by_role("navigation", name="Yours").get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{stage.base_url}/sign-in")
    with pytest.raises(Unauthenticated):
        stage.house.sign_in(member)
    page.goto(f"{stage.base_url}/passkeys")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{stage.base_url}/passkeys")
    page.get_by_role("rowheader", name="work laptop").wait_for()
    assert stage.house.events("session.opened")[0]["detail"]["agent"]  # type: ignore[index] # as above
    assert len(key.credentials()) == 1

    page.get_by_role("navigation", name="Yours").get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{stage.base_url}/sign-in")
    key.verifies(well=False)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("It was not confirmed").wait_for()
    assert page.url == f"{stage.base_url}/sign-in"


def test_what_is_sent_otherwise_than_it_was_signed_is_refused(stage: Stage) -> None:
    visitor = stage.visitor()
    visitor.expected = ("401 (UNAUTHORIZED)",)
    page = sign_in(stage, visitor, Role.OPERATOR)
    enrol(stage, page, stage.members[Role.OPERATOR])
    page.goto(f"{stage.base_url}/tokens")
    page.get_by_label("Name").fill("laptop")
    # what an attacker's script would do: change a field between the signature and the sending
    page.evaluate(
        """() => {
          const send = HTMLFormElement.prototype.submit;
          HTMLFormElement.prototype.submit = function () { this.elements.name.value = "attacker"; send.call(this); };
        }"""
    )
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("alert").first.wait_for()
    assert "not for exactly this request" in page.inner_text("main")
    assert stage.house.events("token.issued") == []
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Make it").click()
    page.get_by_text("rv_p").first.wait_for()


def test_a_program_waits_until_its_person_pressed_the_passkey(stage: Stage) -> None:
    visitor = stage.visitor()
    member = stage.members[Role.OPERATOR]
    page = sign_in(stage, visitor, Role.OPERATOR)
    token = stage.house.vault.tokens.issue_own(stage.house.actor(member), "cli", member.code())
    enrol(stage, page, member)
    page.goto(f"{stage.base_url}/")
    address = ask(page, "Rotate the root password or MFA device")
    checkout = address.rpartition("/")[2]
    api = visitor.context.request
    headers = {"Authorization": f"Bearer {token.text.expose()}"}
    where = f"{stage.base_url}/api/v1/checkouts/{checkout}/step-up"
    asked = api.post(where, data={"otp": "passkey"}, headers=headers)
    assert (asked.status, asked.json()["code"]) == (401, "auth.passkey_required")
    page.goto(asked.json()["confirm_url"])
    check(page)
    said = page.inner_text("main")
    assert "Give a fresh second factor for this checkout" in said
    assert NUMBER.replace(" ", "") in re.sub(r"\s", "", said)
    assert "The only IAM administrator deleted their own policy." in said
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Go back to your program").wait_for()
    number = asked.json()["confirmation"]
    state = api.get(f"{stage.base_url}/api/v1/confirmations/{number}", headers=headers).json()["state"]
    assert state == "confirmed"
    for status in (200, 409):
        assert api.post(where, data={"otp": number}, headers=headers).status == status


def test_a_passkey_is_removed_with_itself_and_says_what_follows(stage: Stage) -> None:
    visitor = stage.visitor()
    page = sign_in(stage, visitor, Role.OPERATOR)
    enrol(stage, page, stage.members[Role.OPERATOR])
    check(page)
    page.get_by_role("link", name="Remove work laptop").click()
    assert "This is your last passkey" in page.inner_text("main")
    check(page)
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("You have none").wait_for()


def test_without_javascript_the_page_says_what_is_missing(stage: Stage) -> None:
    visitor = stage.visitor(javascript=False)
    page = visitor.open("/sign-in")
    assert "A passkey needs JavaScript" in page.inner_text("main")
    assert page.get_by_label("Code").is_visible()
