"""`closure`: accounts that are closed at AWS: open one, the days that are left, and that AWS reopened it."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, json_option, table, wait_option

_COLUMNS = (
    ("state", "STATE"), ("closed_at", "CLOSED"), ("days_left", "DAYS LEFT"), ("dead_at", "DEAD FROM"), ("case", "CASE"),
    ("words", "REOPENED BY"),
)  # fmt: skip


@click.group()
def closure() -> None:
    """Accounts that are closed at AWS."""


@closure.command("open")
@click.argument("account")
@click.option("--ticket", required=True, help="The ticket that holds all communication.")
@click.option(
    "--with", "others", multiple=True, help="An account that is closed with it; may be given again."
)
@click.option("--cause", help="A name of your own: asked again with it, the case is the same.")
@json_option
def open_(account: str, ticket: str, others: tuple[str, ...], cause: str | None, *, as_json: bool) -> None:
    """Open the closure of an account: a checklist, two people, then the closing."""
    sent = {"ticket": ticket, "accounts": list(others)} | ({} if cause is None else {"cause": cause})
    found = connect().post(f"/accounts/{segment(account)}/closure", sent)
    if as_json:
        emit(found)
        return
    click.echo(f"Closure {plain(found['id'])} is open. What comes next: rootvault cases {plain(found['id'])}")


@closure.command()
@click.argument("account")
@json_option
def show(account: str, *, as_json: bool) -> None:
    """Show an account's closings, and how long AWS still reopens it."""
    _told(connect().get(f"/accounts/{segment(account)}/closure"), as_json=as_json)


@closure.command()
@click.argument("account")
@click.option("--on", required=True, help="The day on which AWS reopened it, such as 2027-03-15.")
@click.option("--where", required=True, help="By which case with AWS Support, and where that can be seen.")
@wait_option
@json_option
def reopened(account: str, on: str, where: str, *, wait: bool, as_json: bool) -> None:
    """Write that AWS reopened a closed account, within its 90 days."""
    path = f"/accounts/{segment(account)}/closure/reopen"
    _told(post_with_factor(connect(), path, {"on": on, "where": where}, wait=wait), as_json=as_json)


def _told(found: Any, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    click.echo(f"Account {plain(found['account_id'])} is {plain(found['custody'])}.")
    if found["case"]:
        click.echo(f"It is being closed: rootvault cases {plain(found['case'])}")
    if found["closings"]:
        table(found["closings"], _COLUMNS)
