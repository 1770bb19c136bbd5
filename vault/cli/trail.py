"""`trail`: the people's view of the log, over all accounts in scope or for one (U4), and one entry of it.

Decided here: every filter of the API has an option. A page that a long search left unfinished says so, and how to
go on. What somebody typed is printed harmless (`exits.plain`); `--json` prints what the API answered.
"""

from __future__ import annotations

import json
from typing import Any, Final

import click

from vault.cli.client import connect
from vault.cli.exits import plain, stop
from vault.cli.output import emit, json_option, table

_COLUMNS: Final = (
    ("index", "ENTRY"), ("time", "TIME"), ("type", "WHAT"), ("outcome", "RESULT"), ("actor", "BY"),
    ("account", "ACCOUNT"), ("reason", "REASON"),
)  # fmt: skip


@click.command()
@click.argument("account", required=False)
@click.argument("index", required=False)
@click.option(
    "--type", "type", help="Only entries of these types, such as checkout.requested; several with commas."
)
@click.option(
    "--without",
    help="Leave these types out, with commas: audit.viewed,audit.exported for all readings of the log.",
)
@click.option(
    "--outcome", help="Only those that ended so: success, denied, failed, unknown; several with commas."
)
@click.option("--actor", help="Only entries of this actor (an id).")
@click.option("--checkout", "checkout_id", help="Only entries of this checkout (an id).")
@click.option("--reason", help="Only entries for which this reason was stated (a code).")
@click.option("--ticket", help="Only entries for which this ticket was stated.")
@click.option("--since", help="From this time on (RFC 3339).")
@click.option("--until", help="Before this time (RFC 3339).")
@click.option("--text", "q", help="Only entries that hold this text, in any case.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", help="Go on where a page before ended.")
@click.option("--lines", is_flag=True, help="Print one JSON object a line: each entry as the API has it.")
@json_option
def trail(account: str | None, index: str | None, *, lines: bool, as_json: bool, **asked: Any) -> None:
    """List entries newest first, of one ACCOUNT or of all in your scope.

    With the word show for ACCOUNT, show the one entry INDEX: its exact bytes, and what to check it by.
    """
    if account == "show":
        _show(index, as_json=as_json)
        return
    if index is not None:
        stop("usage", "Give one account, or: rootvault trail show INDEX", 2)
    page = connect().get("/audit/entries", account_id=account, **asked)
    if as_json:
        emit(page)
        return
    if lines:
        for each in page["items"]:
            click.echo(json.dumps(each, sort_keys=True))
    else:
        table([_row(each) for each in page["items"]], _COLUMNS)
    if page["next"] is not None:
        reached = page.get("reached")
        words = "There is more" if reached is None else f"Looked back to entry {reached}, and there is more"
        click.echo(f"{words}; go on with --cursor {page['next']}", err=True)


def _show(index: str | None, *, as_json: bool) -> None:
    if index is None or not (index.isascii() and index.isdigit()):
        stop("usage", "Name the entry by its number: rootvault trail show INDEX", 2)
    entry = connect().get(f"/audit/entries/{index}")
    if as_json:
        emit(entry)
        return
    table([_row(entry)], _COLUMNS)
    click.echo(f"\nLeaf hash  {plain(entry['leaf_hash'])}")
    click.echo(f"Leaf       {plain(entry['leaf'])}")
    click.echo(f"Proof      GET /api/v1/audit/entries/{index}/proof, then: python -m audit receipt")


def _row(item: Any) -> dict[str, Any]:
    content = item["content"]
    return {
        "index": item["index"],
        "time": content.get("time"),
        "type": content.get("type"),
        "outcome": content.get("outcome"),
        "actor": (content.get("actor") or {}).get("name"),
        "account": (content.get("account") or {}).get("id"),
        "reason": (content.get("reason") or {}).get("code"),
    }
