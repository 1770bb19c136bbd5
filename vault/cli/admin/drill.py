"""`rootvault drill PROPOSAL`: all that is sealed is opened, each value under each of its keys, and none is shown.

Decided here: the report that an operator reads, and the exit status: 1 where a value did not open as it has to,
10 where a key service is out, so that the drill did not come to every value. Never done here: the work
(`vault.services.drill`, `vault.bootstrap.restore_drill`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vault.bootstrap import open_vault
from vault.bootstrap.ground import open_keys
from vault.bootstrap.restore_drill import try_restore
from vault.bootstrap.rewrapping import drill_of
from vault.cli.admin.host import config_option, settings_of
from vault.cli.admin.rewrap import at_once_option, drawn
from vault.cli.exits import UNAVAILABLE, plain
from vault.cli.output import emit, json_option, table

if TYPE_CHECKING:
    from vault.bootstrap.restore_drill import Tried
    from vault.services.drill import DrillReport

TOLD = 50


@click.command()
@click.argument("proposal")
@config_option
@at_once_option
@click.option(
    "--restore",
    "backup",
    metavar="BACKUP",
    help="Restore this backup beside the vault, open what is in it, and remove it: a file of SQLite, or the address of"
    " a PostgreSQL database that a dump was put back into.",
)
@json_option
def drill(proposal: str, config: str | None, at_once: int, backup: str | None, *, as_json: bool) -> None:
    """Open every credential and sealed mail once, as PROPOSAL says, and report; nothing is shown, nothing is changed.

    Two administrators agreed: rootvault keys drill --why …, with --restore for that of a backup
    """
    settings = settings_of(config)
    vault = open_vault(settings)
    try:
        with drawn(shown=not as_json) as progress:
            work = drill_of(vault, open_keys(settings), at_once)
            tried = None if backup is None else try_restore(vault, work, proposal, backup, progress)
            if tried is None:
                report = work.run(proposal, lambda done, total: progress("opening", done, total))
            else:
                report = tried.found.report
    finally:
        vault.close()
    if as_json:
        emit(as_json_of(report) | ({} if tried is None else {"restore": _restored(tried)}))
    else:
        tell(report)
        if tried is not None:
            _tell_restored(tried)
    if not report.finished:
        raise click.exceptions.Exit(UNAVAILABLE)
    if report.failed or (tried is not None and not tried.found.is_good):
        raise click.exceptions.Exit(1)


def tell(report: DrillReport) -> None:
    """Print a report: what did not open, what opened under which key, what was asked of key services."""
    rows = [
        {
            "account": each.account_id or None,
            "part": each.part,
            "version": each.mail or each.number,
            "code": fault.code,
            "key": fault.key or None,
        }
        for each in report.faults[:TOLD]
        for fault in each.faults
    ]
    if rows:
        names = ("account", "part", "version", "code", "key")
        table(rows, tuple((name, name.upper()) for name in names))
    if report.failed > TOLD:
        click.echo(f"… and {report.failed - TOLD} more; --json tells the first thousand")
    click.echo(
        f"{report.opened} of {report.values} open under each of their keys: {report.versions} versions of"
        f" {report.accounts} accounts, {report.mails} sealed mails."
    )
    for key, count in sorted(report.keys.items()):
        click.echo(f"{count:>8}  opened under {plain(key)}")
    if report.offline:
        click.echo(f"{report.offline:>8}  wraps for the recovery recipient: there, and not to be opened here")
    calls = ", ".join(f"{count} {name}" for name, count in sorted(report.calls.items()))
    click.echo(f"Calls of the key service: {calls or 'none'}; each is in the log.")
    if not report.finished:
        click.echo("A key service is out, so the drill ended before all was opened. Run it again.")


def _restored(tried: Tried) -> dict[str, object]:
    return {
        "origin": tried.origin,
        "promoted": tried.promoted,
        "ended": tried.ended,
        "differences": tried.found.differences,
        "behind": tried.found.behind,
    }


def _tell_restored(tried: Tried) -> None:
    found = tried.found
    click.echo(
        f"Restored as {plain(tried.origin)} and removed again: {tried.promoted} current versions open there,"
    )
    click.echo(f"{tried.ended} leases, sessions, tokens and links were ended in it.")
    if found.differences:
        click.echo(
            f"{found.differences} rows are not as its log says: restore another backup, and find out why."
        )
    if found.behind:
        click.echo(
            f"{found.behind} values that are current today came after this backup: a restore would lose them."
        )


def as_json_of(report: DrillReport) -> dict[str, object]:
    """Give a report as JSON."""
    names = ("proposal", "versions", "accounts", "mails", "opened", "failed", "offline", "finished")
    counted = ("keys", "codes", "calls")
    return (
        {name: getattr(report, name) for name in names}
        | {name: dict(sorted(getattr(report, name).items())) for name in counted}
        | {
            "faults": [
                {
                    "account_id": each.account_id or None,
                    "part": each.part,
                    "version": each.number or None,
                    "mail": each.mail or None,
                    "faults": [{"code": fault.code, "key": fault.key or None} for fault in each.faults],
                }
                for each in report.faults
            ]
        }
    )
