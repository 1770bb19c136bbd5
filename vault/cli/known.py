"""`known`: who could have known an account's credential at a time."""

from __future__ import annotations

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, json_option, table

_COLUMNS = (
    ("part", "PART"), ("version", "VERSION"), ("who", "WHO"), ("words", "HOW"), ("since", "SINCE"), ("until", "UNTIL"),
    ("entry", "ENTRY"),
)  # fmt: skip


@click.command()
@click.argument("account")
@click.option("--at", help="As of this time (RFC 3339); now where it is not given.")
@json_option
def known(account: str, at: str | None, *, as_json: bool) -> None:
    """Tell who could have known the password or the MFA device of ACCOUNT, each by its entry in the log."""
    found = connect().get(f"/accounts/{segment(account)}/known", at=at)
    if as_json:
        emit(found)
        return
    rows = [
        {
            **each,
            "who": each["person"]["name"] if each["person"] else "unknown others",
            "since": each["since"] or "before our custody",
            "until": each["ended_at"] or ("its time step" if each["how"] == "code" else "now"),
        }
        for each in found["knowers"]
    ]
    table(rows, _COLUMNS)
    for name in found["alone"]:
        click.echo(f"{plain(name)} knew a password and a device's key at once.")
    for words in found["unknown"]:
        click.echo(plain(words))
