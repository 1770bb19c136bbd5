"""An auditor's own witness beside the demonstration: a process that remembers how far the log has come.

It is `python -m audit witness`, with a key and a memory of its own, as an auditor would run it on a machine of theirs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import audit
from audit.note import Verifier
from audit.witness.client import Client

NAME: Final = "witness.auditor.example/demo"
SECONDS: Final = 30
STOP_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness that runs: where, and under which key."""

    url: str
    vkey: str

    @property
    def client(self) -> Client:
        """The log's side of it."""
        return Client(self.url, Verifier.parse(self.vkey))


@contextmanager
def running(directory: Path, log_vkey: str) -> Iterator[Witness]:
    """Run a new witness of a log until we leave."""
    directory.mkdir(mode=0o700)
    own = ["--key-file", str(directory / "witness.key"), "--state", str(directory / "memory")]
    environment = {**os.environ, "PYTHONPATH": str(Path(audit.__file__).resolve().parent.parent)}
    begin = [sys.executable, "-m", "audit", "witness"]
    made = subprocess.run(  # noqa: S603 - our own program on paths of our own
        [*begin, "init", "--name", NAME, *own],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=SECONDS,
    )
    owner = os.getpid()
    with (directory / "journal").open("w+", encoding="utf-8") as journal:
        process = subprocess.Popen(  # noqa: S603 - our own program on paths of our own
            [*begin, "serve", *own, "--log", log_vkey, "--listen", "127.0.0.1:0"],
            env=environment,
            stderr=journal,
        )
        try:
            yield Witness(_address(process, directory / "journal"), made.stdout.strip())
        finally:
            # the server's workers leave by the same way, and it is not theirs to stop
            if os.getpid() == owner:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_SECONDS)


def _address(process: subprocess.Popen[bytes], journal: Path) -> str:
    """Wait until it says where it serves."""
    for _ in range(SECONDS * 20):
        first, end, _ = journal.read_text(encoding="utf-8").partition("\n")
        if end:
            return str(json.loads(first)["serving"])
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    raise AssertionError("the witness did not begin to serve")
