"""`trail`: the people's view of the log, over all accounts in scope or for one (U4)."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect
from vault.cli.output import emit, json_option, table

_COLUMNS = (
    ("index", "ENTRY"), ("time", "TIME"), ("type", "WHAT"), ("outcome", "RESULT"), ("actor", "BY"),
    ("account", "ACCOUNT"), ("reason", "REASON"),
)  # fmt: skip


@click.command()
@click.argument("account", required=False)
@click.option("--type", "type_", help="Only entries of this type, such as checkout.requested.")
@click.option("--outcome", type=click.Choice(["success", "denied", "failed", "unknown"]))
@click.option("--since", help="From this time on (RFC 3339).")
@click.option("--until", help="Before this time (RFC 3339).")
@click.option("--text", help="Only entries that hold this text.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def trail(
    account: str | None,
    type_: str | None,
    outcome: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List entries newest first, of one ACCOUNT or of all in your scope."""
    page = connect().get(
        "/audit/entries",
        account_id=account,
        type=type_,
        outcome=outcome,
        since=since,
        until=until,
        q=text,
        limit=limit,
    )
    if as_json:
        emit(page)
        return
    table([_row(each) for each in page["items"]], _COLUMNS)


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
