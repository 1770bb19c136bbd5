"""Nothing that belongs to whoever runs the tests reaches them: no credentials, no settings, no proxy."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.support.repository import ROOT

PROGRAM = """
import json, os
from tests import conftest
conftest.pytest_configure()
print(json.dumps(dict(os.environ)))
"""


FOREIGN = ("AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "PGPASSWORD", "ROOTVAULT_CONFIG", "https_proxy")


def test_foreign_settings_are_taken_away() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=os.environ | dict.fromkeys(FOREIGN, "foreign"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seen = json.loads(printed)
    assert {*FOREIGN} & {*seen} == set()
    assert seen["AWS_EC2_METADATA_DISABLED"] == "true"
    assert seen["PATH"] == os.environ["PATH"]
