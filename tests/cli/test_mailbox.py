"""`rootvault mailbox` as a process, with real SMTP before it; what doctor says of the mailbox, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import rootvault
from tests.cli.test_examining import last
from tests.support.mailbox import AUTHSERV, CODE, code
from vault.bootstrap.mailbox import check_mailbox
from vault.cli.admin.checks import Level
from vault.cli.admin.mail_check import check_mail
from vault.errors import Refused
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "nobody@msp.example"


def with_mailbox(directory: Path, **more: str) -> tuple[str, str]:
    """Name a mailbox in a vault's settings; give the option that names the settings."""
    words = {"listen": "127.0.0.1:0", "authserv_id": AUTHSERV} | more
    told = "".join(f'{name} = "{value}"\n' for name, value in words.items())
    with (directory / "vault.toml").open("a") as file:
        file.write(f'[mailbox]\ndomains = ["msp.example"]\n{told}')
    return "--config", str(directory)


def doctors(config: tuple[str, str]) -> list[tuple[str, str]]:
    """Give what doctor says of root mail."""
    found: Any = json.loads(rootvault("doctor", *config, "--json").stdout)["findings"]
    return [(each["level"], each["words"]) for each in found if each["check"] == "root mail"]


def test_a_mail_comes_over_smtp_and_is_sealed(vault_directory: Path) -> None:
    config = with_mailbox(vault_directory)
    command = [sys.executable, "-m", "vault", "mailbox", *config, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = "".join(iter(process.stdout.readline, "}\n")) + "}"
        port = json.loads(said)["port"]
        with smtplib.SMTP("127.0.0.1", port, local_hostname="mx.msp.example", timeout=30) as sender:
            sender.sendmail("no-reply@signin.aws", [ADDRESS], code(to=ADDRESS))
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                sender.sendmail("a@b.example", ["root@elsewhere.example"], b"x")
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
    entry = last(vault_directory, "mail.unmatched")
    assert entry["detail"]["verdict"] == "pass"
    for file in (vault_directory / "data").iterdir():
        assert CODE.encode() not in file.read_bytes()
    assert doctors(config) == [
        ("warn", "no ticket can be made of it; 0 notes wait"),
        ("ok", "1 mails are sealed, 1 of them to no account"),
    ]


def test_what_cannot_be_meant_is_refused(vault_directory: Path) -> None:
    plain = ("--config", str(vault_directory))
    refused = rootvault("mailbox", *plain)
    assert (refused.returncode, "mailbox.listen or mailbox.queue" in refused.stderr) == (2, True)
    config = with_mailbox(vault_directory)
    for name, value, words in (
        ("LISTEN", "0.0.0.0:25", "anybody could write to it"),
        ("QUEUE", "https://sqs.eu-west-1.amazonaws.com/1/mail", "go together"),
        ("DOMAINS", "no domain", "which is no domain"),
        ("DOMAINS", "", "must name the domains"),
        ("ORDINARY_FROM", "partner", "ordinary_from"),
    ):
        settings = load_settings(config[1], {f"ROOTVAULT_MAILBOX_{name}": value})
        with pytest.raises(Refused, match=words):
            check_mailbox(settings)
        ((level, told),) = [(each.level, each.words) for each in check_mail(settings)]
        assert (level, words in told) == (Level.FAIL, True)
    off = load_settings(config[1], {"ROOTVAULT_MAILBOX_LISTEN": ""})
    assert list(check_mail(off)) == []
