"""`approve` and `deny`: a word on exactly the request that was looked at, with a fresh code (S16, S20)."""

from __future__ import annotations

import sys
from typing import Any

import click

from vault.cli.checkouts import pending, tell
from vault.cli.client import Api, connect, segment
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, json_option, table, wait_option

_QUEUE = (
    ("id", "CHECKOUT"),
    ("account_id", "ACCOUNT"),
    ("by", "BY"),
    ("reason", "REASON"),
    ("ticket", "TICKET"),
    ("decide_by", "DECIDE BY"),
    ("signs", "STANDS OUT"),
)


@click.command()
@click.argument("checkout", required=False)
@click.option("--comment", default="", help="A word for the record.")
@click.option("--minutes", type=click.IntRange(1, 240), help="Shorten the lease to so many minutes.")
@wait_option
@json_option
def approve(checkout: str | None, comment: str, minutes: int | None, *, wait: bool, as_json: bool) -> None:
    """Agree to the request CHECKOUT (its id, or its account's number).

    Without CHECKOUT, list what waits for your word and what stands out, and at a terminal ask which to agree to.
    """
    api = connect()
    if checkout is None:
        checkout = _choose(api, as_json=as_json)
    if checkout is None:
        return
    shorter = {} if minutes is None else {"duration_seconds": minutes * 60}
    _decide(api, checkout, {"decision": "approve", "comment": comment, **shorter}, wait=wait, as_json=as_json)


@click.command()
@click.argument("checkout")
@click.option("--comment", required=True, help="Why not.")
@wait_option
@json_option
def deny(checkout: str, comment: str, *, wait: bool, as_json: bool) -> None:
    """Refuse the request CHECKOUT; that ends it."""
    _decide(connect(), checkout, {"decision": "deny", "comment": comment}, wait=wait, as_json=as_json)


def _choose(api: Api, *, as_json: bool) -> str | None:
    """List the queue; give the request that somebody at a terminal names, None for none."""
    found = api.get("/checkouts", awaiting="me", limit=200)
    if as_json:
        emit(found)
        return None
    if not found["items"]:
        click.echo("Nobody waits for you.")
        return None
    table([_row(each) for each in found["items"]], _QUEUE)
    if found["next"] is not None:
        click.echo("More wait than are listed here; decide on these first.")
    if not sys.stdin.isatty():
        return None
    named: str = click.prompt("Which one to agree to (nothing for none)", default="", show_default=False)
    return named.strip() or None


def _decide(api: Api, checkout: str, word: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    request = api.get(f"/checkouts/{segment(pending(api, checkout))}")
    if not as_json:
        _look(request)

    body = {**word, "content_hash": request.get("content_hash")}
    path = f"/checkouts/{segment(request['id'])}/approvals"
    tell(post_with_factor(api, path, body, wait=wait), as_json=as_json)


def _look(request: Any) -> None:
    """Show what is decided on: the request, what stands out, and what was before."""
    tell(request, as_json=False)
    if request.get("risks"):
        click.secho(f"stands out    {_signs(request)}", bold=True)
    history = request.get("history") or {}
    for name, of in (("account before", "of_account"), ("person before", "of_requester")):
        for each in history.get(of, []):
            shown = each["last_revealed_at"] or "nothing shown"
            words = (each["requested_at"], each["account_id"], each["requester"]["name"], each["reason"])
            click.echo(plain(f"{name}: {' '.join(words)} {each['ticket']}, {each['state']}, {shown}"))


def _row(request: Any) -> dict[str, Any]:
    return {**request, "by": request["requester"]["name"], "signs": _signs(request)}


def _signs(request: Any) -> str:
    return plain("; ".join(each["detail"] for each in request.get("risks") or [])) or "nothing unusual"
