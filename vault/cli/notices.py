"""`notices`: what you were told, and letters that could not be delivered."""

from __future__ import annotations

import click

from vault.cli.client import connect, segment
from vault.cli.exits import stop
from vault.cli.output import emit, json_option, listed

_COLUMNS = (
    ("id", "NOTICE"), ("at", "WHEN"), ("urgent", "URGENT"), ("title", "WHAT"), ("read_at", "READ"),
)  # fmt: skip
_DEAD = (
    ("id", "NOTICE"), ("channel", "BY"), ("reader", "TO"), ("title", "WHAT"), ("tries", "TRIES"), ("error", "IT SAID"),
    ("dead_at", "GIVEN UP"),
)  # fmt: skip


@click.group(invoke_without_command=True)
@click.pass_context
def notices(context: click.Context) -> None:
    """Show what you were told; without a command, what you have not read."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@notices.command("list")
@click.option("--all", "read_too", is_flag=True, help="Read ones as well.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_(limit: int = 50, *, read_too: bool = False, as_json: bool = False) -> None:
    """List your notices, newest first."""
    page = connect().get("/me/notices", state=None if read_too else "unread", limit=limit)
    listed(page, _COLUMNS, as_json=as_json)


@notices.command()
@click.argument("notice", required=False)
@click.option("--all", "every", is_flag=True, help="All of them.")
@json_option
def read(notice: str | None, *, every: bool, as_json: bool) -> None:
    """Mark NOTICE as read, or all."""
    if (notice is None) != every:
        stop("usage", "Name one notice, or say --all.", 2)
    path = "/me/notices/read" if notice is None else f"/me/notices/{segment(notice)}/read"
    answer = connect().post(path, {})
    if as_json:
        emit(answer)
        return
    click.echo(f"{answer['count']} marked as read." if notice is None else "Marked as read.")


@notices.command()
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def dead(limit: int, *, as_json: bool) -> None:
    """List what could not be delivered; for administrators and auditors."""
    page = connect().get("/notices/dead", limit=limit)
    listed(page, _DEAD, as_json=as_json)


@notices.command()
@click.argument("notice", required=False)
@click.option("--all", "every", is_flag=True, help="All of them.")
@json_option
def replay(notice: str | None, *, every: bool, as_json: bool) -> None:
    """Have NOTICE sent again that could not be delivered, or all; for administrators."""
    if (notice is None) != every:
        stop("usage", "Name one notice, or say --all.", 2)
    path = "/notices/dead/replay" if notice is None else f"/notices/dead/{segment(notice)}/replay"
    answer = connect().post(path, {})
    if as_json:
        emit(answer)
        return
    click.echo(f"{answer['count']} go out again; the worker sends them.")
