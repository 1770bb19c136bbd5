"""`destruction`: the certificate of what was destroyed of an account (H9)."""

from __future__ import annotations

from pathlib import Path

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, json_option


@click.command()
@click.argument("account")
@click.option(
    "--text",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as plain text to this file instead, for a ticket or a letter.",
)
@json_option
def destruction(account: str, file: Path | None, *, as_json: bool) -> None:
    """Show what was destroyed of an account, by whom, and who can open a backup from before until when."""
    api = connect()
    path = f"/accounts/{segment(account)}/destruction"
    if as_json:
        emit(api.get(path))
        return
    text = api.take(path, format="text").decode("utf-8")
    if file is not None:
        file.write_text(text, encoding="utf-8")
        click.echo(f"The certificate is in {file}.")
        return
    for line in text.splitlines():
        click.echo(plain(line))
