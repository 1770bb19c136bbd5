"""The auditors' commands over real HTTP: evidence as words and as a file, who could know, days to review."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Demo


def used(demo: Demo) -> dict[str, str]:
    """Find a checkout that the story has had."""
    listed = demo.run("auditor", "checkout", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    items: list[dict[str, str]] = json.loads(listed.stdout)["items"]
    return next(each for each in items if each["state"] == "checked_in")


def test_evidence_is_told_and_taken_along(demo: Demo, tmp_path: Path) -> None:
    checkout = used(demo)
    told = demo.run("auditor", "evidence", checkout["id"])
    assert told.returncode == 0, told.stderr
    assert "Who asked, and why" in told.stdout
    assert re.search(r"^ +\d+  \S+Z  checkout\.requested  ", told.stdout, re.MULTILINE)
    file = tmp_path / "evidence.tar"
    taken = demo.run("auditor", "evidence", checkout["id"], "--tar", str(file))
    assert taken.returncode == 0, taken.stderr
    with tarfile.open(file) as tar:
        tar.extractall(tmp_path, filter="data")
    place = tmp_path / f"evidence-{checkout['id']}"
    script = re.search(
        r"^    for leaf.*?^    done$", (place / "README.txt").read_text(), re.MULTILINE | re.DOTALL
    )
    assert script is not None
    program = script[0].replace("python -m audit", f"{sys.executable} -m audit")
    checked = subprocess.run(
        ["/bin/sh", "-ec", program],
        cwd=place,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "NOT PROVEN" not in checked.stdout + checked.stderr
    absent = demo.run("auditor", "evidence", "00000000-0000-4000-8000-000000000000")
    assert absent.returncode == 5


def test_what_the_story_left_open_is_told(demo: Demo) -> None:
    listed = json.loads(demo.run("auditor", "checkout", "list", "--json").stdout)["items"]
    of = {(each["account_id"], each["reason"]): each["id"] for each in listed}
    unknown = demo.run("auditor", "evidence", of["520000000048", "CRED_ROTATE"])
    assert "Whether AWS took the password, version 2, is not known" in unknown.stdout
    half = demo.run("auditor", "evidence", of["310000000045", "ONBOARD_TAKEOVER"])
    assert "CloudTrail: PasswordUpdated at" in half.stdout
    assert "Nothing is open." not in unknown.stdout
    rotated = demo.run("auditor", "evidence", of["310000000014", "CRED_ROTATE"])
    assert "Nothing is open." in rotated.stdout
    assert re.search(
        r"Password, version 2: .+ was shown it, to set it at AWS .+ It is the current value\.", rotated.stdout
    )


def test_who_could_know_is_told_for_a_time(demo: Demo) -> None:
    number = used(demo)["account_id"]
    now = demo.run("auditor", "known", number)
    assert now.returncode == 0, now.stderr
    assert now.stdout.split("\n")[0].split() == ["PART", "VERSION", "WHO", "HOW", "SINCE", "UNTIL", "ENTRY"]
    before = demo.run("auditor", "known", number, "--at", "2001-01-01T00:00:00Z", "--json")
    assert before.returncode == 0, before.stderr
    told = json.loads(before.stdout)
    assert (told["knowers"], told["complete"]) == ([], False)
    words = demo.run("auditor", "known", number, "--at", "2001-01-01T00:00:00Z")
    assert "The log tells nothing of this account up to then: unknown others" in words.stdout
    assert demo.run("auditor", "known", number, "--at", "2999-01-01T00:00:00Z").returncode == 7


def test_what_a_leaver_left_behind_is_told(demo: Demo) -> None:
    person = json.loads(demo.run("operator", "me", "--json").stdout)["id"]
    told = demo.run("auditor", "leaver", person)
    assert told.returncode == 0, told.stderr
    assert "0 of 0 replaced and proven" in told.stdout
    found = json.loads(demo.run("auditor", "leaver", person, "--all", "--json").stdout)
    assert (found["items"], found["machine_tokens"], found["state"]) == ([], [], "active")
    assert demo.run("operator", "leaver", person).returncode == 5


def test_days_are_listed_and_one_is_told(demo: Demo) -> None:
    listed = demo.run("auditor", "reviews", "--json")
    assert listed.returncode == 0, listed.stderr
    days = json.loads(listed.stdout)["items"]
    assert days[0]["day"] == datetime.now(UTC).date().isoformat()
    assert days[0]["state"] == "running"
    told = demo.run("auditor", "reviews", days[0]["day"])
    assert told.returncode == 0, told.stderr
    assert "This day is not over (UTC)" in told.stdout
    assert demo.run("operator", "reviews").returncode == 4
