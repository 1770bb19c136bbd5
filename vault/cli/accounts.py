"""`accounts` and `reasons`: what there is, and what root may be used for."""

from __future__ import annotations

import click

from vault.cli.client import connect, segment
from vault.cli.output import emit, facts, json_option, listed, table

_COLUMNS = (
    ("account_id", "ACCOUNT"), ("name", "NAME"), ("model", "MODEL"), ("kind", "KIND"), ("state", "STATE"),
    ("situation", "SITUATION"),
)  # fmt: skip
_FACTS = (
    ("account_id", "account"), ("name", "name"), ("customer_id", "customer"), ("model", "model"), ("kind", "kind"),
    ("state", "state"), ("situation", "situation"), ("root_email", "root e-mail"), ("mailbox", "mailbox"),
    ("phone", "phone"), ("held_since", "held since"), ("checkout", "checkout"),
)  # fmt: skip
_PARTS = (
    ("part", "PART"),
    ("state", "STATE"),
    ("version", "VERSION"),
    ("due", "DUE"),
    ("unverified", "UNVERIFIED"),
)
_REASONS = (
    ("code", "CODE"), ("title", "FOR"), ("kinds", "KINDS"), ("states", "WHEN"), ("approvals", "APPROVALS"),
    ("max_seconds", "SECONDS"),
)  # fmt: skip


@click.group()
def accounts() -> None:
    """AWS accounts in your scope."""


@accounts.command("list")
@click.argument("text", required=False)
@click.option("--state", help="Only those in this custody state.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_(text: str | None, state: str | None, limit: int, *, as_json: bool) -> None:
    """List accounts whose number, name or root e-mail holds TEXT."""
    page = connect().get("/accounts", q=text, state=state, limit=limit)
    if as_json:
        emit(page)
        return
    table(page["items"], _COLUMNS)
    if page.get("next"):
        click.echo("There are more: narrow the text, or raise --limit.")


@accounts.command()
@click.argument("account")
@json_option
def show(account: str, *, as_json: bool) -> None:
    """Show one ACCOUNT with the parts of its credential; no values."""
    found = connect().get(f"/accounts/{segment(account)}")
    if as_json:
        emit(found)
        return
    facts(found, _FACTS)
    click.echo()
    table(found["parts"], _PARTS)


@click.command()
@json_option
def reasons(*, as_json: bool) -> None:
    """List the accepted reasons; everything else goes without root."""
    found = connect().get("/reasons")
    listed(found, _REASONS, as_json=as_json)
