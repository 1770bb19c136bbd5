"""Exclusive means exclusive: many at once, over four worker processes, on both databases (S4)."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.repository import ROOT
from tests.web.api.samples import STATED
from tests.web.api.service import service_of, the_url
from tests.web.api.shared_world import make_shared
from tests.web.api.test_main_path import held
from vault.domain.actor import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT_ONCE = 50


@contextlib.contextmanager
def serving(url: str, directory: Path) -> Iterator[int]:
    """Serve the vault in `directory` by worker processes; give the port."""
    with (directory / "server.log").open("w") as log:
        command = [sys.executable, "-m", "tests.web.api.serving", url, str(directory)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    with server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            assert line.strip().isdigit(), (directory / "server.log").read_text(encoding="utf-8")
            yield int(line)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    """Let writers really run side by side: SQLite lets them in one by one."""
    return postgresql_url


def test_of_fifty_requests_at_once_exactly_one_is_granted(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    world = make_shared(database_url, tmp_path)
    request.addfinalizer(world.vault.close)
    service = service_of(world)
    held(service)
    tokens = [service.caller(f"o{number}", Role.OPERATOR).token for number in range(AT_ONCE)]
    host = str(urlsplit(the_url(service.app)).hostname)
    together = threading.Barrier(AT_ONCE)

    with serving(database_url, tmp_path) as port:

        def ask(token: str | None) -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.closing(connection):
                connection.connect()
                together.wait(30)
                headers = {
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json",
                    "Host": host,
                }
                connection.request("POST", "/api/v1/checkouts", json.dumps(STATED), headers)
                answer = connection.getresponse()
                found = json.loads(answer.read())
                return answer.status, str(found.get("code", "granted"))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = sorted(pool.map(ask, tokens))

    assert answers == [(201, "granted")] + [(409, "checkout.conflict")] * (AT_ONCE - 1)
    olga = service.callers["o0"]
    found = olga.did("/checkouts?account_id=111122223333", method="GET")["items"]
    assert [each["state"] for each in found] == ["approved"]
    requested = [entry for entry in service.last(AT_ONCE) if entry["type"] == "checkout.requested"]
    assert sorted(entry["outcome"] for entry in requested) == ["denied"] * (AT_ONCE - 1) + ["success"]
