"""Half-sent requests: a stranger who keeps every thread waiting does not keep the vault (S5)."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.prepared import keep_people, prepare

PROGRAM = """
import sys
from pathlib import Path
from tests.support.prepared import reopen
from vault.web.connections import BoundedWorker
from vault.web.server import Listening, serve

BoundedWorker.arrival_seconds = 1.0
serve(
    lambda: reopen(sys.argv[1], Path(sys.argv[2])).vault,
    Listening("127.0.0.1", 0, workers=1, threads=2),
    lambda host, port: print(port, flush=True),
)
"""
HEAD = b"GET /healthz HTTP/1.1\r\nHost: vault.example.com\r\nX-Slow: "
BODY = (
    b"POST /api/v1/sign-in HTTP/1.1\r\nHost: vault.example.com\r\nContent-Type: application/json\r\n"
    b"Content-Length: 500\r\n\r\n{"
)


@pytest.mark.parametrize("sent", [HEAD, BODY], ids=["headers", "body"])
def test_requests_that_never_end_do_not_stop_the_vault(tmp_path: Path, sent: bytes) -> None:
    url = f"sqlite+pysqlite:///{tmp_path / 'vault.db'}"
    world = prepare(url, tmp_path)
    keep_people(world, tmp_path)
    world.close()
    command = [sys.executable, "-c", PROGRAM, url, str(tmp_path)]
    with (
        contextlib.ExitStack() as after,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process,
    ):
        after.callback(process.terminate)
        assert process.stdout is not None
        port = int(process.stdout.readline())
        slow = [after.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(3)]
        for each in slow:
            each.sendall(sent)
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
        after.callback(connection.close)
        connection.request("GET", "/healthz", headers={"Host": "vault.example.com"})
        assert json.loads(connection.getresponse().read()) == {"status": "alive"}
        # three of them in two threads, a second or two each
        assert time.monotonic() - began < 30
        process.terminate()
