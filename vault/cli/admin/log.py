"""`rootvault log`: another key for the log, on the host, in two steps with an overlap between them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from vault.bootstrap.log_key import end_overlap, rotate
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option

if TYPE_CHECKING:
    from vault.bootstrap.log_key import Changed


@click.group()
def log() -> None:
    """Change the key that signs the log."""


@log.command("rotate-key")
@config_option
@click.option(
    "--overlap-days",
    type=click.IntRange(0, 366),
    default=30,
    show_default=True,
    help="How long both keys sign, so that auditors can fetch the new vkey.",
)
@json_option
def rotate_key(config: str | None, overlap_days: int, *, as_json: bool) -> None:
    """Make a new key; both sign until the overlap is ended.

    From this command on every process that has only the old key refuses, until it is started with the new settings.
    """
    changed = rotate(settings_of(config), timedelta(days=overlap_days))
    if as_json:
        emit(_as_json(changed))
        return
    click.echo(f"new vkey   {changed.vkey}")
    click.echo(f"old vkey   {changed.previous_vkey}")
    click.echo(
        "           Publish the new line beside the old one; the old one verifies what it signed, for ever."
    )
    click.echo(f"overlap    both keys sign until {changed.overlap_until}")
    _tell(changed, "Back the new key up, then set these and start the service and every worker again:")


@log.command("end-overlap")
@config_option
@click.option("--early", is_flag=True, help="End it although its published time has not come.")
@json_option
def end_overlap_(config: str | None, *, early: bool, as_json: bool) -> None:
    """Look whether the new key can sign alone, and say what to set for it."""
    changed = end_overlap(settings_of(config), early=early)
    if as_json:
        emit(_as_json(changed))
        return
    _tell(changed, "The new key can go on alone. Set these and start the service and every worker again:")


def _tell(changed: Changed, words: str) -> None:
    click.echo(words)
    click.echo("[log]")
    for name, value in changed.settings:
        click.echo(f'{name.partition(".")[2]} = "{value}"')


def _as_json(changed: Changed) -> dict[str, object]:
    return {
        "vkey": changed.vkey,
        "previous_vkey": changed.previous_vkey,
        "overlap_until": changed.overlap_until,
        "settings": dict(changed.settings),
    }
