"""`campaign` and `calendar`: many accounts to rotate at an agreed pace, whose they are, what falls on coming days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, listed, table, wait_option

_MOST: Final = 200
_HEALTHS: Final = ("healthy", "due", "unchecked", "overdue", "unknown", "out_of_sync", "lost")
_STAGES: Final = ("left", "started", "rotated", "verified")
_LIST: Final = (
    ("id", "CAMPAIGN"),
    ("name", "NAME"),
    ("state", "STATE"),
    ("seen", "ACCOUNTS"),
    ("left", "TO DO"),
    ("started", "HALF"),
    ("rotated", "ROTATED"),
    ("verified", "PROVEN"),
    ("until", "UNTIL"),
)
_FACTS: Final = (
    ("name", "Name"),
    ("why", "Why"),
    ("state", "State"),
    ("parts", "What"),
    ("accounts", "Accounts"),
    ("accounts_per_hour", "Accounts an hour, for each person"),
    ("begun_at", "Began"),
    ("until", "Until"),
    ("ended_at", "Ended"),
    ("proposal_id", "Proposal"),
)
_SHARES: Final = (
    ("name", "PERSON"),
    ("left", "TO DO"),
    ("started", "HALF"),
    ("rotated", "ROTATED"),
    ("verified", "PROVEN"),
    ("id", "ID"),
)
_ACCOUNTS: Final = (("account_id", "ACCOUNT"), ("name", "NAME"), ("stage", "STAGE"), ("whose", "WHOSE"))
_PROPOSED: Final = (("id", "Proposal"), ("scope", "Reaches"), ("state", "State"), ("content", "Exactly"))
_DAYS: Final = (
    ("day", "DAY"),
    ("aging", "TOO OLD"),
    ("unverified", "UNPROVEN"),
    ("ending", "CAMPAIGNS THAT END"),
    ("overdue", "REVIEWS OVERDUE"),
)


@click.group()
def campaign() -> None:
    """Many accounts to rotate until a day, at a pace that two people agreed to."""


@campaign.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@json_option
def list_campaigns(*, everything: bool, as_json: bool) -> None:
    """List campaigns that have an account within your sight, and how far they are."""
    items = connect().all("/campaigns", state="any" if everything else "running")
    listed({"items": items, "next": None}, _LIST, as_json=as_json)


@campaign.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@json_option
def show(campaign_id: str, *, as_json: bool) -> None:
    """Show a campaign, and who has how many of its accounts at which stage."""
    _tell(connect().get(f"/campaigns/{segment(campaign_id)}"), as_json=as_json)


@campaign.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@click.option("--stage", type=click.Choice(_STAGES), help="Only those at this stage.")
@click.option("--mine", is_flag=True, help="Only your own.")
@click.option("--free", is_flag=True, help="Only those that nobody has.")
@json_option
def accounts(campaign_id: str, stage: str | None, *, mine: bool, free: bool, as_json: bool) -> None:
    """List the accounts of a campaign within your sight."""
    if mine and free:
        raise click.UsageError("Either --mine or --free.")
    api, path = connect(), f"/campaigns/{segment(campaign_id)}"
    person = api.get("/me")["id"] if mine else "nobody" if free else None
    items = api.all(f"{path}/accounts", stage=stage, person=person)
    if as_json:
        emit({"items": items, "next": None})
        return
    names = {each["id"]: each["name"] for each in api.get(path)["people"]}
    rows = [{**each, "whose": names.get(each["person_id"] or "", each["person_id"])} for each in items]
    table(rows, _ACCOUNTS)


@campaign.command()
@json_option
def people(*, as_json: bool) -> None:
    """List who could have accounts of a campaign that you propose."""
    listed(connect().get("/campaigns/people"), (("id", "ID"), ("name", "NAME")), as_json=as_json)


@campaign.command()
@click.option("--name", required=True, help="What it is called.")
@click.option("--why", required=True, help="Why, for the other person and the log.")
@click.option("--person", "people_", multiple=True, required=True, help="Id of who does it; several times.")
@click.option("--pace", type=click.IntRange(1), required=True, help="Accounts an hour, for each person.")
@click.option("--days", type=click.IntRange(1, 90), default=14, show_default=True, help="Ends after so many.")
@click.option("--parts", type=click.Choice(("both", "password", "mfa")), default="both", show_default=True)
@click.option(
    "--account", "numbers", multiple=True, help="An account's number; several times. Else the filter."
)
@click.option("--customer", help="Filter: a customer's id or DDI.")
@click.option("--kind", type=click.Choice(("payer", "member", "standalone")), help="Filter: the place.")
@click.option("--health", multiple=True, type=click.Choice(_HEALTHS), help="Filter; several: any of them.")
@click.option("--because", multiple=True, help="Filter: a fact of health, such as due_leaver; several: any.")
@click.option("--open", "is_open", is_flag=True, help="Nobody's at first: each person takes what is free.")
@wait_option
@json_option
def propose(
    name: str,
    why: str,
    people_: tuple[str, ...],
    pace: int,
    days: int,
    parts: str,
    numbers: tuple[str, ...],
    customer: str | None,
    kind: str | None,
    health: tuple[str, ...],
    because: tuple[str, ...],
    *,
    is_open: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Propose a campaign; it begins when another person agreed (rootvault proposals ID --agree)."""
    until = now() + timedelta(days=days)
    body = {
        "name": name,
        "why": why,
        "parts": parts,
        "until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
        "accounts_per_hour": pace,
        "people": list(people_),
        "filter": {"customer_id": customer, "kind": kind, "health": list(health), "why": list(because)},
        "share": not is_open,
    }
    if numbers:
        body["accounts"] = list(numbers)
    answer = post_with_factor(connect(), "/campaigns", body, wait=wait)
    if as_json:
        emit(answer)
        return
    facts(answer, _PROPOSED)
    click.echo(f"Another person reads it and agrees: rootvault proposals {answer['id']} --agree")


