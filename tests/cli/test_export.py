"""`rootvault export`: a file that is whole or not there, and a copy that was cut off goes on, over real HTTP."""

from __future__ import annotations

import json
import re
import socket
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import pytest

from tests.cli.conftest import rootvault
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from tests.cli.conftest import Demo


class CuttingProxy:
    """Stands before a server and breaks each connection off after so many bytes of the answer."""

    def __init__(self, url: str, after: int) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._after = after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(self._target) as server:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += client.recv(65536)
                length = re.search(rb"(?i)content-length: (\d+)", asked)
                head, _, body = asked.partition(b"\r\n\r\n")
                while length is not None and len(body) < int(length[1]):
                    body += client.recv(65536)
                # as a proxy does that speaks for this machine alone: the server knows its own name only
                name = f"{self._target[0]}:{self._target[1]}".encode()
                head = re.sub(rb"(?im)^host: .*$", b"Host: " + name + b"\r", head.replace(b"\r\n", b"\n"))
                server.sendall(head.replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n\r\n" + body)
                left = self._after
                while left > 0 and (chunk := server.recv(min(65536, left))):
                    left -= len(chunk)
                    client.sendall(chunk)


def cut_off(demo: Demo, proxy: CuttingProxy, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Take a copy through the proxy."""
    environment = {
        "ROOTVAULT_URL": proxy.url,
        "ROOTVAULT_TOKEN": demo.person("auditor")["token"],
        "XDG_CONFIG_HOME": str(demo.home),
    }
    return rootvault("export", *arguments, environment=environment)


@pytest.mark.parametrize("format_", ["bundle", "jsonl", "csv", "ocsf", "cef"])
def test_a_copy_that_was_cut_off_again_and_again_is_whole_in_the_end(
    demo: Demo, tmp_path: Path, format_: str
) -> None:
    out = tmp_path / "copy"
    arguments = ("--format", format_, "--out", str(out))
    with CuttingProxy(demo.state["base_url"], 40_000) as proxy:
        first = cut_off(demo, proxy, *arguments)
        assert first.returncode == 10, first.stderr
        assert "--resume" in first.stderr
        arrived = (tmp_path / "copy.part").stat().st_size
        assert arrived > 30_000
        again = cut_off(demo, proxy, *arguments)
        assert (again.returncode, "--resume" in again.stderr) == (2, True)
        second = cut_off(demo, proxy, *arguments, "--resume")
        assert second.returncode == 10, second.stderr
        assert (tmp_path / "copy.part").stat().st_size > arrived
    assert not out.exists()
    assert stat.S_IMODE((tmp_path / "copy.part").stat().st_mode) == 0o600
    last = demo.run("auditor", "export", *arguments, "--resume", "--json")
    assert last.returncode == 0, last.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    size = json.loads(last.stdout)["size"]
    if format_ == "bundle":
        verify = [sys.executable, "-m", "audit", "verify", str(out), "--key", demo.state["log"]["vkey"]]
        checked = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        return
    found = {
        "jsonl": r'"index":(\d+)',
        "csv": r'^(?:\ufeff)?"(\d+)"',
        "ocsf": r'"leaf_index":(\d+)',
        "cef": r" cn1Label=seq cn1=(\d+)",
    }
    lines = out.read_bytes().decode().splitlines()
    matches = [re.search(found[format_], line) for line in lines]
    assert [int(each[1]) for each in matches if each is not None] == list(range(size))


def test_a_copy_over_a_filter_in_one_go(demo: Demo, tmp_path: Path) -> None:
    out = tmp_path / "reveals.jsonl"
    run = demo.run("auditor", "export", "--type", "secret.reveal.released", "--out", str(out))
    assert run.returncode == 0, run.stderr
    assert str(out) in run.stdout
    *lines, end = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines
    assert end["end"]
    there = demo.run("auditor", "export", "--out", str(out))
    assert (there.returncode, "there already" in there.stderr) == (2, True)


def test_going_on_with_something_else_is_refused(demo: Demo, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    nothing = demo.run("auditor", "export", "--out", str(out), "--resume")
    assert (nothing.returncode, "no copy to go on with" in nothing.stderr) == (2, True)
    with CuttingProxy(demo.state["base_url"], 20_000) as proxy:
        cut_off(demo, proxy, "--out", str(out))
    other = demo.run("auditor", "export", "--out", str(out), "--format", "csv", "--resume")
    assert (other.returncode, "another request" in other.stderr) == (2, True)


def test_who_may_not_leaves_nothing_behind(demo: Demo, tmp_path: Path) -> None:
    run = demo.run("operator", "export", "--out", str(tmp_path / "copy"))
    assert run.returncode == 4, run.stderr
    assert not list(tmp_path.iterdir())
