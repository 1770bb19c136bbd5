"""`rootvault serve`: the web server, and the worker beside it as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from vault.bootstrap import announce, open_vault, take_leave
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option
from vault.errors import VaultError

if TYPE_CHECKING:
    from vault.settings import Settings

Ready = Callable[[str, int], None]
STOP_SECONDS: Final = 10


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
        with _worker(settings, os.environ if environment is None else environment, wanted=sweeping):
            server.serve(lambda: open_vault(settings), listening, ready)
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
def _worker(settings: Settings, environment: Mapping[str, str], *, wanted: bool) -> Iterator[None]:
    """Run `rootvault worker` for as long as the server runs."""
    if not wanted:
        yield
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
    process = subprocess.Popen(command, env=dict(environment))  # noqa: S603 - this program itself
    try:
        yield
    finally:
        # the server's own workers leave by the same way, and it is not theirs to stop
        if os.getpid() == owner:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
