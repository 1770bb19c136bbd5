"""`tokens`: one's own, or as an administrator the machines': list, show, end. Making one takes the browser (S23)."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, facts, json_option, listed

_LIST = (
    ("id", "ID"),
    ("name", "NAME"),
    ("state", "STATE"),
    ("expires_at", "ENDS"),
    ("used_at", "LAST USED"),
    ("used_from", "FROM"),
)
_FACTS = (
    ("state", "State"),
    ("scopes", "May"),
    ("scope", "Reaches"),
    ("addresses", "Counts from"),
    ("withheld", "Without the roles"),
    ("effective_at", "In force from"),
    ("expires_at", "Ends"),
    ("used_at", "Last used"),
    ("used_from", "From"),
    ("created_by", "Made by"),
)


@click.command()
@click.argument("token", required=False)
@click.option("--machines", is_flag=True, help="The machines', for administrators.")
@click.option("--end", is_flag=True, help="End it at once.")
@json_option
def tokens(token: str | None, *, machines: bool, end: bool, as_json: bool) -> None:
    """List your tokens, or show or end one TOKEN by its id."""
    api = connect()
    if token is None:
        if end:
            raise click.UsageError("Name the token.")
        found = api.get("/tokens", of="machines" if machines else "people")
        listed(found, _LIST, as_json=as_json)
        return
    path = f"/tokens/{segment(token)}"
    _tell(api.delete(path) if end else api.get(path), as_json=as_json)


def _tell(shown: Any, *, as_json: bool) -> None:
    if as_json:
        emit(shown)
        return
    click.secho(plain(shown["name"]), bold=True)
    joined = {name: ", ".join(shown[name]) for name in ("scopes", "addresses", "withheld")}
    facts({**shown, **joined}, _FACTS)
