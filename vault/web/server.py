"""The server: gunicorn with threads, every worker with a vault of its own.

Decided here: how many, how long, how it stops. A worker opens its vault after the fork, because neither
database connections nor locks survive one; only modules are read before. A worker that cannot open it
says why and stops the whole program, instead of being started for ever. No access log of gunicorn's is
written: it would hold paths and queries as they were sent. Forwarded headers are not gunicorn's to
believe (`vault.web.security`).
"""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # publishes no types
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]  # publishes no types
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]  # publishes no types

from vault.errors import Refused, VaultError
from vault.web.connections import BoundedWorker

if TYPE_CHECKING:
    from flask import Flask

    from vault.bootstrap import Vault

REQUEST_SECONDS: Final = 60
"""A worker whose loop is silent for so long is killed; requests themselves are bounded far below."""
STOP_SECONDS: Final = 20
KEEP_ALIVE_SECONDS: Final = 5
NUMBERS: Final = "PROMETHEUS_MULTIPROC_DIR"
WORKER_REFUSED: Final = 3
"""gunicorn's exit status for a worker that did not start; it stops the arbiter."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and with how much to listen."""

    host: str
    port: int
    workers: int = 2
    threads: int = 8


def serve(
    open_vault: Callable[[], Vault], listening: Listening, on_ready: Callable[[str, int], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests end; `on_ready` hears host and real port.

    `open_vault` is called once in every worker. Ends the process with `SystemExit` (0 after a signal, 3
    where a worker could not open its vault).
    """
    if "prometheus_client.values" in sys.modules and NUMBERS not in os.environ:
        # it chooses at import whether workers are summed
        raise Refused(
            "operation.failed", "vault.web.app was imported before serve(); import it in the workers only."
        )
    numbers = Path(tempfile.mkdtemp(prefix="rootvault-numbers-"))
    os.environ[NUMBERS] = str(numbers)
    for module in ("vault.web.app", "vault.web.api", "vault.web.ui"):
        # read once for all workers; nothing is opened by it
        importlib.import_module(module)
    _keep()
    try:
        _Server(open_vault, listening, on_ready).run()
    finally:
        if os.environ.get(NUMBERS) == str(numbers) and _Server.arbiter_pid == os.getpid():
            shutil.rmtree(numbers, ignore_errors=True)


def _keep() -> None:
    """Take what is there for good out of the search for garbage, which stops every thread; workers share it, too."""
    gc.collect()
    gc.freeze()


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    """Our settings in gunicorn's terms."""

    arbiter_pid: int = 0

    def __init__(
        self,
        open_vault: Callable[[], Vault],
        listening: Listening,
        on_ready: Callable[[str, int], None] | None,
    ) -> None:
        self.open_vault = open_vault
        self.listening = listening
        self.on_ready = on_ready
        _Server.arbiter_pid = os.getpid()
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what differs from its defaults."""
        host = f"[{self.listening.host}]" if ":" in self.listening.host else self.listening.host
        memory = Path("/dev/shm")  # noqa: S108 - gunicorn's heartbeat files, without contents
        settings: dict[str, Any] = {
            "bind": f"{host}:{self.listening.port}",
            "workers": self.listening.workers,
            "threads": self.listening.threads,
            "worker_class": BoundedWorker,
            "timeout": REQUEST_SECONDS,
            "graceful_timeout": STOP_SECONDS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "limit_request_field_size": 8190,
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "rootvault",
            "when_ready": self._ready,
            "child_exit": _worker_left,
        }
        if memory.is_dir() and os.access(memory, os.W_OK):
            settings["worker_tmp_dir"] = str(memory)
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Open this worker's vault and make its application; a refusal ends the program with its words."""
        # after the environment was set: see `serve`
        from vault.web.app import create_app  # noqa: PLC0415 - only after the fork

        try:
            made = create_app(self.open_vault())
        except VaultError as error:
            sys.stderr.write(f"rootvault: {error.detail} [{error.code}]\n")
            sys.stderr.flush()
            raise SystemExit(WORKER_REFUSED) from None
        _keep()
        return made

    def run(self) -> None:
        """Run the arbiter; when two workers refuse, gunicorn trips over the second while it stops for the first."""
        try:
            Arbiter(self).run()
        except HaltServer as stop:
            raise SystemExit(stop.exit_status) from None

    def _ready(self, arbiter: Any) -> None:
        if self.on_ready is not None:
            host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
            self.on_ready(str(host), int(port))


def _worker_left(_: Any, worker: Any) -> None:
    from prometheus_client import multiprocess  # noqa: PLC0415 - as in load

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library leaves it untyped
