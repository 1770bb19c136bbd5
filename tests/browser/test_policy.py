"""Two administrators side by side: the file waits, one proposes, the other sees what it changes and agrees."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, Stage, populate, serving
from tests.browser.test_every_page import check
from tests.support.policies import SHIPPED, changed, settle
from vault.domain.actor import Role
from vault.services.policy_book import PolicyBook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.people import House

pytestmark = pytest.mark.browser

LESS = changed("accounts_per_hour = 10", "accounts_per_hour = 5")
MORE = changed('"log.export" = ["auditor"]', '"log.export" = ["auditor", "csm"]', LESS)
OFFICE = '\n[hours.office]\nzone = "Europe/Berlin"\ndays = ["sat"]\nfrom = "08:00"\nuntil = "18:00"\n'
MORE = (
    changed("[reasons.BILL_TAX_INVOICE]\n", '[reasons.BILL_TAX_INVOICE]\nhours = "office"\n', MORE) + OFFICE
)


def with_versions(file: Path, house: House) -> None:
    """Let a house's policy have versions, and its host a file."""
    worker = settle(house.world, file).worker()
    book = worker.vault.book
    assert isinstance(book, PolicyBook)
    book.ticking = time.monotonic
    signin, enrolment = house.vault.signin, house.vault.enrolment
    server = replace(worker.vault.settings, server=house.vault.settings.server)
    house.world = worker
    house.vault = replace(worker.vault, settings=server, signin=signin, enrolment=enrolment)


@pytest.fixture
def versioned(tmp_path: Path, browser: Browser) -> Iterator[Stage]:
    """Serve a vault whose file was changed after it was founded."""
    file = tmp_path / "policy.toml"
    file.write_text(SHIPPED, "utf-8")
    url = f"sqlite+pysqlite:///{tmp_path / 'test.db'}"
    with serving(url, tmp_path, partial(with_versions, file)) as (house, base_url):
        members, admins, seed = populate(house)
        stage = Stage(house, base_url, browser, members, admins, seed)
        file.write_text(MORE, "utf-8")
        yield stage
        troubles = [trouble for visitor in stage.visitors for trouble in visitor.close()]
        assert troubles == []


def test_a_policy_by_two_administrators_side_by_side(versioned: Stage) -> None:
    first, second = (versioned.sign_in(versioned.visitor(), admin) for admin in versioned.admins)
    first.goto(versioned.base_url + "/policy")
    first.get_by_text("policy file waits").wait_for()
    check(first)
    first.get_by_role("link", name="Look at what it would change").click()
    first.get_by_text("permissions.log.export").wait_for()
    first.get_by_text("It adds power").wait_for()
    check(first)
    first.get_by_label("Why").fill("customer success takes its own copies")
    first.get_by_label("Code from your device").fill(versioned.admins[0].code())
    first.get_by_role("button", name="Propose", exact=True).click()
    first.wait_for_url("**/proposals/*")
    second.goto(first.url)
    second.get_by_role("heading", name="What it changes").wait_for()
    check(second)
    second.get_by_label("Code from your device").fill(versioned.admins[1].code())
    second.get_by_role("button", name="Agree").click()
    second.get_by_text("On hold").first.wait_for()
    second.goto(versioned.base_url + "/policy/versions")
    second.get_by_text("on hold").wait_for()
    check(second)
    versioned.house.world.clock.advance(hours=24)
    again = versioned.sign_in(versioned.visitor(), versioned.admins[0])
    again.wait_for_timeout(1_100)  # a worker looks once a second
    again.goto(versioned.base_url + "/policy/versions")
    again.get_by_role("link", name="Version 2").click()
    again.get_by_text("in force").wait_for()
    again.get_by_role("heading", name="Beside version 1").wait_for()
    check(again)


def test_an_operator_reads_why_gate_by_gate(versioned: Stage) -> None:
    page = versioned.sign_in(versioned.visitor(javascript=False), versioned.members[Role.OPERATOR])
    page.goto(f"{versioned.base_url}/accounts/{NUMBER}/ask")
    page.get_by_text("Reasons that do not fit now").click()
    page.get_by_role("link", name="Gate by gate").first.click()
    page.get_by_text("It is not open to you now").wait_for()
    page.get_by_label("Reason").select_option("BILL_ROOT")
    page.get_by_role("button", name="Explain").click()
    page.get_by_text("You can ask for this now").wait_for()
    page.goto(f"{versioned.base_url}/policy/explain?account={NUMBER}&reason=SUPPORT_PLAN")
    page.get_by_text("does not need root").wait_for()
    check(page)


def test_the_explanation_is_in_order(versioned: Stage) -> None:
    page = versioned.sign_in(versioned.visitor(), versioned.members[Role.OPERATOR])
    page.goto(
        f"{versioned.base_url}/policy/explain?account={NUMBER}&reason=HANDOVER&minutes=600&ticket=no+ticket"
    )
    page.get_by_text("It is not open to you now").wait_for()
    check(page)
