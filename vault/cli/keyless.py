"""`keyless`: members without root credentials: list, look, propose, carry out, take as they are."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, table, wait_option

_COLUMNS = (
    ("account_id", "ACCOUNT"), ("name", "NAME"), ("custody", "CUSTODY"), ("state", "ROOT"), ("has", "HAS"),
    ("seen_at", "SEEN"), ("proposal_id", "PROPOSAL"),
)  # fmt: skip
_FACTS = (
    ("account_id", "Account"), ("name", "Name"), ("custody", "Custody"), ("state", "Root"), ("has", "AWS lists"),
    ("seen_at", "Seen"), ("payer_id", "Through payer"), ("proposal_id", "Proposal"), ("better", "Better without"),
)  # fmt: skip
_payer = click.option("--payer", help="The payer to ask; only where it is not the one asked before.")


@click.group(invoke_without_command=True)
@click.pass_context
def keyless(context: click.Context) -> None:
    """Members without root credentials; without a command, the list."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@keyless.command("list")
@click.option("--state", type=click.Choice(["gone", "better", "any"]), default="any", show_default=True)
@click.option("--customer", help="Only those of this customer (DDI or id).")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_(state: str = "any", customer: str | None = None, limit: int = 50, *, as_json: bool = False) -> None:
    """List members whose root could be, or is, without credentials."""
    found = connect().get("/keyless", state=state, customer_id=customer, limit=limit)
    if as_json:
        emit(found)
        return
    table([_flat(item) for item in found["items"]], _COLUMNS)


@keyless.command()
@click.argument("account")
@json_option
def show(account: str, *, as_json: bool) -> None:
    """Show what is known of one member's root; AWS is not asked."""
    _told(connect().get(f"/accounts/{segment(account)}/keyless"), as_json=as_json)


@keyless.command()
@click.argument("account")
@_payer
@json_option
def look(account: str, payer: str | None, *, as_json: bool) -> None:
    """Ask AWS what the member's root has; nothing is changed there."""
    found = connect().post(f"/accounts/{segment(account)}/keyless/look", _asked(payer))
    _told(found, as_json=as_json)


@keyless.command()
@click.argument("account")
@_payer
@json_option
def register(account: str, payer: str | None, *, as_json: bool) -> None:
    """Take a member that never had root credentials as it is, on AWS's word."""
    found = connect().post(f"/accounts/{segment(account)}/keyless/register", _asked(payer))
    _told(found, as_json=as_json)


@keyless.command()
@click.argument("account")
@click.argument("act", type=click.Choice(["remove", "allow"]))
@click.option("--why", required=True, help="A sentence for who agrees, and for the log.")
@wait_option
@json_option
def propose(account: str, act: str, why: str, *, wait: bool, as_json: bool) -> None:
    """Propose that what the last look found goes (remove), or that recovery be allowed again (allow)."""
    path = f"/accounts/{segment(account)}/keyless/proposal"
    found = post_with_factor(connect(), path, {"act": act, "why": why}, wait=wait)
    if as_json:
        emit(found)
        return
    click.echo(
        f"Proposal {plain(found['id'])} waits for another person: rootvault proposals {plain(found['id'])} --agree"
    )
    click.echo(f"Then: rootvault keyless carry-out {plain(account)}")


@keyless.command("carry-out")
@click.argument("account")
@json_option
def carry_out(account: str, *, as_json: bool) -> None:
    """Do at AWS what two people agreed to, or go on with it."""
    found = connect().post(f"/accounts/{segment(account)}/keyless/carry-out", {})
    _told(found, as_json=as_json)


def _asked(payer: str | None) -> dict[str, Any]:
    return {} if payer is None else {"payer_id": payer}


def _told(found: Any, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    facts(_flat(found), _FACTS)


def _flat(item: Any) -> dict[str, Any]:
    return {**item, "has": _in_words(item["found"]), "better": "yes" if item["is_better"] else "no"}


def _in_words(found: Any) -> str | None:
    """Say what a root has in a few words; None where nobody looked."""
    if found is None:
        return None
    counted = (
        ("password", int(found["password"])),
        ("MFA", len(found["mfa_devices"])),
        ("keys", len(found["access_keys"])),
        ("certificates", len(found["certificates"])),
    )
    return (
        ", ".join(name if count == 1 else f"{count} {name}" for name, count in counted if count) or "nothing"
    )
