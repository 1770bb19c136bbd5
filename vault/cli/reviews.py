"""`reviews`: which days of the log were reviewed, and what stands out in one."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, json_option, table

_DAYS = (("day", "DAY"), ("entries", "ENTRIES"), ("state", "STATE"), ("by", "SIGNED BY"), ("entry", "ENTRY"))
_FOUND = (
    ("weight", "WEIGHT"),
    ("name", "WHAT"),
    ("who", "WHO"),
    ("account", "ACCOUNT"),
    ("entries", "ENTRIES"),
)


@click.command()
@click.argument("day", required=False)
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How many days back."
)
@json_option
def reviews(day: str | None, days: int, *, as_json: bool) -> None:
    """List the last days of the log, or tell what stands out in one DAY (as 2026-11-23); looking is an entry."""
    if day is not None:
        _one(connect().get(f"/reviews/{segment(day)}"), as_json=as_json)
        return
    found = connect().get("/reviews", days=days)
    if as_json:
        emit(found)
        return
    table([_row(each) for each in found["items"]], _DAYS)
    if found["unreviewed"]:
        click.secho(f"{found['unreviewed']} days are over for more than 24 hours and not signed.", fg="red")


def _one(found: Any, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    click.secho(f"{found['day']}  {found['state']}  {found['entries']} entries", bold=True)
    rows = [{**each, "entries": _some(each["entries"])} for each in found["anomalies"]]
    table(rows, _FOUND)
    if found["unread"]:
        click.secho(f"Not all entries were looked at, of: {plain(', '.join(found['unread']))}", fg="red")
    if found["signature"]:
        signed = found["signature"]
        click.echo(f"{plain(signed['by'])} signed in entry {signed['entry']}: {plain(signed['sentence'])}")
    elif found["in_the_way"]:
        click.echo(plain(found["in_the_way"]))
    else:
        click.echo("Sign it on the page Review.")


def _row(each: Any) -> dict[str, Any]:
    signed = each["signature"] or {}
    return {**each, "by": signed.get("by"), "entry": signed.get("entry")}


def _some(indexes: list[int]) -> str:
    shown = ", ".join(str(index) for index in indexes[:5])
    return shown if len(indexes) <= 5 else f"{shown} and {len(indexes) - 5} more"  # noqa: PLR2004 - as many as fit a line
