"""`sample`: a population of entries and a random sample of it, as one file that is checked without the vault."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import click

from vault.cli.client import connect
from vault.cli.exits import stop
from vault.cli.output import emit, json_option

_CHUNK: Final = 1 << 16


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE")
@click.option("--type", "type", help="Only entries of these types, parted by commas.")
@click.option(
    "--outcome", help="Only those that ended so: success, denied, failed, unknown; several with commas."
)
@click.option(
    "--customer", "customer_id", help="Only entries about the accounts of this customer (an id or DDI)."
)
@click.option("--account", "account_id", help="Only entries about this account.")
@click.option("--actor", help="Only entries of this actor (an id).")
@click.option("--reason", help="Only entries for which this reason was stated.")
@click.option("--ticket", help="Only entries for which this ticket was stated.")
@click.option("--since", help="From this time on (RFC 3339).")
@click.option("--until", help="Before this time (RFC 3339).")
@click.option("--text", "q", help="Only entries that hold this text.")
@click.option("--n", type=click.IntRange(1, 500), default=25, show_default=True, help="How many to draw.")
@click.option(
    "--seed",
    "random_seed",
    help="Your own seed, ASCII without blanks; else the vault draws one and tells it.",
)
@json_option
def sample(out: Path, *, as_json: bool, **asked: Any) -> None:
    """Draw a random sample of entries into FILE, each with its proof; anybody can draw it again from the log."""
    body = {name: value for name, value in asked.items() if value is not None}
    if out.exists():
        stop("usage", f"{out} exists; name a new file.", 2)
    with connect().download("/audit/samples", body) as answer:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
    if as_json:
        emit({"file": str(out), "bytes": out.stat().st_size})
        return
    click.echo(f"{out}: README.txt in it says how to check it without the vault.")
