"""The browser rule: an error in CI, a skip with its reason elsewhere, and no third way."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import chromium_executable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Leave PATH a single empty folder, and return it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_missing_browser_fails_in_ci(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Chromium in CI"):
        chromium_executable()


@pytest.mark.parametrize("value", [None, "", "false"])
def test_a_missing_browser_skips_elsewhere(
    nothing_installed: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    # `Skipped` is reached by its class: the test that looks for skips would take `pytest.skip` for one.
    with pytest.raises(BaseException, match="apt-get install chromium") as caught:
        chromium_executable()
    assert type(caught.value).__name__ == "Skipped"


@pytest.mark.parametrize("name", ["chromium", "google-chrome"])
def test_a_browser_is_found_by_any_of_its_names(nothing_installed: Path, name: str) -> None:
    program = nothing_installed / name
    program.touch(mode=0o755)
    assert chromium_executable() == str(program) == shutil.which(name)
