"""`rootvault feed`: who is sent every entry of the log, how far they are, and whether they take one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vault.bootstrap import open_vault
from vault.cli.admin.host import config_option, record_command, settings_of
from vault.cli.exits import plain, stop
from vault.cli.output import emit, json_option, table

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.ports.feeds import Feed
    from vault.services.feeds import Standing

_COLUMNS = (
    ("name", "FEED"),
    ("position", "SENT"),
    ("lag", "WAITING"),
    ("state", "STATE"),
    ("error", "LAST ERROR"),
)


@click.group()
def feed() -> None:
    """Look at the live feeds that the settings name, and try them."""


@feed.command("list")
@config_option
@json_option
def list_(config: str | None, *, as_json: bool) -> None:
    """Say of each feed how many entries were sent, how many wait, and what it last failed with."""
    vault = open_vault(settings_of(config))
    try:
        rows = [_row(each) for each in vault.feeds.standings()]
    finally:
        vault.close()
    if as_json:
        emit({"feeds": rows})
        return
    if not rows:
        click.echo("The settings name no feed: see [feeds] in vault.toml.")
        return
    table(rows, _COLUMNS)


@feed.command()
@click.argument("name", required=False)
@config_option
@json_option
def test(name: str | None, config: str | None, *, as_json: bool) -> None:
    """Send one message, which is no entry, to NAME or to every feed, and say what came of it."""
    vault = open_vault(settings_of(config))
    try:
        chosen = _chosen(vault, name)
        for one in chosen:
            record_command(vault.units, "feed test", vault.clock.now(), feed=one.name)
        came = [(each.name, each.test()) for each in chosen]
    finally:
        vault.close()
    if as_json:
        emit(
            {
                "feeds": [
                    {"name": each, "arrived": not result.error, "error": result.error}
                    for each, result in came
                ]
            }
        )
    for each, result in () if as_json else came:
        click.echo(f"{each}: {'arrived' if result.error is None else plain(result.error)}")
    if any(result.error is not None for _, result in came):
        raise click.exceptions.Exit(1)


@feed.command()
@click.argument("name")
@config_option
@json_option
def start(name: str, config: str | None, *, as_json: bool) -> None:
    """Let a feed go on that was stopped because its receiver wanted nothing more."""
    vault = open_vault(settings_of(config))
    try:
        for each in _chosen(vault, name):
            vault.feeds.start(each.name)
    finally:
        vault.close()
    if as_json:
        emit({"started": name})
        return
    click.echo(f"{name} goes on; the worker sends what waits.")


def _chosen(vault: Vault, name: str | None) -> tuple[Feed, ...]:
    known = vault.feeds.feeds
    chosen = tuple(each for each in known if name in {None, each.name})
    if not chosen:
        there = ", ".join(each.name for each in known) or "none; see [feeds] in vault.toml"
        stop("usage", f"There is no such feed. The settings name: {there}.", 2)
    return chosen


def _row(standing: Standing) -> dict[str, str | int | None]:
    outlet = standing.outlet
    if standing.is_stopped:
        state = "stopped"
    elif outlet is not None and outlet.lost:
        state = "lost"
    else:
        state = "failing" if outlet is not None and outlet.failing_since else "ok"
    return {
        "name": standing.name,
        "position": 0 if outlet is None else outlet.position,
        "lag": standing.lag,
        "state": state,
        "error": None if outlet is None else outlet.error,
    }
