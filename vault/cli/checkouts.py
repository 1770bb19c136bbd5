"""`checkout` and `checkin`: asking for root, following the request, ending the lease.

Wherever a checkout is named, its account's number will do: your own open checkout of it is meant, or, to an
approver, the request that waits.
"""

from __future__ import annotations

import re
from typing import Any

import click

from vault.cli.client import Api, connect, segment
from vault.cli.exits import stop
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, table, wait_option

_OPEN = ("pending_approval", "approved", "active")
_COLUMNS = (
    ("id", "CHECKOUT"), ("account_id", "ACCOUNT"), ("reason", "REASON"), ("ticket", "TICKET"), ("state", "STATE"),
    ("requester", "BY"), ("requested_at", "ASKED"), ("expires_at", "ENDS"),
)  # fmt: skip
_FACTS = (
    ("id", "checkout"), ("account_id", "account"), ("state", "state"), ("reason", "reason"), ("ticket", "ticket"),
    ("justification", "for"), ("requester", "by"), ("duration_seconds", "seconds"), ("approvals_needed", "approvals"),
    ("decide_by", "decide by"), ("use_by", "use by"), ("expires_at", "ends"), ("step_up_until", "factor until"),
    ("standing", "standing"), ("next", "next"),
)  # fmt: skip

_NEXT = {
    "pending_approval": "wait; an approver runs: rootvault approve {id}",
    "approved": "rootvault checkout step-up {id}",
    "active": "rootvault password, code or rotate {id}; then: rootvault checkin {id}",
}
"""What the person types next; the API's own words name its addresses."""


def own(api: Api, name: str) -> str:
    """Give the id of a checkout that is named by itself or by its account's number."""
    if re.fullmatch(r"[0-9]{12}", name, re.ASCII) is None:
        return name
    for each in api.get("/checkouts", account_id=name, requester_id="me", limit=50)["items"]:
        if each["state"] in _OPEN:
            return str(each["id"])
    stop("not_found", f"You have no open checkout of {name}. Ask for one: rootvault checkout ask {name} …", 5)


def pending(api: Api, name: str) -> str:
    """Give the id of a request, named by itself or by the number of the account that it is for."""
    if re.fullmatch(r"[0-9]{12}", name, re.ASCII) is None:
        return name
    for each in api.get("/checkouts", account_id=name, state="pending_approval", limit=1)["items"]:
        return str(each["id"])
    stop(
        "not_found", f"Nobody waits for approval of {name}. See: rootvault checkout list --account {name}", 5
    )


def latest(api: Api, name: str) -> str:
    """Give the id of a checkout, named by itself or by its account's number: then the last one that was asked for."""
    if re.fullmatch(r"[0-9]{12}", name, re.ASCII) is None:
        return name
    for each in api.get("/checkouts", account_id=name, limit=1)["items"]:
        return str(each["id"])
    stop("not_found", f"Nobody in your sight asked for {name} yet. See: rootvault checkout list", 5)


def step_up(api: Api, checkout_id: str, *, wait: bool) -> Any:
    """Give the person's second factor for one checkout (S16)."""
    return post_with_factor(api, f"/checkouts/{segment(checkout_id)}/step-up", {}, wait=wait)


def tell(answer: Any, *, as_json: bool) -> None:
    """Print a checkout."""
    if as_json:
        emit(answer)
        return
    words = _NEXT.get(answer["state"])
    following = answer["next"] if words is None else words.format(id=answer["id"])
    standing = (answer.get("progress") or {}).get("detail")
    facts({**_flat(answer), "next": following, "standing": standing}, _FACTS)


@click.group()
def checkout() -> None:
    """Ask for an account's root, follow the request, give your factor, withdraw."""


@checkout.command()
@click.argument("account")
@click.option("--reason", required=True, help="Code of an accepted reason (rootvault reasons).")
@click.option("--ticket", required=True, help="Number of the ticket this is for.")
@click.option("--why", required=True, help="A sentence: what for.")
@click.option("--minutes", type=click.IntRange(1, 240), help="How long; the policy's default otherwise.")
@click.option("--break-glass", is_flag=True, help="In an emergency, without approvals; reviewed afterwards.")
@json_option
def ask(
    account: str,
    reason: str,
    ticket: str,
    why: str,
    minutes: int | None,
    *,
    break_glass: bool,
    as_json: bool,
) -> None:
    """Ask for the root of ACCOUNT."""
    body: dict[str, str | int] = {
        "account_id": account, "reason": reason, "ticket": ticket, "justification": why,
    }  # fmt: skip
    if break_glass:
        body["break_glass"] = True
    if minutes is not None:
        body["duration_seconds"] = minutes * 60
    answer = connect().post("/checkouts", body)
    tell(answer, as_json=as_json)
    if not as_json:
        pending = answer["state"] == "pending_approval"
        click.echo(
            "It waits for approval." if pending else f"Next: rootvault checkout step-up {answer['id']}"
        )


@checkout.command("list")
@click.option("--account", help="Only those of this account.")
@click.option("--state", help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def list_(account: str | None, state: str | None, limit: int, *, as_json: bool) -> None:
    """List checkouts in your scope, newest first."""
    page = connect().get("/checkouts", account_id=account, state=state, limit=limit)
    if as_json:
        emit(page)
        return
    table([_flat(each) for each in page["items"]], _COLUMNS)


@checkout.command()
@click.argument("name", metavar="CHECKOUT")
@json_option
def show(name: str, *, as_json: bool) -> None:
    """Show one checkout."""
    api = connect()
    tell(api.get(f"/checkouts/{segment(own(api, name))}"), as_json=as_json)


@checkout.command()
@click.argument("name", metavar="CHECKOUT")
@json_option
def cancel(name: str, *, as_json: bool) -> None:
    """Withdraw your request before the lease began."""
    api = connect()
    tell(api.post(f"/checkouts/{segment(own(api, name))}/cancel"), as_json=as_json)


@checkout.command()
@click.argument("name", metavar="CHECKOUT")
@wait_option
@json_option
def join(name: str, *, wait: bool, as_json: bool) -> None:
    """Take the codes of a colleague's lease under split custody, with a fresh code of your own device."""
    api = connect()
    path = f"/checkouts/{segment(latest(api, name))}/join"
    tell(post_with_factor(api, path, {}, wait=wait), as_json=as_json)


@checkout.command("step-up")
@click.argument("name", metavar="CHECKOUT")
@wait_option
@json_option
def step_up_(name: str, *, wait: bool, as_json: bool) -> None:
    """Give a fresh code of your own device; the first one begins the lease."""
    api = connect()
    tell(step_up(api, own(api, name), wait=wait), as_json=as_json)


@click.command()
@click.argument("name", metavar="CHECKOUT")
@json_option
def checkin(name: str, *, as_json: bool) -> None:
    """End your lease."""
    api = connect()
    tell(api.post(f"/checkouts/{segment(own(api, name))}/check-in"), as_json=as_json)


@click.command()
@click.argument("name", metavar="CHECKOUT")
@click.option("--part", type=click.Choice(["password", "mfa"]), required=True)
@json_option
def lost(name: str, part: str, *, as_json: bool) -> None:
    """Say that AWS takes no value of a part that CHECKOUT opens, once all of them were shown and tried."""
    api = connect()
    tell(api.post(f"/checkouts/{segment(own(api, name))}/none-works", {"part": part}), as_json=as_json)


def _flat(checkout: Any) -> dict[str, Any]:
    return {**checkout, "requester": (checkout.get("requester") or {}).get("name")}
