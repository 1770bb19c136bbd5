"""`rootvault reconcile`: one pass over AWS's own records now, and what it found.

Decided here: exit status 1 where an incident was opened or a source did not answer, so that a script notices.
"""

from __future__ import annotations

import sys

import click

from vault.bootstrap import open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.exits import plain
from vault.cli.output import emit, json_option


@click.command()
@config_option
@json_option
def reconcile(config: str | None, *, as_json: bool) -> None:
    """Compare AWS's records with the log now, as the worker does again and again."""
    vault = open_vault(settings_of(config))
    try:
        if not vault.reconciliation.sources:
            click.echo(
                "No source is set: name one in cloud.folders, cloud.buckets or cloud.lookup_regions.",
                err=True,
            )
        tell = (lambda _: None) if as_json or not sys.stderr.isatty() else _progress
        counts = vault.reconciliation.once(tell)
    finally:
        vault.close()
    if as_json:
        emit(counts.told())
    else:
        click.echo(
            f"{counts.read} records read, {counts.new} new: {counts.matched} explained, {counts.not_ours} not of our "
            f"accounts, {counts.unmatched} unexplained, {counts.missing} missing at AWS."
        )
        click.echo(
            f"{counts.opened} incidents opened. {counts.skipped.total()} records skipped, {counts.late} late, "
            f"{counts.broken} files broken, {counts.failing} sources failing."
        )
    if counts.opened or counts.failing:
        raise click.exceptions.Exit(1)


def _progress(words: str) -> None:
    click.echo(f"… {plain(words)}", err=True)
