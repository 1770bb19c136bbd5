"""`rootvault serve` as a service manager runs it: listens, sweeps beside, stops in order, leaves nobody behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import last_entry, still_running
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60


@pytest.fixture
def serving(vault_directory: Path) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """Serve a vault on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vault", "serve", "--config", str(vault_directory), "--port", "0", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
    yield process, int(json.loads(text)["port"]), vault_directory
    process.kill()
    process.communicate()


def test_it_answers_and_stops_in_order(serving: tuple[subprocess.Popen[str], int, Path]) -> None:
    process, port, directory = serving
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE) as answer:
        assert json.loads(answer.read()) == {"status": "alive"}
    assert any(" worker " in line for line in still_running(str(directory)))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert still_running(str(directory)) == []
    assert last_entry(directory) == "service.stopped"


def test_killed_it_takes_its_worker_along(serving: tuple[subprocess.Popen[str], int, Path]) -> None:
    process, _, directory = serving
    process.kill()
    process.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while still_running(str(directory)) and time.monotonic() < until:
        time.sleep(0.2)
    assert still_running(str(directory)) == []
    assert last_entry(directory) != "service.stopped"  # nobody was left to say it


def workers(directory: Path) -> list[int]:
    """Give the process ids of a vault's workers."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = each.read_bytes().split(b"\0")
            found += [int(each.parent.name)] if {b"worker", str(directory).encode()} <= set(words) else []
    return found


def test_a_worker_that_was_killed_is_started_again_but_not_after_the_stop(
    serving: tuple[subprocess.Popen[str], int, Path],
) -> None:
    process, _, directory = serving
    (first,) = workers(directory)
    os.kill(first, signal.SIGKILL)
    until = time.monotonic() + PATIENCE
    while not (set(workers(directory)) - {first}) and time.monotonic() < until:
        time.sleep(0.1)
    (second,) = set(workers(directory)) - {first}
    process.send_signal(signal.SIGTERM)
    os.kill(second, signal.SIGTERM)  # as a service manager does, which tells every process
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert err == "rootvault: the worker ended; it is started again after 1 s\n"
    assert still_running(str(directory)) == []
