"""`rootvault serve`: the web server, and the worker beside it as a process of its own.

Decided here: a worker that ended is started again until the server stops.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from vault.bootstrap import announce, open_vault, take_leave
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option
from vault.errors import VaultError

if TYPE_CHECKING:
    from types import FrameType

    from vault.settings import Settings

Ready = Callable[[str, int], None]
STOP_SECONDS: Final = 15
"""How long the worker may take to stop; it gives its own jobs ten seconds."""
LOOK_SECONDS: Final = 0.2


@click.command()
@config_option
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Instead of server.port; 0 takes any that is free."
)
@click.option("--no-worker", is_flag=True, help="Sweep elsewhere (rootvault worker).")
@json_option
def serve(config: str | None, port: int | None, *, no_worker: bool, as_json: bool) -> None:
    """Answer requests until interrupted.

    What is wrong with settings, keys, database or log is told before anything listens.
    """
    settings = settings_of(config)

    def ready(host: str, real_port: int) -> None:
        if as_json:
            emit({"host": host, "port": real_port, "pid": os.getpid()})
        else:
            click.echo(f"Listening on {host}:{real_port}, for {settings.server.public_url}")

    run(settings, settings.server.port if port is None else port, ready, sweeping=not no_worker)


def run(
    settings: Settings,
    port: int,
    ready: Ready,
    *,
    sweeping: bool,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Check, announce the start in the log, and serve; `ready` hears host and real port.

    `environment` is the worker's, who reads the same settings by itself; ours where it is not given.
    """
    vault = open_vault(settings)
    announce(vault)
    # connections do not survive a fork: every worker opens its own vault
    vault.close()
    server = import_module("vault.web.server")
    listening = server.Listening(settings.server.host, port, settings.server.workers, settings.server.threads)
    owner = os.getpid()
    try:
        with _worker(settings, os.environ if environment is None else environment, wanted=sweeping) as heed:

            def begun(host: str, real_port: int) -> None:
                heed()
                ready(host, real_port)

            server.serve(lambda: open_vault(settings), listening, begun)
    finally:
        # the server's own workers leave by the same way, and the service goes on without them
        if os.getpid() == owner:
            _take_leave(settings)


def _take_leave(settings: Settings) -> None:
    try:
        vault = open_vault(settings)
        take_leave(vault)
        vault.close()
    except VaultError as error:
        click.echo(f"The stop could not be recorded: {error.detail} [{error.code}]", err=True)


@contextmanager
def _worker(
    settings: Settings, environment: Mapping[str, str], *, wanted: bool
) -> Iterator[Callable[[], None]]:
    """Keep `rootvault worker` running for as long as the server runs; gives what to call once the server listens."""
    if not wanted:
        yield lambda: None
        return
    owner = os.getpid()
    command = [
        sys.executable,
        "-m",
        "vault",
        "worker",
        "--config",
        str(settings.directory),
        "--beside",
        str(owner),
    ]
    keeper = Keeper(lambda: subprocess.Popen(command, env=dict(environment)))  # noqa: S603 - this program itself
    keeper.begin()
    try:
        yield keeper.heed
    finally:
        # the server's own workers leave by the same way, and it is not theirs to stop
        if os.getpid() == owner:
            keeper.end()


@dataclass(slots=True)
class Keeper:
    """Keeps a process running: one that ended is started again, at a bounded pace, until `end`.

    `longest` is the longest pause in seconds; a process that ran for so long begins with the first pause again.
    """

    start: Callable[[], subprocess.Popen[bytes]]
    first: float = 1.0
    longest: float = 60.0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start the process, and watch it in a thread."""
        self._process = self.start()
        self._thread = threading.Thread(target=self._watch, args=(self._process,), name="keeper", daemon=True)
        self._thread.start()

    def heed(self) -> None:
        """Hear the signals that stop the server as well, before it acts on them: then nothing is started again."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            then = signal.getsignal(number)
            if callable(then):
                signal.signal(number, partial(self._told, then))

    def _told(
        self, then: Callable[[int, FrameType | None], object], number: int, frame: FrameType | None
    ) -> None:
        self._over.set()
        then(number, frame)

    def end(self) -> None:
        """Stop the process, by force where it does not stop in time; it is not started again."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
        process.kill()
        process.wait()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        pause, began = self.first, time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            if process.poll() is None:
                continue
            if time.monotonic() - began >= self.longest:
                pause = self.first
            # who stops a service tells all its processes: the worker may hear of it before we do
            if self._over.wait(pause):
                return
            click.echo(f"rootvault: the worker ended; it is started again after {pause:g} s", err=True)
            pause, began = min(self.longest, pause * 2), time.monotonic()
            try:
                process = self._process = self.start()
            except OSError as failure:
                click.echo(f"rootvault: the worker cannot be started: {failure.strerror}", err=True)
