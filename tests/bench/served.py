"""`python -m tests.bench.served vault|floor …`: what the measurement of requests sends its requests to.

`vault` is the program's own server over a vault whose quotas are out of the way; `floor` is the same gunicorn
with the same workers and threads, and an application that does nothing but so many durable commits by
SQLAlchemy Core. Both print the port they listen on.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from tests.bench.floors import core_commits
from tests.bench.scenery import open_generous, settings_for
from vault.adapters.db import engine_for
from vault.web import server

if TYPE_CHECKING:
    from flask import Flask

    from vault.bootstrap import Vault

WORKERS: Final = 2
THREADS: Final = 8


def ready(_: str, port: int) -> None:
    """Tell the port; what is written afterwards goes nowhere, because nobody reads it and a full pipe waits."""
    print(port, flush=True)  # noqa: T201 - how the parent hears of it
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def floor_application(url: str) -> Flask:
    """Make an application with a route for each number of commits."""
    from flask import Flask, jsonify  # noqa: PLC0415 - in the worker, as the program's own

    engine = engine_for(url)
    application = Flask("floor")
    acts = [core_commits(engine, count) for count in (0, 1, 2)]

    @application.post("/commits/<int:count>")
    def commits(count: int) -> Any:
        acts[count]()
        return jsonify(done=count)

    return application


def main(kind: str, url: str, directory: str) -> None:
    """Serve until told to stop."""
    listening = server.Listening("127.0.0.1", 0, WORKERS, THREADS)
    if kind == "vault":
        server.serve(partial(open_generous, settings_for(url, Path(directory))), listening, ready)
        return
    with patch.object(server._Server, "load", lambda _: floor_application(url)):
        server.serve(_no_vault, listening, ready)


def _no_vault() -> Vault:
    raise AssertionError("the floor has no vault behind it")


if __name__ == "__main__":
    os.environ.pop("ROOTVAULT_CONFIG", None)
    main(*sys.argv[1:])
