"""The real server, as a program: it says its port, answers from every worker, stops in order, and says why not."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.prepared import keep_people, prepare

PROGRAM = """
import sys
from vault.web.server import Listening, serve

def open_vault():
    from pathlib import Path
    from tests.support.prepared import reopen
    return reopen(sys.argv[1], Path(sys.argv[2])).vault

def refuse():
    from vault.errors import Refused
    raise Refused("operation.failed", "The data directory is not there. Run `rootvault init` first.")

serve(
    refuse if sys.argv[3] == "refuse" else open_vault,
    Listening("127.0.0.1", 0, workers=2, threads=2),
    lambda host, port: print(host, port, flush=True),
)
"""


@contextlib.contextmanager
def running(url: str, directory: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """Run the server, and leave nothing behind."""
    command = [sys.executable, "-c", PROGRAM, url, str(directory), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def fetch(port: int, path: str) -> str:
    """Ask for a page, under the vault's public name."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Host": "vault.example.com"})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()


def test_it_serves_on_any_free_port_and_stops_when_told(database_url: str, tmp_path: Path) -> None:
    world = prepare(database_url, tmp_path)
    keep_people(world, tmp_path)
    world.close()
    with running(database_url, tmp_path, "serve") as process:
        assert process.stdout is not None
        host, port = process.stdout.readline().split()
        assert (host, int(port) > 0) == ("127.0.0.1", True)
        for _ in range(8):
            assert json.loads(fetch(int(port), "/healthz")) == {"status": "alive"}
        assert json.loads(fetch(int(port), "/readyz"))["status"] == "ready"
        numbers = fetch(int(port), "/metrics")
        assert 'rootvault_requests_total{method="GET",route="/healthz",status="200"} 8.0' in numbers
        process.send_signal(signal.SIGTERM)
        _, words = process.communicate(timeout=90)
        assert (process.returncode, "Traceback" in words) == (0, False)


def test_a_worker_that_cannot_open_its_vault_ends_the_program_and_says_why(tmp_path: Path) -> None:
    with running("-", tmp_path, "refuse") as process:
        _, words = process.communicate(timeout=90)
        assert process.returncode == 3
        assert "Run `rootvault init` first." in words
        assert "Traceback" not in words
