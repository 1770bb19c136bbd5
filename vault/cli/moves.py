"""`move`: accounts that become another customer's: ask for one, list those of an account; steps are `cases`'."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, json_option, table

_COLUMNS = (
    ("id", "CASE"), ("state", "STATE"), ("from_ddi", "FROM"), ("to_ddi", "TO"), ("day", "DAY"), ("ticket", "TICKET"),
    ("accounts", "ACCOUNTS"), ("changes", "WOULD CHANGE NOW"),
)  # fmt: skip


@click.group()
def move() -> None:
    """Accounts that become another customer's."""


@move.command()
@click.argument("account")
@click.option("--to", required=True, help="The DDI number of the customer that it moves to.")
@click.option("--day", required=True, help="The day of the move, such as 2027-03-15.")
@click.option("--requested", required=True, help="The day on which the customer asked.")
@click.option("--by", "asker", required=True, help="Who asked.")
@click.option("--ticket", required=True, help="The ticket that holds all communication.")
@click.option("--with", "others", multiple=True, help="An account that goes with it; may be given again.")
@click.option("--cause", help="A name of your own: asked again with it, the case is the same.")
@json_option
def ask(
    account: str,
    to: str,
    day: str,
    requested: str,
    asker: str,
    ticket: str,
    others: tuple[str, ...],
    cause: str | None,
    *,
    as_json: bool,
) -> None:
    """Open a move: 14 business days ahead, in a quarter's window or with a fee."""
    body = {"to": to, "day": day, "requested": requested, "by": asker, "ticket": ticket}
    sent = {**body, "accounts": list(others)} | ({} if cause is None else {"cause": cause})
    found = connect().post(f"/accounts/{segment(account)}/moves", sent)
    if as_json:
        emit(found)
        return
    click.echo(
        f"Move {plain(found['id'])} is open. What comes next: rootvault cases show {plain(found['id'])}"
    )


@move.command("list")
@click.argument("account")
@json_option
def list_(account: str, *, as_json: bool) -> None:
    """List an account's moves, with what an open one would change now."""
    found = connect().get(f"/accounts/{segment(account)}/moves")
    if as_json:
        emit(found)
        return
    table([_flat(item) for item in found["items"]], _COLUMNS)


def _flat(item: Any) -> dict[str, Any]:
    return {**item, "accounts": " ".join(item["accounts"]), "changes": _in_words(item["foreseen"])}


def _in_words(foreseen: Any) -> str | None:
    """Say in a few words what a move changes; None where it is over."""
    if foreseen is None:
        return None
    return (
        f"{foreseen['loses']} lose sight, {foreseen['gains']} gain it, {foreseen['by_account']} keep it by a role for "
        f"the account, {foreseen['checkouts']} checkouts end"
    )
