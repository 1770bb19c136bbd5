"""`findings`, `drift` and `inspection`: what of accounts at AWS is not as it should be, and what was seen of them."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, facts, json_option, table
from vault.domain.hygiene import ACCEPTED_MOST, FindingState, Rule

_COLUMNS = (
    ("id", "FINDING"), ("weight", "WEIGHT"), ("rule", "WHAT"), ("subject", "OF IT"), ("account_id", "ACCOUNT"),
    ("state", "STATE"), ("owner", "OWNER"), ("opened_at", "OPEN SINCE"),
)  # fmt: skip
_FACTS = (
    ("id", "Finding"), ("rule", "What"), ("weight", "Weight"), ("account_id", "Account"), ("subject", "Of it"),
    ("summary", "Summary"), ("state", "State"), ("first_at", "First seen"), ("opened_at", "Open since"),
    ("seen_at", "Last seen"), ("owner", "Owner"), ("ended_at", "Ended"), ("ending", "Why"),
    ("accepted_until", "Accepted until"),
)  # fmt: skip
_ROSTERS = (
    ("payer_id", "PAYER"),
    ("at", "READ"),
    ("count", "ACCOUNTS"),
    ("unknown", "NOT READ"),
    ("code", "AWS SAYS"),
)
_SEEN = (
    ("seen_at", "Seen"), ("at", "The same since"), ("root_keys", "Root access keys"),
    ("root_certificates", "Root certificates"), ("root_mfa", "Root MFA"), ("root_password", "Root password"),
    ("password_last_used", "Password last used"), ("place", "In an Organization"), ("payer_id", "Payer"),
)  # fmt: skip


@click.group(invoke_without_command=True)
@click.pass_context
def findings(context: click.Context) -> None:
    """List, show, take and end what of accounts is not as it should be; without a command, the list."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@findings.command("list")
@click.option(
    "--state", type=click.Choice([*map(str, FindingState), "all"]), default="open", show_default=True
)
@click.option("--rule", type=click.Choice([str(rule) for rule in Rule]))
@click.option("--account", help="Only those of this account.")
@click.option("--mine", is_flag=True, help="Only those that you own.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_(
    state: str = "open",
    rule: str | None = None,
    account: str | None = None,
    limit: int = 50,
    *,
    mine: bool = False,
    as_json: bool = False,
) -> None:
    """List findings, the weightiest and oldest open ones first."""
    page = connect().get(
        "/findings",
        state=None if state == "all" else state,
        rule=rule,
        account_id=account,
        owner="me" if mine else None,
        limit=limit,
    )
    _list(page, as_json=as_json)


@findings.command()
@click.argument("finding")
@json_option
def show(finding: str, *, as_json: bool) -> None:
    """Show one."""
    found = connect().get(f"/findings/{segment(finding)}")
    if as_json:
        emit(found)
        return
    facts({**found, "owner": _name(found["owner"])}, _FACTS)


@findings.command()
@click.argument("finding")
@click.option("--to", help="Hand it on to this person (their id).")
@json_option
def take(finding: str, to: str | None, *, as_json: bool) -> None:
    """Take one that nobody has, or hand yours on."""
    found = connect().post(f"/findings/{segment(finding)}/take", {} if to is None else {"to": to})
    _told(found, as_json=as_json)


@findings.command()
@click.argument("finding")
@click.argument("sentence")
@json_option
def close(finding: str, sentence: str, *, as_json: bool) -> None:
    """Say that one of yours is mended, in 10 to 500 characters; seen again, it is open again."""
    found = connect().post(f"/findings/{segment(finding)}/close", {"sentence": sentence})
    _told(found, as_json=as_json)


@findings.command()
@click.argument("finding")
@click.argument("sentence")
@click.option("--days", type=click.IntRange(1, ACCEPTED_MOST.days), default=90, show_default=True)
@json_option
def accept(finding: str, sentence: str, days: int, *, as_json: bool) -> None:
    """Accept one of yours for some days, with a sentence; what weighs most is never accepted."""
    body = {"sentence": sentence, "days": days}
    _told(connect().post(f"/findings/{segment(finding)}/accept", body), as_json=as_json)


@click.command()
@click.option("--all", "closed_too", is_flag=True, help="Accepted and closed ones as well.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def drift(limit: int, *, closed_too: bool, as_json: bool) -> None:
    """List where the vault's list of accounts and the Organizations' differ, and how each list was read."""
    page = connect().get("/drift", state=None if closed_too else "open", limit=limit)
    _list(page, as_json=as_json)
    if not as_json and page["rosters"]:
        click.echo()
        table(page["rosters"], _ROSTERS)


@click.command()
@click.argument("account")
@click.option(
    "--ask", is_flag=True, help="Put the account first in line; the worker looks in a minute or two."
)
@json_option
def inspection(account: str, *, ask: bool, as_json: bool) -> None:
    """Show what was seen of an account through its role, and what of it is unknown."""
    address = f"/accounts/{segment(account)}/inspection"
    found = connect().post(address, {}) if ask else connect().get(address)
    if as_json:
        emit(found)
        return
    if found["last"] is None:
        click.echo("It was not looked at yet.")
    else:
        facts({name: _word(value) for name, value in found["last"].items()}, _SEEN)
        for name in found["last"]["missing"]:
            click.echo(f"missing: {plain(name)}")
        for each in found["unknown"]:
            said = f" ({each['code']})" if each["code"] else ""
            click.echo(f"unknown: {plain(each['fact'])}: {plain(each['reason'] + said)}")
    if found["asked"]:
        click.echo("A look is asked for; the worker takes it in a minute or two.")


def _list(page: Any, *, as_json: bool) -> None:
    if as_json:
        emit(page)
        return
    table([{**item, "owner": _name(item["owner"])} for item in page["items"]], _COLUMNS)


def _told(found: Any, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    owner = _name(found["owner"])
    owned = f", owned by {plain(owner)}" if owner else ""
    click.echo(f"{plain(found['id'])} is {plain(found['state'])}{owned}.")


def _name(owner: Any) -> str | None:
    return None if owner is None else str(owner["name"])


def _word(value: Any) -> Any:
    if value is None:
        return "unknown"
    return ("there" if value else "none") if isinstance(value, bool) else value
