"""`rootvault feed`, the worker that feeds, and what doctor says of it, with a real receiver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import rootvault
from tests.cli.test_examining import last
from tests.support.receivers import Hook, StreamReceiver

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def with_feeds(directory: Path, **feeds: str) -> tuple[str, str]:
    """Name feeds in a vault's settings; give the option that names the settings."""
    secret = directory / "data" / "webhook.secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    told = "".join(f'{name} = "{value}"\n' for name, value in feeds.items())
    with (directory / "vault.toml").open("a") as file:
        file.write(f"[feeds]\n{told}")
    return "--config", str(directory)


def test_the_worker_sends_everything_and_the_command_tells_how_far_it_is(vault_directory: Path) -> None:
    with Hook(SECRET) as hook, StreamReceiver() as stream:
        config = with_feeds(
            vault_directory,
            webhook_url=hook.url,
            webhook_secret_file="webhook.secret",
            syslog=f"tcp://127.0.0.1:{stream.port}",
        )
        before = json.loads(rootvault("feed", "list", *config, "--json").stdout)["feeds"]
        assert [(each["name"], each["position"], each["state"]) for each in before] == [
            ("webhook", 0, "ok"),
            ("syslog", 0, "ok"),
        ]
        tested = rootvault("feed", "test", *config)
        assert (tested.returncode, tested.stdout) == (0, "webhook: arrived\nsyslog: arrived\n")
        assert last(vault_directory, "host.command")["detail"] == {"command": "feed test", "feed": "syslog"}
        assert rootvault("feed", "start", "webhook", *config).returncode == 0
        assert last(vault_directory, "host.command")["detail"] == {"command": "feed start", "feed": "webhook"}
        worked = rootvault("worker", "--once", *config)
        assert worked.returncode == 0, worked.stderr
        after = json.loads(rootvault("feed", "list", *config, "--json").stdout)["feeds"]
        doctor = json.loads(rootvault("doctor", *config, "--json").stdout)
    assert [each["data"]["index"] for each in hook.taken[1:]] == list(range(after[0]["position"]))
    assert len(stream.messages) == 1 + after[1]["position"]
    assert after[0]["position"] > 0
    told = [each["words"] for each in doctor["findings"] if each["check"] == "feeds"]
    assert told == [f"{each['name']}: {each['lag']} entries wait" for each in after]


def test_nobody_there_is_told_by_status_and_words(vault_directory: Path) -> None:
    config = with_feeds(vault_directory, syslog=f"unix://{vault_directory / 'nothing'}")
    tested = rootvault("feed", "test", *config)
    assert tested.returncode == 1
    assert "No such file" in tested.stdout
    assert rootvault("worker", "--once", *config).returncode == 0
    doctor = json.loads(rootvault("doctor", *config, "--json").stdout)
    (told,) = [each for each in doctor["findings"] if each["check"] == "feeds"]
    assert told["level"] == "warn"
    assert "fails since" in told["words"]
    unknown = rootvault("feed", "test", "pigeon", *config)
    assert (unknown.returncode, "The settings name: syslog" in unknown.stderr) == (2, True)


@pytest.mark.parametrize(
    ("feeds", "words"),
    [
        ({"webhook_url": "http://siem.example.com/", "webhook_secret_file": "webhook.secret"}, "https://"),
        ({"webhook_url": "https://siem.example.com/"}, "webhook_secret_file"),
        ({"webhook_url": "https://siem.example.com/", "webhook_secret_file": "none"}, "none"),
        ({"syslog": "siem.example.com"}, "tcp://"),
    ],
)
def test_a_feed_that_cannot_be_right_ends_the_start_with_words(
    vault_directory: Path, feeds: dict[str, str], words: str
) -> None:
    config = with_feeds(vault_directory, **feeds)
    run = rootvault("worker", "--once", *config)
    assert run.returncode == 2
    assert words in run.stderr
    assert SECRET not in run.stderr
    assert "Traceback" not in run.stderr
