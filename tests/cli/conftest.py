"""Vaults to run the command line on: one that was just founded, and a demonstration that is being served."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyotp
import pytest

from tests.support.repository import ROOT
from tests.support.warm import vault_program
from vault.bootstrap import open_vault
from vault.cli.admin.founding import found
from vault.domain.actor import Reach
from vault.ports.store import EntryFilter, Slice
from vault.settings import FILE, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_SECONDS = 90
SETTINGS = """\
environment = "development"
data_directory = "data"
[server]
public_url = "http://127.0.0.1:8400"
[keys]
service = "local"
[log]
origin = "vault.test.example/audit"
"""


def settings_directory(directory: Path) -> Path:
    """Write a vault's settings and policy into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "vault.toml").write_text(SETTINGS, encoding="utf-8")
    shutil.copyfile(ROOT / "config" / "policy.toml", directory / "policy.toml")
    return directory


def rootvault(
    *arguments: str, environment: dict[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program as people do, in a process of its own."""
    return vault_program().run(
        "vault", *arguments, environment={**os.environ, **(environment or {})}, given=given
    )


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found a vault once, in a directory that nobody writes to afterwards."""
    directory = settings_directory(tmp_path_factory.mktemp("founded") / "config")
    settings = load_settings(str(directory), {})
    found(settings, (("one@vault.example", "One"), ("two@vault.example", "Two"))).vault.close()
    return directory


@pytest.fixture
def vault_directory(founded: Path, tmp_path: Path) -> Path:
    """Lend a copy of a founded vault, to be broken at will."""
    return shutil.copytree(founded, tmp_path / "vault")


@dataclass(frozen=True, slots=True)
class Demo:
    """A demonstration that is being served, and a way to use it as one of its people."""

    state: dict[str, Any]
    home: Path
    used: dict[str, int] = field(default_factory=dict)

    def person(self, role: str, number: int = 0) -> dict[str, Any]:
        """Give one of a role."""
        people: list[dict[str, Any]] = self.state["people"]
        return [person for person in people if role in person["roles"]][number]

    def code(self, role: str, number: int = 0) -> str:
        """Give a code of the person's that no test used: the present one, or the next, which counts as well."""
        person = self.person(role, number)
        step = max(int(time.time()) // 30, self.used.get(person["email"], 0) + 1)
        while step > int(time.time()) // 30 + 1:
            time.sleep(0.2)
        self.used[person["email"]] = step
        return pyotp.TOTP(person["totp_seed"]).at(step * 30) + "\n"

    def account(self, account_id: str) -> dict[str, Any]:
        """Give an account as the state file has it."""
        accounts: list[dict[str, Any]] = self.state["accounts"]
        return next(each for each in accounts if each["account_id"] == account_id)

    def run(
        self, role: str, *arguments: str, number: int = 0, given: str = "", path: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a people's command as the first, or another, person of a role."""
        environment = {
            "ROOTVAULT_URL": self.state["base_url"],
            "ROOTVAULT_TOKEN": self.person(role, number)["token"],
            "XDG_CONFIG_HOME": str(self.home),
            "PATH": path or os.environ["PATH"],
        }
        return rootvault(*arguments, environment=environment, given=given)


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Tell the story once for the workers of all cores; give what it said and where it lies. Nobody writes there."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    directory, said = base / "story", base / "story.json"
    with (base / "story.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            directory.mkdir()
            done = rootvault("demo", "--once", *_places(directory))
            said.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
    return subprocess.CompletedProcess(("demo",), *json.loads(said.read_text())), directory


@pytest.fixture(scope="session")
def demo(
    told: tuple[subprocess.CompletedProcess[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    """Serve a copy of the demonstration on a free port until the session ends; Ctrl-C then has to stop it."""
    directory = tmp_path_factory.mktemp("demo")
    shutil.copytree(told[1], directory, dirs_exist_ok=True)
    data, port = directory / "data", _free_port()
    settings = (data / FILE).read_text().replace(str(told[1]), str(directory))
    (data / FILE).write_text(re.sub(r"(127\.0\.0\.1:|\bport = )\d+", rf"\g<1>{port}", settings))
    state = json.loads((directory / "state.json").read_text()) | {"base_url": f"http://127.0.0.1:{port}"}
    with _running(directory, "serve", "--config", str(data)) as process:
        assert process.stdout is not None
        ready = "".join(takewhile(lambda line: line != "}\n", process.stdout)) + "}"
        assert json.loads(ready)["port"] == port
        yield Demo(state, directory / "home")


@contextmanager
def demonstrating(directory: Path) -> Iterator[Demo]:
    """Run a whole demonstration, and serve it as whoever types the command has it."""
    with _running(directory, "demo", "--port", "0", *_places(directory)) as process:
        yield Demo(_ready(process, directory / "state.json"), directory / "home")


def _places(directory: Path) -> tuple[str, ...]:
    return "--data", str(directory / "data"), "--state", str(directory / "state.json")


@contextmanager
def _running(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that serves what lies in a directory; when it is stopped it leaves nothing behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vault", *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "Traceback" not in out
    assert still_running(str(directory)) == []
    assert last_entry(directory / "data") == "service.stopped"


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _ready(process: subprocess.Popen[str], state: Path) -> dict[str, Any]:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if state.exists():
            known: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
            if known["base_url"] is not None:
                return known
        time.sleep(0.1)
    process.kill()
    raise AssertionError(process.communicate())


def still_running(words: str) -> list[str]:
    """Name the processes whose command line holds some words."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = each.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            found += [line] if words in line else []
    return found


def last_entry(directory: Path) -> object:
    vault = open_vault(load_settings(str(directory), {}))
    with vault.units.read() as unit:
        last = unit.log.page(EntryFilter(), Reach(everything=True), Slice(1)).items[0]
    vault.close()
    return last.content["type"]
