"""A real OpenID provider, in a process of its own, and a real browser that goes there and comes back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Stage, serving
from tests.support.canaille_process import PASSWORD
from tests.support.provider import Canaille, canaille, join
from vault.domain.actor import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.people import House, Member

pytestmark = pytest.mark.browser


class Walk:
    """A served vault that knows the real provider, with an operator and an auditor."""

    def __init__(self, house: House, base_url: str, browser: Browser, provider: Canaille) -> None:
        house.world.clock.at = datetime.now(UTC)  # the provider's clock is the real one
        self.admins = house.admins()
        self.olga = house.appoint(self.admins, "olga@msp.example", Role.OPERATOR)
        self.uma = house.appoint(self.admins, "uma@msp.example", Role.OPERATOR)
        self.stage = Stage(house, base_url, browser, {}, self.admins, self.olga.seed)
        self.provider = provider

    def set_clock(self) -> None:
        """Set the vault's clock to the provider's; a code that was used moves it on by seconds."""
        clock = self.stage.house.world.clock
        clock.at = max(clock.at, datetime.now(UTC))

    def at_provider(self, page: Page, user: str) -> None:
        """Sign in at the provider's own pages, where it asks."""
        page.wait_for_url(f"{self.provider.url}/**")
        page.locator("input[name=login]").fill(user)
        page.locator("input[name=login]").press("Enter")
        page.locator("input[name=password]").fill(PASSWORD)
        self.set_clock()
        page.locator("input[name=password]").press("Enter")


@pytest.fixture(scope="module")
def provider() -> Iterator[Canaille]:
    with canaille() as running:
        yield running


@pytest.fixture
def walk(provider: Canaille, browser: Browser, tmp_path: Path) -> Iterator[Walk]:
    def furnish(house: House) -> None:
        base_url = house.vault.settings.server.public_url
        join(
            house,
            provider.provider(f"{base_url}/sign-in/answer"),
            {Role.OPERATOR: frozenset({"vault-operators"})},
        )
        oidc = replace(house.vault.settings.oidc, name="Canaille")
        house.vault = replace(house.vault, settings=replace(house.vault.settings, oidc=oidc))

    with serving(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path, furnish) as (house, base_url):
        walk = Walk(house, base_url, browser, provider)
        yield walk
        troubles = [trouble for visitor in walk.stage.visitors for trouble in visitor.close()]
        # the provider's own pages are not ours to judge
        assert [each for each in troubles if provider.url not in each] == []


def linked(walk: Walk, member: Member, user: str) -> Page:
    """Link a member's identity in their browser, and sign out."""
    page = walk.stage.sign_in(walk.stage.visitor(), member)
    page.goto(walk.stage.base_url + "/identities")
    page.get_by_role("button", name="Link my identity").click()
    walk.at_provider(page, user)
    page.wait_for_url("**/identities/confirm")
    expect(page.get_by_role("definition").filter(has_text=user).first).to_be_visible()
    page.get_by_label("Code").fill(member.code())
    page.get_by_role("button", name="Link it").click()
    page.wait_for_url("**/identities")
    expect(page.get_by_role("heading", name="Linked")).to_be_visible()
    with suppress(IndexError):
        page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url("**/sign-in")
    return page


def test_a_person_links_themself_and_signs_in_by_the_real_provider(walk: Walk) -> None:
    page = linked(walk, walk.olga, "olga")
    page.get_by_role("button", name="Sign in with Canaille").click()
    page.wait_for_url("**/sign-in/second")  # the provider remembers who is there
    page.get_by_label("Code").fill(walk.olga.code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(walk.stage.base_url + "/")
    expect(page.get_by_text("Operator").first).to_be_visible()
    opened = walk.stage.house.events("session.opened")[0]
    assert opened["detail"]["issuer"] == walk.provider.url  # type: ignore[index] # an entry's JSON
    assert opened["detail"]["withheld"] == ""  # type: ignore[index] # an entry's JSON


def test_without_javascript_and_without_the_group_one_is_let_in_and_the_role_is_not(walk: Walk) -> None:
    walk.stage.house.vault.federation.of(walk.stage.house.actor(walk.uma), walk.uma.id)
    linked(walk, walk.uma, "uma")
    visitor = walk.stage.visitor(javascript=False, width=360, height=740)
    page = visitor.open("/sign-in?next=/reasons")
    page.get_by_role("button", name="Sign in with Canaille").click()
    walk.at_provider(page, "uma")
    page.wait_for_url("**/sign-in/second")
    page.get_by_label("Code").fill(walk.uma.code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/reasons")
    page.locator("summary").first.click()
    expect(page.get_by_text("no role yet").last).to_be_attached()
    opened = walk.stage.house.events("session.opened")[0]
    assert opened["detail"]["withheld"] == "operator"  # type: ignore[index] # an entry's JSON


def test_who_is_known_there_and_not_here_is_not_let_in(walk: Walk) -> None:
    page = walk.stage.visitor().open("/sign-in")
    walk.stage.visitors[-1].expected = ("401",)
    page.get_by_role("button", name="Sign in with Canaille").click()
    walk.at_provider(page, "uma")
    page.wait_for_url("**/sign-in/second")
    page.get_by_label("Code").fill(walk.uma.code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("not right")
    details = [entry["detail"] for entry in walk.stage.house.events("session.refused")]
    assert "not linked" in str(details)
