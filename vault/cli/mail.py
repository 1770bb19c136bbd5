"""`mail`: what came to root addresses, and opening what is sealed under your own live lease."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.checkouts import own
from vault.cli.client import connect, segment
from vault.cli.disclosures import with_factor
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, listed, wait_option

_COLUMNS = (
    ("received_at", "CAME"), ("id", "MAIL"), ("account_id", "ACCOUNT"), ("title", "WHAT"), ("state", "CONTENT"),
    ("from", "FROM"), ("proof", "SENDER"), ("ticket", "TICKET"),
)  # fmt: skip
_FACTS = (
    ("id", "Mail"), ("account_id", "Account"), ("recipient", "To"), ("title", "What"), ("subject", "Subject"),
    ("from", "From"), ("proof", "Sender"), ("state", "Content"), ("received_at", "Came"), ("size", "Bytes"),
    ("ticket", "Ticket"), ("ticket_state", "Told"), ("opened", "Opened"), ("assigned_at", "Given"),
)  # fmt: skip


@click.group(invoke_without_command=True)
@click.pass_context
def mail(context: click.Context) -> None:
    """Mail to root addresses; without a command, the list."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@mail.command("list")
@click.option("--account", help="Only that to this account's root address.")
@click.option("--kind", type=click.Choice(["security", "ordinary", "unmatched"]), help="Only this kind.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_(
    account: str | None = None, kind: str | None = None, limit: int = 50, *, as_json: bool = False
) -> None:
    """List mail, newest first; never a content. Unmatched: to addresses of no account, for custodians."""
    if account is not None and kind is not None:
        raise click.UsageError("Give --account or --kind, not both.")
    api = connect()
    path = "/mail" if account is None else f"/accounts/{segment(account)}/mail"
    found = api.get(path, kind=kind, limit=limit)
    if not as_json:
        found = {**found, "items": [_flat(each) for each in found["items"]]}
    listed(found, _COLUMNS, as_json=as_json)


@mail.command()
@click.argument("mail_id", metavar="MAIL")
@json_option
def show(mail_id: str, *, as_json: bool) -> None:
    """Show what is known of one mail, and who opened it; never its content."""
    found = connect().get(f"/mail/{segment(mail_id)}")
    if as_json:
        emit(found)
        return
    facts(_flat(found), _FACTS)


@mail.command()
@click.argument("mail_id", metavar="MAIL")
@click.argument("account")
@click.option("--why", required=True, help="How you know whose it is; it stands in the log.")
@wait_option
@json_option
def assign(mail_id: str, account: str, why: str, *, wait: bool, as_json: bool) -> None:
    """Give mail to no account to ACCOUNT, unread. What may be a way in is sealed for it; another than you opens it."""
    path = f"/mail/{segment(mail_id)}/assignment"
    found = post_with_factor(connect(), path, {"account_id": account, "why": why}, wait=wait)
    if as_json:
        emit(found)
        return
    facts(_flat(found), _FACTS)


@mail.command("open")
@click.argument("checkout")
@click.argument("mail_id", metavar="MAIL")
@wait_option
@json_option
def open_(checkout: str, mail_id: str, *, wait: bool, as_json: bool) -> None:
    """Open a sealed mail under CHECKOUT (or your open checkout of an account). Each opening is an entry."""
    api = connect()
    checkout_id = own(api, checkout)
    path = f"/checkouts/{segment(checkout_id)}/mail/{segment(mail_id)}"
    answer = with_factor(api, checkout_id, path, {}, wait=wait)
    if as_json:
        emit(answer)
        return
    if answer["forged"]:
        click.echo("Forged: it gives itself out as AWS's and is not. Follow nothing in it.", err=True)
    elif answer["verdict"] != "pass":
        click.echo("Nobody has proven who sent it.", err=True)
    click.echo(f"From: {plain(answer['from'])}\nSubject: {plain(answer['subject'])}\n")
    click.echo("\n".join(plain(line) for line in answer["text"].split("\n")))
    for link in answer["links"]:
        click.echo(plain(link))
    for each in answer["attachments"]:
        click.echo(
            f"Attached, never opened: {plain(each['name'])} ({plain(each['type'])}, {each['size']} bytes)"
        )
    click.echo(f"entry {answer['receipt']['index']} of the log", err=True)


def _flat(item: Any) -> dict[str, Any]:
    proof = (
        "forged" if item["forged"] else {"pass": "proven", "fail": "refuted"}.get(item["verdict"], "unproven")
    )
    opened = [each for each in item.get("openings", ()) if each["state"] != "failed"]
    return {**item, "proof": proof, "opened": ", ".join(each["at"] for each in opened) or None}
