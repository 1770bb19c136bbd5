"""`incidents`: what was found that the log does not explain: list, show, take, hand on, close."""

from __future__ import annotations

import json
from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, facts, json_option, table
from vault.domain.incident import IncidentKind

_COLUMNS = (
    ("id", "INCIDENT"), ("severity", "WEIGHT"), ("kind", "WHAT"), ("account_id", "ACCOUNT"), ("state", "STATE"),
    ("owner", "OWNER"), ("opened_at", "FOUND"),
)  # fmt: skip
_FACTS = (
    ("id", "Incident"), ("kind", "What"), ("severity", "Weight"), ("state", "State"), ("account_id", "Account"),
    ("checkout_id", "Last checkout"), ("happened_at", "Happened"), ("opened_at", "Found"), ("summary", "Summary"),
    ("owner", "Owner"), ("closed_at", "Closed"), ("closing", "Explained"), ("record_count", "AWS records"),
)  # fmt: skip
_RECORDS = (
    ("happened_at", "WHEN"), ("name", "WHAT"), ("error", "REFUSED"), ("who", "WHO"), ("ip", "FROM"), ("mfa", "MFA"),
)  # fmt: skip


@click.group(invoke_without_command=True)
@click.pass_context
def incidents(context: click.Context) -> None:
    """List, show, take and close what the log does not explain; without a command, the list."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@incidents.command("list")
@click.option("--all", "closed_too", is_flag=True, help="Closed ones as well.")
@click.option("--kind", type=click.Choice([str(kind) for kind in IncidentKind]))
@click.option("--account", help="Only those about this account.")
@click.option("--mine", is_flag=True, help="Only those that you own.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_(
    kind: str | None = None,
    account: str | None = None,
    limit: int = 50,
    *,
    closed_too: bool = False,
    mine: bool = False,
    as_json: bool = False,
) -> None:
    """List incidents, the weightiest and oldest open ones first."""
    page = connect().get(
        "/incidents",
        state=None if closed_too else "open",
        kind=kind,
        account_id=account,
        owner="me" if mine else None,
        limit=limit,
    )
    if as_json:
        emit(page)
        return
    table([{**item, "owner": _name(item["owner"])} for item in page["items"]], _COLUMNS)


@incidents.command()
@click.argument("incident")
@json_option
def show(incident: str, *, as_json: bool) -> None:
    """Show one with AWS's records that belong to it."""
    found = connect().get(f"/incidents/{segment(incident)}")
    if as_json:
        emit(found)
        return
    facts({**found, "owner": _name(found["owner"])}, _FACTS)
    if found["records"]:
        click.echo()
        table(found["records"], _RECORDS)
    click.echo()
    click.echo("Evidence, as it was found:")
    for line in _drawn(found["evidence"]):
        click.echo(f"  {plain(line)}")


@incidents.command()
@click.argument("incident")
@click.option(
    "--to", help="Hand it on to this person (their id); what another has is handed on by them or an auditor."
)
@json_option
def take(incident: str, to: str | None, *, as_json: bool) -> None:
    """Take one that nobody has, or hand it on."""
    found = connect().post(f"/incidents/{segment(incident)}/take", {} if to is None else {"to": to})
    _told(found, as_json=as_json)


@incidents.command()
@click.argument("incident")
@click.argument("sentence")
@json_option
def close(incident: str, sentence: str, *, as_json: bool) -> None:
    """Close one that you own with what explains it, in 10 to 500 characters.

    What is about the log itself (unlogged_decrypt, log_damaged) is closed by an auditor.
    """
    found = connect().post(f"/incidents/{segment(incident)}/close", {"sentence": sentence})
    _told(found, as_json=as_json)


def _told(found: Any, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    owner = _name(found["owner"])
    click.echo(
        f"{plain(found['id'])} is {plain(found['state'])}" + (f", owned by {plain(owner)}." if owner else ".")
    )


def _drawn(evidence: str) -> list[str]:
    """Lay JSON out in lines, still all ASCII; what is not JSON stays one line."""
    try:
        return json.dumps(json.loads(evidence), indent=2, sort_keys=True).split("\n")
    except (ValueError, RecursionError):
        return [evidence]


def _name(owner: Any) -> str | None:
    return None if owner is None else str(owner["name"])
