"""`leaver`: what a person knew when they were shut out, and what is left to rotate."""

from __future__ import annotations

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, json_option, table

_COLUMNS = (
    ("account", "ACCOUNT"),
    ("part", "PART"),
    ("version", "VERSION"),
    ("words", "HOW"),
    ("known_since", "SINCE"),
    ("next_step", "NEXT"),
)


@click.command()
@click.argument("person")
@click.option("--all", "everything", is_flag=True, help="Also what was replaced and proven since.")
@json_option
def leaver(person: str, *, everything: bool, as_json: bool) -> None:
    """Tell how far the rotation of what PERSON (an id) left behind has come, and what is next for each value."""
    vault = connect()
    address, state = f"/people/{segment(person)}/leaver", "any" if everything else "open"
    found = vault.get(address, state=state, limit="200")
    items = list(found["items"])
    cursor = found["next"]
    while cursor is not None:
        page = vault.get(address, state=state, limit="200", cursor=cursor)
        items += page["items"]
        cursor = page["next"]
    if as_json:
        emit({**found, "items": items, "next": None})
        return
    name = plain(found["person"]["name"])
    click.secho(f"{name}: {found['done']} of {found['known']} replaced and proven", bold=True)
    table(items, _COLUMNS)
    for each in found["machine_tokens"]:
        scope = plain(each["scope"])
        click.echo(
            f"Still runs: the machine token {plain(each['name'])} ({scope}), until {each['expires_at']}."
        )
