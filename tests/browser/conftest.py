"""Fixtures: `browser` (one Chromium a worker) and `stage` (a served vault with people in it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.stage import LAUNCH, Stage, populate, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave a file alone that the test's own server did not close because a browser went away meanwhile."""
    given_up = pytest.mark.filterwarnings("ignore:.*static:pytest.PytestUnraisableExceptionWarning")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(given_up)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Run the browser for as long as this worker needs it."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, headless=True, args=LAUNCH)
        yield running
        running.close()


@pytest.fixture
def stage(database_url: str, tmp_path: Path, browser: Browser) -> Iterator[Stage]:
    """Serve a vault; afterwards no page may have had any trouble."""
    with serving(database_url, tmp_path) as (house, base_url):
        members, admins, seed = populate(house)
        stage = Stage(house, base_url, browser, members, admins, seed)
        yield stage
        troubles = [trouble for visitor in stage.visitors for trouble in visitor.close()]
        assert troubles == []