@campaign.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@click.argument("numbers", metavar="[ACCOUNT]...", nargs=-1)
@click.option(
    "--count", type=click.IntRange(1, _MOST), default=1, show_default=True, help="The next so many."
)
@json_option
def take(campaign_id: str, numbers: tuple[str, ...], count: int, *, as_json: bool) -> None:
    """Take accounts that nobody has: those named, or the next so many."""
    _tell(connect().post(f"/campaigns/{segment(campaign_id)}/take", _which(numbers, count)), as_json=as_json)


@campaign.command("give-back")
@click.argument("campaign_id", metavar="CAMPAIGN")
@click.argument("numbers", metavar="[ACCOUNT]...", nargs=-1)
@click.option(
    "--count", type=click.IntRange(1, _MOST), default=1, show_default=True, help="The next so many."
)
@json_option
def give_back(campaign_id: str, numbers: tuple[str, ...], count: int, *, as_json: bool) -> None:
    """Give accounts of your own back, to nobody."""
    path = f"/campaigns/{segment(campaign_id)}/give-back"
    _tell(connect().post(path, _which(numbers, count)), as_json=as_json)


@campaign.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@click.argument("numbers", metavar="[ACCOUNT]...", nargs=-1)
@click.option("--from", "of", help="Whose, by id; without it nobody's.")
@click.option("--to", help="To whom, by id; without it to nobody.")
@click.option(
    "--count", type=click.IntRange(1, _MOST), default=1, show_default=True, help="The next so many."
)
@json_option
def assign(
    campaign_id: str, numbers: tuple[str, ...], of: str | None, to: str | None, count: int, *, as_json: bool
) -> None:
    """Give accounts to one of the campaign's people, or to nobody: those named, or the next so many."""
    body = {**_which(numbers, count), "from_person": of, "to_person": to}
    _tell(connect().post(f"/campaigns/{segment(campaign_id)}/assign", body), as_json=as_json)


@campaign.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@click.option("--why", required=True, help="Why it ends; it stays in the log.")
@json_option
def end(campaign_id: str, why: str, *, as_json: bool) -> None:
    """End a campaign at once: its pace counts no more."""
    api, path = connect(), f"/campaigns/{segment(campaign_id)}"
    api.post(f"/proposals/{segment(api.get(path)['proposal_id'])}/end", {"why": why})
    _tell(api.get(path), as_json=as_json)


@click.command()
@click.option("--from", "first", metavar="DAY", help="The first day, as 2026-11-30; today without it.")
@click.option("--until", "last", metavar="DAY", help="The last day; four weeks without it.")
@json_option
def calendar(first: str | None, last: str | None, *, as_json: bool) -> None:
    """Tell what falls on coming days (UTC) while nobody does anything about it."""
    found = connect().get("/calendar", **{"from": first, "until": last})
    if as_json:
        emit(found)
        return
    rows = [
        {
            **each,
            "ending": ", ".join(one["name"] for one in each["campaigns"]),
            "overdue": ", ".join(each["reviews"]),
        }
        for each in found["days"]
        if each["aging"] or each["unverified"] or each["campaigns"] or each["reviews"]
    ]
    if rows:
        table(rows, _DAYS)
    else:
        click.echo("Nothing falls on these days.")


def now() -> datetime:
    """Give this machine's time; the vault says so where it is too far from its own."""
    return datetime.now(UTC)


def _which(numbers: tuple[str, ...], count: int) -> dict[str, Any]:
    return {"accounts": list(numbers)} if numbers else {"count": count}


def _tell(found: Any, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    click.secho(plain(found["id"]), bold=True)
    facts(found, _FACTS)
    rows = [{**each, **(each["person"] or {"id": None, "name": "nobody"})} for each in found["shares"]]
    table(rows, _SHARES)
