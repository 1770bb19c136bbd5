"""The policy on the host and from the terminal: faults with their line, what would change, why something is closed."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import rootvault
from tests.cli.test_operator import doctor
from vault.bootstrap import open_vault
from vault.settings import load_settings

if TYPE_CHECKING:
    from tests.cli.conftest import Demo


def edit(directory: Path, was: str, now: str) -> Path:
    file = directory / "policy.toml"
    text = file.read_text("utf-8")
    assert was in text
    file.write_text(text.replace(was, now, 1), "utf-8")
    return file


def accounts_per_hour(directory: Path) -> int:
    with closing(open_vault(load_settings(str(directory), {}))) as vault:
        return vault.policy.limits.accounts_per_hour


def test_a_founded_vault_goes_by_its_file_as_the_first_version(vault_directory: Path) -> None:
    done = rootvault("policy", "check", "--config", str(vault_directory))
    assert done.returncode == 0, done.stderr
    assert "It is version 1, which is in force." in done.stdout


@pytest.mark.parametrize(
    ("was", "now", "way", "hold"),
    [
        ("accounts_per_hour = 10 ", "accounts_per_hour = 5 ", "takes away", 0),
        ("accounts_per_hour = 10 ", "accounts_per_hour = 99 ", "adds power", 86_400),
    ],
)
def test_what_a_file_would_change_is_told_and_nothing_is_changed(
    vault_directory: Path, was: str, now: str, way: str, hold: int
) -> None:
    edit(vault_directory, was, now)
    done = rootvault("policy", "check", "--config", str(vault_directory), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(each["place"], each["way"]) for each in told["differences"]] == [
        ("limits.accounts_per_hour", way)
    ]
    assert (told["in_force"], told["hold_seconds"]) == (False, hold)
    words = rootvault("policy", "check", "--config", str(vault_directory)).stdout
    assert way in words
    assert ("waits 86400 s" if hold else "counts at once") in words
    assert accounts_per_hour(vault_directory) == 10
    status, report = doctor(vault_directory)
    warned = [each["words"] for each in report["findings"] if each["level"] == "warn"]
    assert status == 0
    assert any("waits: nobody agreed to it" in each for each in warned)


def test_a_fault_names_its_line_and_the_vault_goes_on(vault_directory: Path) -> None:
    file = edit(vault_directory, "approvals = 0", "approvals = -1")
    line = 1 + file.read_text("utf-8").splitlines().index("approvals = -1")
    done = rootvault("policy", "check", "--config", str(vault_directory))
    assert done.returncode == 2
    assert f"line {line}: reasons.CRED_ROTATE.approvals" in done.stderr
    other = rootvault("policy", "check", str(file), "--config", str(vault_directory))
    assert other.stderr == done.stderr
    assert accounts_per_hour(vault_directory) == 10
    status, report = doctor(vault_directory)
    assert status == 0
    assert any(f"line {line}" in each["words"] for each in report["findings"])


def test_a_host_without_the_file_goes_by_the_version_in_force(vault_directory: Path) -> None:
    (vault_directory / "policy.toml").unlink()
    assert accounts_per_hour(vault_directory) == 10
    status, report = doctor(vault_directory)
    assert status == 0
    assert any("there is no file" in each["words"] for each in report["findings"])
    assert rootvault("policy", "check", "--config", str(vault_directory)).returncode == 2


def test_people_read_why_from_the_terminal(demo: Demo) -> None:
    number = "310000000014"
    told = demo.run("operator", "policy", "explain", number, "HANDOVER")
    assert told.returncode == 0, told.stderr
    assert "situation" in told.stdout
    assert "[custody.state]" in told.stdout
    assert "It is not open to you now." in told.stdout
    shown = json.loads(demo.run("operator", "policy", "explain", number, "BILL_ROOT", "--json").stdout)
    assert {each["gate"] for each in shown["gates"]} >= {"sight", "role", "hours", "velocity"}
    refused = demo.run("operator", "policy", "versions")
    assert refused.returncode != 0
    assert "policy.denied" in refused.stderr
    listed = demo.run("auditor", "policy", "versions", "--json")
    (version,) = json.loads(listed.stdout)["items"]
    text = demo.run("auditor", "policy", "versions", version["digest"])
    assert "[reasons.CRED_ROTATE]" in text.stdout
