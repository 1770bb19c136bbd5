"""`rootvault worker`: writes down what time has ended already, again and again until it is told to stop.

Nothing depends on it: an expired lease is expired when it is read (ARCHITECTURE rule 10). It makes the log
tell of it in time.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from vault.bootstrap import open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option
from vault.errors import Unavailable

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.services.sweep import Swept


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Sweep once and stop.")
@click.option("--beside", type=int, hidden=True, help="Stop when this process, which started us, is gone.")
@json_option
def worker(config: str | None, beside: int | None, *, once: bool, as_json: bool) -> None:
    """Write down expired leases, lapsed requests and unfinished disclosures."""
    settings = settings_of(config)
    vault = open_vault(settings)
    stop = threading.Event()
    if not once:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    try:
        if once:
            checkouts, reveals = sweep_all(vault)
            if as_json:
                emit({"checkouts": checkouts, "reveals": reveals})
            else:
                click.echo(f"{checkouts} checkouts ended, {reveals} disclosures closed.")
            return
        interval = settings.worker.interval_seconds
        keep_sweeping(vault, interval, lambda seconds: _over(stop, seconds, beside))
    finally:
        vault.close()


def _over(stop: threading.Event, seconds: float, beside: int | None) -> bool:
    """Wait; say whether it is time to stop: we were told to, or who started us was killed."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if stop.wait(min(left, 1.0)) or (beside is not None and os.getppid() != beside):
            return True
    return False


def sweep_all(vault: Vault) -> tuple[int, int]:
    """Sweep until a pass finds nothing more; give the checkouts and disclosures that were written."""
    checkouts = reveals = 0
    while True:
        swept: Swept = vault.sweep.once()
        checkouts += swept.checkouts
        reveals += swept.reveals
        if not swept.checkouts and not swept.reveals:
            return checkouts, reveals


def keep_sweeping(vault: Vault, interval: int, wait: Callable[[float], bool]) -> None:
    """Sweep every `interval` seconds until `wait` says that it is over; a database that is down is tried again."""
    over = False
    while not over:
        try:
            sweep_all(vault)
        except Unavailable as error:
            click.echo(f"worker: {error.detail} [{error.code}]", err=True)
        over = wait(interval)
