"""`onboarding`: accounts that are taken over: open, the customer's text, addresses, limits; steps are `cases`'."""

from __future__ import annotations

import csv
from typing import IO, Any, Final

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, facts, json_option, listed

_COLUMNS: Final = (
    ("id", "CASE"),
    ("ddi", "CUSTOMER"),
    ("ticket", "TICKET"),
    ("state", "STATE"),
    ("accounts", "ACCOUNTS"),
    ("done", "DONE"),
    ("steps", "STEPS"),
    ("waits", "WAITS FOR"),
    ("since", "SINCE"),
)
_ADDRESSES: Final = (
    ("address", "ADDRESS"),
    ("account_id", "ACCOUNT"),
    ("use", "USE"),
    ("since", "SINCE"),
    ("until", "UNTIL"),
    ("name", "SAID BY"),
)
_LIMIT: Final = (
    ("new", "New accounts"),
    ("most", "At most"),
    ("ticket", "Ticket of the limit increase"),
    ("name", "Recorded by"),
    ("set_at", "Recorded at"),
)
_HEAD: Final = ("account_id", "name", "model", "kind", "root_email", "origin", "address")
_NEEDED: Final = ("company", "company_address", "signatory", "signatory_email", "path")


@click.group()
def onboarding() -> None:
    """Accounts that are taken over, from the customer's request to custody."""


@onboarding.command("list")
@click.option("--customer", help="A customer's id or DDI.")
@click.option("--all", "everything", is_flag=True, help="Also those that ended.")
@json_option
def list_(customer: str | None, *, everything: bool, as_json: bool) -> None:
    """List onboardings within your sight, and where each waits."""
    items = connect().all("/onboardings", customer_id=customer, open="any" if everything else "true")
    if as_json:
        emit({"items": items, "next": None})
        return
    listed({"items": [_row(each) for each in items], "next": None}, _COLUMNS, as_json=False)


@onboarding.command("open")
@click.option("--customer", required=True, help="The customer's id or DDI.")
@click.option("--ticket", required=True, help="The ticket that holds all communication.")
@click.option(
    "--account", "numbers", multiple=True, help="An account that is registered; may be given again."
)
@click.option(
    "--accounts",
    "table_of",
    type=click.File(encoding="utf-8"),
    help=f"CSV of accounts to register with it: {','.join(_HEAD)}.",
)
@click.option("--company", default="", help="Legal name of the company.")
@click.option("--company-address", default="", help="Its legal address.")
@click.option("--signatory", default="", help="Name of the authorised signatory.")
@click.option("--signatory-email", default="", help="Their e-mail address.")
@click.option("--path", type=click.Choice(("standalone", "payer", "new")), help="The way in.")
@click.option("--cause", default="", help="A name of your own: asked again with it, the case is the same.")
@json_option
def open_(
    customer: str,
    ticket: str,
    numbers: tuple[str, ...],
    table_of: IO[str] | None,
    company: str,
    company_address: str,
    signatory: str,
    signatory_email: str,
    path: str | None,
    cause: str,
    *,
    as_json: bool,
) -> None:
    """Open an onboarding; each account gets a root address of its own."""
    given = dict(
        zip(_NEEDED, (company, company_address, signatory, signatory_email, path or ""), strict=True)
    )
    accounts: list[dict[str, Any]] = [{"account_id": each} for each in numbers]
    accounts += [] if table_of is None else _rows(table_of)
    body: dict[str, Any] = {"customer_id": customer, "ticket": ticket, "accounts": accounts, "cause": cause}
    if any(given.values()):
        body["information"] = given
    found = connect().post("/onboardings", body)
    if as_json:
        emit(found)
        return
    number = plain(found["id"])
    click.echo(f"Onboarding {number} is open, with {found['accounts']} accounts.")
    click.echo(f"The text for the customer: rootvault onboarding instructions {number}")
    click.echo(f"What comes next: rootvault cases show {number}")


@onboarding.command()
@click.argument("case_id", metavar="CASE")
@json_option
def instructions(case_id: str, *, as_json: bool) -> None:
    """Print what the customer is told, as the case stands now."""
    found = connect().get(f"/onboardings/{segment(case_id)}/instructions")
    if as_json:
        emit(found)
        return
    for line in found["text"].splitlines():
        click.echo(plain(line))


@onboarding.command()
@click.argument("case_id", metavar="CASE")
@json_option
def addresses(case_id: str, *, as_json: bool) -> None:
    """Make a root address for each account that has none."""
    found = connect().post(f"/onboardings/{segment(case_id)}/addresses", {})
    if as_json:
        emit(found)
        return
    click.echo(
        "Each account of the case has an address. See: rootvault onboarding instructions "
        + plain(found["id"])
    )


@onboarding.command()
@click.argument("customer")
@click.option("--most", type=click.IntRange(5, 10_000), help="Record that AWS raised the limit to this.")
@click.option("--ticket", help="The ticket on which AWS raised it.")
@json_option
def limit(customer: str, most: int | None, ticket: str | None, *, as_json: bool) -> None:
    """Show how many new AWS accounts a customer has and may have, or record a limit increase."""
    if (most is None) != (ticket is None):
        raise click.UsageError("Give --most and --ticket together.")
    path, api = f"/customers/{segment(customer)}/account-limit", connect()
    found = api.get(path) if most is None else api.post(path, {"most": most, "ticket": ticket})
    if as_json:
        emit(found)
        return
    facts({**found, "name": (found["set_by"] or {}).get("name")}, _LIMIT)


@onboarding.command("root-emails")
@click.option("--text", help="Text in the address or the account's number.")
@click.option("--account", help="Of this account.")
@click.option("--use", type=click.Choice(("reserved", "borne", "earlier")))
@json_option
def root_emails(text: str | None, account: str | None, use: str | None, *, as_json: bool) -> None:
    """List who bore which root address from when to when."""
    items = connect().all("/root-emails", q=text, account_id=account, use=use)
    if as_json:
        emit({"items": items, "next": None})
        return
    rows = [{**each, "name": (each["said_by"] or {}).get("name")} for each in items]
    listed({"items": rows, "next": None}, _ADDRESSES, as_json=False)


def _row(case: Any) -> dict[str, Any]:
    oldest = case["oldest"]
    waits = None if oldest is None else f"{oldest['title']} ({', '.join(oldest['roles'])})"
    since = None if oldest is None else oldest["since"]
    return {**case, "ddi": case["customer"]["ddi"], "waits": waits, "since": since}


def _rows(table_of: IO[str]) -> list[dict[str, Any]]:
    """Read accounts from CSV; which fields one needs is the vault's word."""
    reader = csv.DictReader(table_of)
    unknown = set(reader.fieldnames or ()) - set(_HEAD)
    if unknown or "account_id" not in (reader.fieldnames or ()):
        raise click.UsageError(f"The first line names the columns, out of: {','.join(_HEAD)}.")
    return [_joining(row) for row in reader]


def _joining(row: dict[str, Any]) -> dict[str, Any]:
    origin = (row.pop("origin", "") or "transferred").strip()
    if None in row or origin not in {"new", "transferred"}:
        raise click.UsageError(
            "A line has too many columns, or an origin that is neither new nor transferred."
        )
    named = {name: value.strip() for name, value in row.items() if value and value.strip()}
    return named | {"is_new": origin == "new"}
