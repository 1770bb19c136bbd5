"""The demonstration: the whole story on an empty machine, and what it leaves for programs to drive."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyotp
import pytest

from tests.cli.conftest import demonstrating, rootvault
from vault.cli.admin.demo.clock import LENGTH, StoryClock
from vault.cli.admin.demo.cloudtrail import CloudTrail
from vault.cli.admin.demo.console import Console, SignInRefusedError
from vault.cli.admin.demo.stage import Stage, refused
from vault.cli.exits import Failure
from vault.domain.secret import Secret
from vault.errors import Conflict

if TYPE_CHECKING:
    from pathlib import Path

ROLES = ["admin", "admin", "approver", "approver", "auditor", "csm", "custodian", "operator", "operator"]


def test_the_whole_story_goes_well(told: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, _ = told
    assert (done.returncode, done.stderr) == (0, "")
    assert "DEMONSTRATION. Keys lie in a local file" in done.stdout
    assert "✗" not in done.stdout
    for words in (
        "is in custody",
        "approves with a fresh code",
        "reveals the password",
        "signs in to AWS as root",
        "nothing reopens it (L2)",
        "held; the onboarding is done",
        "and the account itself no more",
        "AWS has it as PENDING_CLOSURE",
        "it waits for ",
        "not seen, the role cannot be assumed (AccessDenied)",
        "checks in",
        "rotation.due",
        "A link that resets the password of",
        "opens the sealed mail under the lease",
        "breaks the glass over that lease",
        "who had no part in it, reviews it",
        "freezes the whole vault",
        "2 of 2 rotated and proven",
        "verifies it as the second person",
        "explained by a checkout",
        "no checkout covers it",
        "a file on another disk keeps it",
        "a log that was put back gets no cosignature",
        "1 of 1 rotated and proven",
        "Every credential is opened, and none is shown",
        "A backup and two shares open nothing",
        "AWS takes the password",
        "AWS's own record proves what no colleague verified",
        "python -m audit verify: the log is sound",
        "One byte of a copy is changed, and the verifier finds it",
    ):
        assert words in done.stdout, words


def test_the_state_file_is_what_programs_are_promised(
    told: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, directory = told
    path = directory / "state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(state) == {"base_url", "log", "people", "machines", "accounts"}
    assert sorted(role for person in state["people"] for role in person["roles"]) == ROLES
    assert all(
        {"email", "roles", "password", "totp_seed", "token"} <= set(person) for person in state["people"]
    )
    assert all({"name", "scopes", "token"} <= set(machine) for machine in state["machines"])
    assert state["log"]["vkey"].startswith(state["log"]["origin"] + "+")
    assert _cases(state) == {
        ("payer", "SPAM", "held", "held", True, True),
        ("member", "SPAM", "held", "held", True, True),
        ("standalone", "SPAM", "held", "held", True, True),
        ("payer", "ECAM", "held", "held", True, True),
        ("standalone", "SPAM", "held", "unknown", True, True),
        ("member", "SPAM", "onboarding", "onboarding", False, False),
        ("member", "SPAM", "onboarding", "onboarding", True, False),
        ("member", "ECAM", "customer_held", "none", False, False),
        ("member", "SPAM", "released", "none", False, False),
        ("payer", "SPAM", "released", "none", False, False),
        ("member", "SPAM", "closed", "none", True, True),
        ("standalone", "SPAM", "dead", "none", True, True),
        ("standalone", "SPAM", "onboarding", "onboarding", False, False),
    }


def test_the_story_shows_no_secret_and_stores_none_in_the_clear(
    told: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, directory = told
    secrets = _secrets(json.loads((directory / "state.json").read_text(encoding="utf-8")))
    assert len(secrets) > 35
    assert [secret for secret in secrets if secret in done.stdout] == []
    kept = b"".join(path.read_bytes() for path in (directory / "data").rglob("*") if path.is_file())
    assert [secret for secret in secrets if secret.encode() in kept] == []


def test_its_files_are_for_their_owner_only(told: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, directory = told
    data = directory / "data" / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in data.iterdir()} == {0}


def test_an_exported_log_verifies_without_vault_and_database(
    told: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, directory = told
    state = json.loads((directory / "state.json").read_text(encoding="utf-8"))
    bundle = directory / "data" / "log-bundle"
    verified = subprocess.run(
        [sys.executable, "-m", "audit", "verify", str(bundle), "--key", state["log"]["vkey"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0
    assert verified.stdout.startswith("sound: ")


def test_doctor_finds_nothing_broken_in_it(told: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, directory = told
    done = rootvault("doctor", "--config", str(directory / "data"), "--deep", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["faults"]) == (0, 0)


def test_a_directory_that_holds_something_is_refused(
    told: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, directory = told
    again = rootvault("demo", "--once", "--data", str(directory / "data"))
    assert again.returncode == 2
    assert "is not empty: a demonstration begins in a new directory" in again.stderr


def test_a_port_that_is_taken_is_told_before_the_story() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = rootvault("demo", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "Name another with --port" in done.stderr
    assert "✓" not in done.stdout


def test_a_state_file_without_a_directory_is_told_before_the_story(tmp_path: Path) -> None:
    done = rootvault("demo", "--once", "--state", str(tmp_path / "nowhere" / "state.json"))
    assert done.returncode == 2
    assert "✓" not in done.stdout


def test_a_step_that_fails_ends_the_story_with_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Failure) as failed, Stage().step("Somebody asks"):
        raise Conflict("checkout.conflict", "Someone has it.")
    assert failed.value.exit_status == 1
    assert "✗ Somebody asks  Someone has it. [checkout.conflict]" in capsys.readouterr().out


def test_a_refusal_that_does_not_come_is_a_failure() -> None:
    with pytest.raises(AssertionError, match=r"should have been refused as rotation\.due"):
        refused("rotation.due", lambda: None)


def test_the_storys_clock_never_reaches_the_present() -> None:
    clock = StoryClock()
    with pytest.raises(RuntimeError, match="takes longer than"):
        clock.advance(LENGTH.total_seconds())


def test_the_console_lets_nobody_in_with_wrong_values(tmp_path: Path) -> None:
    console, clock = Console(CloudTrail(tmp_path)), StoryClock()
    root = console.opened_long_ago("111122223333", "Right-Password-1!")
    assert root.seed is not None
    code = Secret(pyotp.TOTP(root.seed.expose()).at(int(clock.now().timestamp())))
    console.sign_in("111122223333", Secret("Right-Password-1!"), code, clock.now())
    with pytest.raises(SignInRefusedError, match="this password"):
        console.sign_in("111122223333", Secret("Wrong-Password-1!"), code, clock.now())
    with pytest.raises(SignInRefusedError, match="this code"):
        console.sign_in("111122223333", Secret("Right-Password-1!"), Secret("abcdef"), clock.now())
    assert len(list(tmp_path.rglob("*.json.gz"))) == 1  # AWS records who came in, and where


def test_a_served_demonstration_answers_and_every_token_counts(tmp_path: Path) -> None:
    with demonstrating(tmp_path) as demo:
        for person in demo.state["people"]:
            done = demo.run(person["roles"][0], "me", "--json")
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["roles"][0] == person["roles"][0]


def _cases(state: dict[str, Any]) -> set[tuple[Any, ...]]:
    return {
        (a["kind"], a["model"], a["state"], a["situation"], bool(a["password"]), bool(a["totp_seed"]))
        for a in state["accounts"]
    }


def _secrets(state: dict[str, Any]) -> list[str]:
    found = [person[name] for person in state["people"] for name in ("password", "totp_seed", "token")]
    found += [machine["token"] for machine in state["machines"]]
    return found + [a[name] for a in state["accounts"] for name in ("password", "totp_seed") if a[name]]
