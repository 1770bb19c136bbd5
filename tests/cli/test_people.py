"""People's commands over real HTTP: the whole way of a checkout, refusals in words, secrets that stay hidden."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pyotp
import pytest

from tests.cli.conftest import rootvault
from vault.cli.exits import plain

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Demo

PAYER = "310000000014"
MEMBER = "310000000021"
ALONE = "520000000031"
UNTOUCHED = "310000000038"
WORDS = ("--ticket", "T-1001", "--why", "a task for this test")


def test_a_checkout_from_asking_to_checking_in(demo: Demo) -> None:
    asked = demo.run("operator", "checkout", "ask", PAYER, "--reason", "ACCT_SETTINGS", *WORDS, "--json")
    assert asked.returncode == 0, asked.stderr
    checkout = json.loads(asked.stdout)
    assert checkout["state"] == "pending_approval"

    conflict = demo.run("operator", "checkout", "ask", PAYER, "--reason", "BILL_ROOT", *WORDS, number=1)
    assert conflict.returncode == 6
    assert "Ana Ferreira has account 310000000014" in conflict.stderr

    waiting = demo.run("approver", "approve")
    assert waiting.returncode == 0, waiting.stderr
    assert checkout["id"] in waiting.stdout
    assert "STANDS OUT" in waiting.stdout
    approved = demo.run("approver", "approve", PAYER, given=demo.code("approver"))
    assert approved.returncode == 0, approved.stderr
    assert "state         approved" in approved.stdout
    assert f"rootvault checkout step-up {checkout['id']}" in approved.stdout
    again = demo.run("approver", "approve", PAYER, given="000000\n")
    assert again.returncode == 5
    assert "Nobody waits for approval" in again.stderr

    revealed = demo.run("operator", "password", PAYER, "--show", given=demo.code("operator"))
    assert revealed.returncode == 0, revealed.stderr
    assert revealed.stdout.strip() == demo.account(PAYER)["password"]

    code = demo.run("operator", "code", PAYER, "--show", "--wait", "--json")
    assert code.returncode == 0, code.stderr
    told = json.loads(code.stdout)
    totp = pyotp.TOTP(demo.account(PAYER)["totp_seed"])
    assert totp.verify(told["code"], valid_window=1)
    assert "checkpoint" in told["receipt"]

    again = demo.run("operator", "code", PAYER, "--show")
    if again.returncode != 0:  # a new time step may have begun
        assert again.returncode == 6
        assert "used before" in again.stderr
        assert "--wait" in again.stderr

    checked_in = demo.run("operator", "checkin", PAYER)
    assert checked_in.returncode == 0, checked_in.stderr
    due = demo.run("operator", "checkout", "ask", PAYER, "--reason", "BILL_ROOT", *WORDS)
    assert due.returncode == 8
    assert "rotate it first" in due.stderr

    trail = demo.run("auditor", "trail", PAYER, "--limit", "5", "--json")
    types = [item["content"]["type"] for item in json.loads(trail.stdout)["items"]]
    assert "checkout.returned" in types


def test_a_password_goes_to_the_clipboard_and_not_to_the_terminal(demo: Demo, tmp_path: Path) -> None:
    clipboard, path = _clipboard(tmp_path)
    asked = demo.run("operator", "checkout", "ask", MEMBER, "--reason", "BILL_ROOT", *WORDS, number=1)
    assert asked.returncode == 0, asked.stderr
    stepped = demo.run("operator", "checkout", "step-up", MEMBER, given=demo.code("operator", 1), number=1)
    assert stepped.returncode == 0, stepped.stderr

    copied = demo.run("operator", "password", MEMBER, "--clear-after", "300", number=1, path=path)
    assert copied.returncode == 0, copied.stderr
    secret = demo.account(MEMBER)["password"]
    assert clipboard.read_text(encoding="utf-8") == secret
    assert secret not in copied.stdout + copied.stderr

    nowhere = demo.run("operator", "password", MEMBER, number=1, path=str(tmp_path / "empty"))
    assert nowhere.returncode == 2
    assert "Repeat with --show" in nowhere.stderr
    assert secret not in nowhere.stdout + nowhere.stderr
    assert demo.run("operator", "checkin", MEMBER, number=1).returncode == 0


def test_a_guided_rotation_seals_shows_and_attests(demo: Demo) -> None:
    asked = demo.run("operator", "checkout", "ask", ALONE, "--reason", "CRED_ROTATE", *WORDS)
    assert asked.returncode == 0, asked.stderr
    stepped = demo.run("operator", "checkout", "step-up", ALONE, given=demo.code("operator"))
    assert stepped.returncode == 0, stepped.stderr

    stands = demo.run("operator", "rotate", ALONE, "--both", "--steps", "--json")
    acts = [each["act"] for each in json.loads(stands.stdout)["steps"]]
    assert acts == ["sign_in", "add", "codes", "prove", "remove", "set", "check_in"]
    given = "p\n\n\naccepted\nn\n"
    rotated = demo.run("operator", "rotate", ALONE, "--show", "--json", given=given)
    assert rotated.returncode == 0, rotated.stderr
    walk = json.loads(rotated.stdout[rotated.stdout.index("{") :])
    (done,) = [each for each in walk["steps"] if each["act"] == "set"]
    rotation = {"id": done["rotation"]}
    # versions 2 and 3 are the story's: a renewal, and the rotation after somebody left
    assert (done["state"], done["part"], done["version"], walk["checked_in"]) == (
        "accepted",
        "password",
        4,
        False,
    )
    assert "Step 2 of 3: Set the new password" in rotated.stderr
    assert "Sealed, and shown to nobody yet" in rotated.stderr

    self_proof = demo.run("operator", "verify", rotation["id"], "--evidence", "I saw it myself.")
    assert self_proof.returncode == 4
    assert "ask a colleague" in self_proof.stderr
    verified = demo.run("operator", "verify", rotation["id"], "--evidence", "Signed in with it.", number=1)
    assert verified.returncode == 0, verified.stderr
    assert demo.run("operator", "checkin", ALONE).returncode == 0


def test_a_wrong_code_is_told_as_such(demo: Demo) -> None:
    asked = demo.run(
        "operator", "checkout", "ask", UNTOUCHED, "--reason", "ONBOARD_TAKEOVER", *WORDS, number=1
    )
    assert asked.returncode == 0, asked.stderr
    wrong = demo.run("operator", "checkout", "step-up", UNTOUCHED, given="000000\n", number=1)
    assert wrong.returncode == 3
    assert "The code is not right" in wrong.stderr
    cancelled = demo.run("operator", "checkout", "cancel", UNTOUCHED, number=1)
    assert cancelled.returncode == 0, cancelled.stderr


@pytest.mark.parametrize(
    ("role", "arguments", "status", "words"),
    [
        ("auditor", ("accounts", "show", "999999999999"), 5, "There is no account 999999999999"),
        ("csm", ("checkout", "ask", PAYER, "--reason", "BILL_ROOT", *WORDS), 4, "is for the roles operator"),
        (
            "operator",
            ("checkout", "ask", PAYER, "--reason", "BILL_ROOT", "--ticket", "T-1", "--why", "x"),
            7,
            "see",
        ),
        ("operator", ("checkin", "520000000048"), 5, "You have no open checkout"),
        ("operator", ("checkout", "show", "nonsense"), 5, "There is no checkout nonsense"),
    ],
)
def test_a_refusal_has_words_and_a_status(
    demo: Demo, role: str, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done = demo.run(role, *arguments)
    assert done.returncode == status, done.stderr
    assert words in done.stderr.lower() or words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refusal_in_json_is_the_problem_itself(demo: Demo) -> None:
    done = demo.run("auditor", "accounts", "show", "999999999999", "--json")
    assert json.loads(done.stderr)["code"] == "not_found"


def test_lists_and_reasons_are_readable(demo: Demo) -> None:
    accounts = demo.run("operator", "accounts", "list", "northgate")
    assert accounts.stdout.splitlines()[0].split() == [
        "ACCOUNT",
        "NAME",
        "MODEL",
        "KIND",
        "STATE",
        "SITUATION",
    ]
    assert len(accounts.stdout.splitlines()) == 5
    assert "CRED_ROTATE" in demo.run("operator", "reasons").stdout
    shown = demo.run("operator", "accounts", "show", MEMBER)
    assert "password  held" in shown.stdout


def test_signing_in_remembers_a_token_for_its_owner_only(demo: Demo, tmp_path: Path) -> None:
    csm = demo.person("csm")
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "ROOTVAULT_URL": "", "ROOTVAULT_TOKEN": ""}
    here = {name: value for name, value in environment.items() if value}
    given = f"{csm['password']}\n{demo.code('csm')}"
    signed = rootvault(
        "login", demo.state["base_url"], "--email", csm["email"], environment=here, given=given
    )
    assert signed.returncode == 0, signed.stderr
    kept = tmp_path / "rootvault" / "session.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert csm["password"] not in kept.read_text(encoding="utf-8") + signed.stdout + signed.stderr
    assert rootvault("me", environment=here).returncode == 0

    kept.chmod(0o644)
    refused = rootvault("me", environment=here)
    assert refused.returncode == 2
    assert "is not yours alone" in refused.stderr
    kept.chmod(0o600)
    assert rootvault("logout", environment=here).returncode == 0
    assert rootvault("me", environment=here).returncode == 3


def test_a_token_that_does_not_count_is_told(demo: Demo, tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    signed = rootvault("login", demo.state["base_url"], environment=environment, given="rv_pnonsense\n")
    assert signed.returncode == 3
    assert not (tmp_path / "rootvault").exists()


@pytest.mark.parametrize(
    "url", ["http://vault.example.com", "ftp://localhost", "vault.example.com", "http://[x"]
)
def test_a_token_never_travels_in_clear(url: str, tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "ROOTVAULT_URL": url, "ROOTVAULT_TOKEN": "rv_p"}
    done = rootvault("me", environment=environment)
    assert done.returncode == 2


def test_a_vault_that_does_not_answer_is_told(tmp_path: Path) -> None:
    environment = {
        "XDG_CONFIG_HOME": str(tmp_path),
        "ROOTVAULT_URL": "http://127.0.0.1:9",
        "ROOTVAULT_TOKEN": "x",
    }
    done = rootvault("me", environment=environment)
    assert done.returncode == 10
    assert "does not answer" in done.stderr


def test_texts_of_others_cannot_deceive_a_terminal() -> None:
    assert plain("a\x1b[31mb\u202ec\u2066d\r\n") == "a\ufffd[31mb\ufffdc\ufffdd\ufffd "


def _clipboard(directory: Path) -> tuple[Path, str]:
    """Make a clipboard that keeps what it is given in a file."""
    kept = directory / "kept"
    programs = directory / "bin"
    programs.mkdir()
    program = programs / "wl-copy"
    program.write_text(f'#!/bin/sh\ncat > "{kept}"\n', encoding="utf-8")
    program.chmod(0o755)
    (directory / "empty").mkdir()
    return kept, f"{programs}{os.pathsep}{os.environ['PATH']}"
