"""An auditor's monthly work in a browser, from the first look to a copy that is verified at home.

With `WALK_PICTURES=DIRECTORY` in the environment each step leaves the picture that docs/auditor-walk.md shows.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.month import PAYER, WEB_SHOP, Month, furnished, otto
from tests.browser.stage import Stage, populate, serving
from tests.support.repository import ROOT
from vault.domain.actor import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

VERIFY = (sys.executable, "-m", "audit", "verify")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Keep the vault in SQLite: what differs between databases is tested elsewhere."""
    return f"sqlite+pysqlite:///{tmp_path / 'vault.db'}"


@pytest.fixture
def month(database_url: str, tmp_path: Path, browser: Browser) -> Iterator[Month]:
    """Serve a vault that has lived for four weeks."""
    with furnished(tmp_path) as made, serving(database_url, tmp_path, made.furnish) as (house, base_url):
        members, admins, seed = populate(house)
        stage = Stage(house, base_url, browser, members, admins, seed)
        month = Month(stage, otto(stage), made)
        month.live()
        yield month
        assert [trouble for visitor in stage.visitors for trouble in visitor.close()] == []


def picture(page: Page, name: str, *, full: bool = False) -> None:
    """Leave a picture where the walk is to be shown."""
    directory = os.environ.get("WALK_PICTURES")
    if directory:
        Path(directory).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=full)


def test_a_month_is_reviewed_and_taken_home(month: Month, tmp_path: Path) -> None:
    visitor = month.stage.visitor(height=860)
    page = month.stage.sign_in(visitor, month.stage.members[Role.AUDITOR])
    picture(page, "1-home")
    _sign_the_night(page, month)
    _close_the_incident(page, month)
    _look_around(page, month)
    _draw_a_sample(page, month)
    assert _taken_home(page, month, tmp_path).startswith("sound")


def _sign_the_night(page: Page, month: Month) -> None:
    base = month.stage.base_url
    page.goto(f"{base}/review")
    expect(page.get_by_role("heading", name="Daily review")).to_be_visible()
    assert page.locator("a[href^='/review/20']").count() >= 20
    picture(page, "2-days")
    page.goto(f"{base}/review/{month.day_of_the_night}")
    expect(page.get_by_text("Unusual hour").first).to_be_visible()
    picture(page, "3-night")
    page.goto(f"{base}/checkouts/{month.night}/evidence")
    expect(page.get_by_role("heading", name="Evidence of one use of root")).to_be_visible()
    expect(page.get_by_text("The web shop's only administrator is locked out").first).to_be_visible()
    picture(page, "4-evidence", full=True)

    page.goto(f"{base}/review/{month.day_of_the_night}")
    for place in page.locator("ol.found-list input").all():
        place.fill("Seen; the ticket and the operator's manager explain it.")
    sentence = "The night's use of root was an outage; the new password still needs a second person."
    page.locator("textarea[name=sentence]").fill(sentence)
    page.get_by_role("button", name="Sign", exact=True).click()
    page.wait_for_url(f"{base}/review")
    assert len(month.stage.house.events("review.signed")) == 1


def _close_the_incident(page: Page, month: Month) -> None:
    page.goto(f"{month.stage.base_url}/incidents")
    picture(page, "5-incidents")
    page.get_by_role("link", name="Root sign-in").first.click()
    expect(page.get_by_text("198.51.100.77").first).to_be_visible()
    page.get_by_role("button", name="Take it").click()
    picture(page, "6-incident")
    words = "The customer's own finance team, by password recovery; they were told to stop."
    page.locator("textarea[name=sentence]").fill(words)
    page.get_by_role("button", name="Close it").click()
    expect(page.get_by_text("How it was explained")).to_be_visible()
    assert len(month.stage.house.events("incident.closed")) == 1


def _look_around(page: Page, month: Month) -> None:
    base = month.stage.base_url
    page.goto(f"{base}/accounts/{WEB_SHOP}/known?at={month.day_of_the_night}T12:00")
    expect(page.get_by_role("heading", name="Who could have known")).to_be_visible()
    picture(page, "7-known")
    page.goto(f"{base}/outside")
    expect(page.get_by_text("witness.auditor.example/w1").first).to_be_visible()
    picture(page, "8-outside")
    page.goto(f"{base}/activity")
    picture(page, "9-activity")
    page.goto(f"{base}/trail?account={PAYER}&q=tax")
    expect(page.get_by_role("table")).to_be_visible()
    picture(page, "10-trail")


def _draw_a_sample(page: Page, month: Month) -> None:
    page.goto(f"{month.stage.base_url}/sample")
    page.get_by_label("What").select_option("checkout.granted")
    picture(page, "11-sample")
    with page.expect_download() as taken:
        page.locator("main button.btn-primary").last.click()
    assert taken.value.path().stat().st_size > 10_000
    assert len(month.stage.house.events("audit.sampled")) == 1


def _taken_home(page: Page, month: Month, directory: Path) -> str:
    page.goto(f"{month.stage.base_url}/trail")
    page.get_by_text("Take a copy along").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Take it").click()
    bundle, witnessed = directory / "log.tar", directory / "witnessed"
    taken.value.save_as(bundle)
    newest = month.made.witness.anchor(month.stage.house.world).client.latest(month.stage.house.vault.origin)
    assert newest is not None
    witnessed.write_text(newest, encoding="utf-8")
    done = subprocess.run(
        [*VERIFY, str(bundle), "--since", str(witnessed), "--key", month.stage.house.vault.vkey],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
