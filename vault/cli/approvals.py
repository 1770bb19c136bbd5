"""`approve` and `deny`: a word on exactly the request that was looked at, with a fresh code (S16, S20)."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.checkouts import pending, tell
from vault.cli.client import connect, segment
from vault.cli.output import ask_secret, json_option, patiently, wait_option


@click.command()
@click.argument("checkout")
@click.option("--comment", default="", help="A word for the record.")
@click.option("--minutes", type=click.IntRange(1, 240), help="Shorten the lease to so many minutes.")
@wait_option
@json_option
def approve(checkout: str, comment: str, minutes: int | None, *, wait: bool, as_json: bool) -> None:
    """Agree to the request CHECKOUT (its id, or its account's number)."""
    shorter = {} if minutes is None else {"duration_seconds": minutes * 60}
    _decide(checkout, {"decision": "approve", "comment": comment, **shorter}, wait=wait, as_json=as_json)


@click.command()
@click.argument("checkout")
@click.option("--comment", required=True, help="Why not.")
@wait_option
@json_option
def deny(checkout: str, comment: str, *, wait: bool, as_json: bool) -> None:
    """Refuse the request CHECKOUT; that ends it."""
    _decide(checkout, {"decision": "deny", "comment": comment}, wait=wait, as_json=as_json)


def _decide(checkout: str, word: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    api = connect()
    request = api.get(f"/checkouts/{segment(pending(api, checkout))}")
    if not as_json:
        tell(request, as_json=False)

    def give() -> Any:
        body = {
            **word,
            "content_hash": request.get("content_hash"),
            "otp": ask_secret("Code from your own device"),
        }
        return api.post(f"/checkouts/{segment(request['id'])}/approvals", body)

    tell(patiently(give, wait=wait), as_json=as_json)
