"""The browser rule: Chromium is required where `CI=true`, its absence elsewhere is the only skip there is."""

from __future__ import annotations

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_executable() -> str:
    """Return the path of an installed Chromium; without one fail in CI and skip elsewhere."""
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    if os.environ.get("CI") == "true":
        pytest.fail("no Chromium in CI: `apt-get install chromium`", pytrace=False)
    pytest.skip("no Chromium on this machine (`apt-get install chromium`); CI runs this test")
