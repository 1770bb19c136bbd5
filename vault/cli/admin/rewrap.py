"""`rootvault rewrap PROPOSAL`: every data key under the keys that two people agreed to, resumable and proven.

Decided here: what an operator reads on the way and afterwards, and the exit status: 1 where a value failed, so that
nothing was removed; 10 where a key service is out and the command is to be run again. Never done here: the work
(`vault.services.rewrapping`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from vault.bootstrap import open_vault
from vault.bootstrap.ground import open_keys
from vault.bootstrap.rewrapping import rewrapping_of
from vault.cli.admin.host import config_option, settings_of
from vault.cli.exits import plain
from vault.cli.output import emit, json_option, table

if TYPE_CHECKING:
    from vault.services.rewrapping import RewrapReport

TOLD = 50
at_once_option = click.option(
    "--at-once", type=click.IntRange(1, 64), default=8, show_default=True, help="Calls of KMS at one time."
)


@click.command()
@click.argument("proposal")
@config_option
@click.option("--remove-old", is_flag=True, help="Remove old wraps once all is proven in this run.")
@at_once_option
@json_option
def rewrap(proposal: str, config: str | None, at_once: int, *, remove_old: bool, as_json: bool) -> None:
    """Wrap every data key under the keys of the settings, as PROPOSAL says; run it again to go on where it stopped.

    keys.kms_keys names the new keys, keys.retiring those before; restart the service with these settings first, so
    that nothing new is sealed under the old ones. Two administrators agreed: rootvault keys rewrap KEY … --why …
    """
    settings = settings_of(config)
    vault = open_vault(settings)
    try:
        with drawn(shown=not as_json) as progress:
            work = rewrapping_of(vault, open_keys(settings), at_once)
            report = work.run(proposal, remove_old=remove_old, progress=progress)
    finally:
        vault.close()
    if as_json:
        emit(_as_json(report))
    else:
        _tell(report, proposal)
    if not report.complete:
        raise click.exceptions.Exit(1)


@contextmanager
def drawn(*, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Lend what draws progress where somebody watches."""
    if not shown or not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where a bar is drawn
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - as above

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("sealed values"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield advance


def _tell(report: RewrapReport, proposal: str) -> None:
    for place, code in report.faults[:TOLD]:
        click.echo(f"{place}: {plain(code)}", err=True)
    if report.failed > TOLD:
        click.echo(f"… and {report.failed - TOLD} more; --json tells the first thousand", err=True)
    rows = (
        ("versions of credentials", report.versions),
        ("sealed mails", report.mails),
        ("wrapped anew", report.made),
        ("proven, had every wrap", report.proven),
        ("damaged wraps made anew", report.mended),
        ("old wraps removed from", report.removed),
        ("still with old wraps", report.old_left),
        ("failed", report.failed),
    )
    table([{"what": what, "count": count} for what, count in rows], (("count", "COUNT"), ("what", "WHAT")))
    calls = ", ".join(f"{count} {name}" for name, count in sorted(report.calls.items()))
    click.echo(f"Calls of the key service: {calls or 'none'}; each is in the log.")
    if not report.complete:
        click.echo("Not all is proven, so no old wrap was removed. See why above, mend it, run it again.")
    elif report.old_left:
        click.echo(
            "Everything opens under each key. Old wraps are still there, so the old keys open them as well.\n"
            f"Remove them, if that was agreed to: rootvault rewrap {plain(proposal)} --remove-old"
        )
    else:
        click.echo(
            "Everything opens under each key, and nothing else opens any of it. Empty keys.retiring now."
        )


def _as_json(report: RewrapReport) -> dict[str, object]:
    names = ("proposal", "recipient", "versions", "made", "proven", "removed", "mended", "old_left", "passes")
    return (
        {"mails": report.mails}
        | {name: getattr(report, name) for name in names}
        | {
            "keys": list(report.keys),
            "complete": report.complete,
            "failed": report.failed,
            "faults": [{"version": place, "code": code} for place, code in report.faults],
            "calls": dict(sorted(report.calls.items())),
        }
    )
