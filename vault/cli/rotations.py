"""`rotations`: what AWS is said to have taken and nothing has proven yet."""

from __future__ import annotations

import click

from vault.cli.client import connect
from vault.cli.output import emit, json_option, table
from vault.domain.credential import PartKind

_COLUMNS = (
    ("id", "ROTATION"), ("account_id", "ACCOUNT"), ("account_name", "NAME"), ("part", "PART"), ("version", "VERSION"),
    ("attested_at", "TAKEN BY AWS"), ("waits", "WAITS"),
)  # fmt: skip
_DAY = 86_400


@click.command()
@click.option("--account", help="Only those of this account.")
@click.option("--customer", help="Only those of this customer's accounts (their id).")
@click.option("--part", type=click.Choice([str(kind) for kind in PartKind]))
@click.option("--overdue", is_flag=True, help="Only those that wait longer than the vault's limit.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def rotations(
    account: str | None, customer: str | None, part: str | None, limit: int, *, overdue: bool, as_json: bool
) -> None:
    """List rotations that wait for their proof, the oldest first."""
    page = connect().get(
        "/rotations",
        state="unverified",
        account_id=account,
        customer_id=customer,
        part=part,
        overdue="true" if overdue else None,
        limit=limit,
    )
    if as_json:
        emit(page)
        return
    table([{**item, "waits": _waits(item)} for item in page["items"]], _COLUMNS)


def _waits(item: dict[str, object]) -> str:
    """Say how long one waits, and whether that is too long."""
    days = int(str(item["waiting_seconds"])) // _DAY
    words = "less than a day" if days < 1 else f"{days} day{'s' if days > 1 else ''}"
    return f"{words}, too long" if item["overdue"] else words
