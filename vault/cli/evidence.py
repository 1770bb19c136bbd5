"""`evidence`: what the log tells of one checkout, or all of it with its proofs as one file (PCI DSS 8.2.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vault.cli.checkouts import latest
from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, json_option


@click.command()
@click.argument("checkout")
@click.option(
    "--tar",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write evidence, leaves, proofs and checkpoint to this file instead; taking it is an entry.",
)
@json_option
def evidence(checkout: str, file: Path | None, *, as_json: bool) -> None:
    """Tell who asked, why, by whose word, what was disclosed and what followed, each with its entry.

    CHECKOUT is its id, or an account's number for the account's last one.
    """
    api = connect()
    path = f"/checkouts/{segment(latest(api, checkout))}/evidence"
    if file is not None:
        content = api.take(path, format="tar")
        file.write_bytes(content)
        click.echo(f"{len(content)} bytes in {file}; README.txt in it says how to check them.")
        return
    found = api.get(path)
    if as_json:
        emit(found)
        return
    _tell(found)


def _tell(found: Any) -> None:
    click.echo(f"Account {plain(found['account'])}, checkout {plain(found['checkout'])}, {found['state']}")
    for section in found["sections"]:
        if not section["lines"]:
            continue
        click.secho(f"\n{plain(section['title'])}", bold=True)
        for line in section["lines"]:
            who = f"{line['actor']['name']} ({line['actor']['role']}) {line['actor']['ip']}".rstrip()
            click.echo(f"  {line['index']:>8}  {line['time'][:19]}Z  {plain(line['type'])}  {plain(who)}")
            for fact in line["facts"]:
                click.echo(f"            {plain(fact['name'])}: {plain(fact['value'])}")
    click.echo()
    for words in found["disagreements"]:
        click.secho(f"The tables differ: {plain(words)}", fg="red")
    for words in found["still_open"] or ["Nothing is open."]:
        click.echo(plain(words))
    for words in found["values"]:
        click.echo(plain(words))
    click.echo("Each part tells its entries in the log's own order.")
    click.echo(plain(found["cloud"]["words"]))
