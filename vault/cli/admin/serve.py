"""`rootvault serve`: the web server, and the worker beside it as a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import click

from vault.bootstrap import announce, open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.admin.worker import keep_sweeping
from vault.cli.output import emit, json_option

if TYPE_CHECKING:
    from vault.settings import Settings

Ready = Callable[[str, int], None]


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


def run(settings: Settings, port: int, ready: Ready, *, sweeping: bool) -> None:
    """Check, announce the start in the log, and serve; `ready` hears host and real port."""
    vault = open_vault(settings)
    announce(vault)
    # connections do not survive a fork: every worker opens its own vault
    vault.close()
    server = import_module("vault.web.server")
    listening = server.Listening(settings.server.host, port, settings.server.workers, settings.server.threads)
    with _worker(settings, wanted=sweeping):
        server.serve(lambda: open_vault(settings), listening, ready)


@contextmanager
def _worker(settings: Settings, *, wanted: bool) -> Iterator[None]:
    """Run the worker for as long as the server runs."""
    if not wanted:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(
        target=_sweep, args=(settings, os.getpid()), daemon=True, name="rootvault-worker"
    )
    process.start()
    owner = os.getpid()
    try:
        yield
    finally:
        # the server's own workers leave by the same way, and it is not theirs to stop
        if os.getpid() == owner:
            process.terminate()
            process.join(5)


def _sweep(settings: Settings, parent: int) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    vault = open_vault(settings)
    try:
        keep_sweeping(
            vault,
            settings.worker.interval_seconds,
            lambda seconds: stop.wait(seconds) or os.getppid() != parent,
        )
    finally:
        vault.close()
