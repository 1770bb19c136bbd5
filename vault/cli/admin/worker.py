"""`rootvault worker`: writes down what time has ended already, and takes the log outside, until it is told to stop.

No lease depends on it: an expired one is expired when it is read (ARCHITECTURE rule 10), and the worker makes
the log tell of it in time. Places outside do: without a worker none confirms the log, and disclosures stop.
"""

from __future__ import annotations

import os
import signal
import threading
import time

import click

from vault.bootstrap import open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.admin.jobs import Jobs, attempt, jobs_of, sweep_all
from vault.cli.exits import Failure
from vault.cli.output import emit, json_option


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Do everything once and stop.")
@click.option("--beside", type=int, hidden=True, help="Stop when this process, which started us, is gone.")
@json_option
def worker(config: str | None, beside: int | None, *, once: bool, as_json: bool) -> None:
    """Write down expired leases, lapsed requests and unfinished disclosures; take the log to places outside."""
    settings = settings_of(config)
    vault = open_vault(settings)
    stop = threading.Event()
    if not once:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    try:
        if once:
            checkouts, reveals = sweep_all(vault)
            others = [job for job in jobs_of(vault) if job.once is not sweep_all]
            failed = [job.name for job in others if not attempt(vault, job)]
            if as_json:
                emit({"checkouts": checkouts, "reveals": reveals})
            else:
                click.echo(f"{checkouts} checkouts ended, {reveals} disclosures closed.")
            if failed:
                detail = f"Not everything could be done: {', '.join(failed)}. The lines above say why."
                raise Failure("operation.failed", detail, exit_status=1)
            return
        Jobs(vault, stop).run(jobs_of(vault), lambda seconds: _over(stop, seconds, beside))
    finally:
        vault.close()


def _over(stop: threading.Event, seconds: float, beside: int | None) -> bool:
    """Wait; say whether it is time to stop: we were told to, or who started us was killed."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if stop.wait(min(left, 1.0)) or (beside is not None and os.getppid() != beside):
            return True
    return False
