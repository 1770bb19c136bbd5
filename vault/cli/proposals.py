"""`proposals`: what takes two people: what waits, the second word, the end of it."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, listed, wait_option

_LIST = (
    ("id", "ID"),
    ("kind", "WHAT"),
    ("subject", "ABOUT"),
    ("state", "STATE"),
    ("proposed_at", "PROPOSED"),
    ("why", "WHY"),
)
_FACTS = (
    ("kind", "What"),
    ("subject", "About"),
    ("scope", "Reaches"),
    ("why", "Why"),
    ("state", "State"),
    ("proposed_by", "Proposed by"),
    ("confirmed_by", "Agreed to by"),
    ("effective_at", "Counts from"),
    ("ended_at", "Ended"),
    ("content", "Exactly"),
)


@click.command()
@click.argument("proposal", required=False)
@click.option("--agree", is_flag=True, help="Agree to it, with a fresh code.")
@click.option("--end", "why", help="Refuse, withdraw or take it away: say why.")
@click.option("--all", "everything", is_flag=True, help="List also what waits for nobody.")
@wait_option
@json_option
def proposals(
    proposal: str | None, why: str | None, *, agree: bool, everything: bool, wait: bool, as_json: bool
) -> None:
    """List what waits for a second person, or show, agree to or end one PROPOSAL."""
    if agree and why is not None:
        raise click.UsageError("Either --agree or --end.")
    api = connect()
    if proposal is None:
        if agree or why is not None:
            raise click.UsageError("Name the proposal.")
        found = api.get("/proposals", state="any" if everything else "waiting")
        listed(found, _LIST, as_json=as_json)
        return
    path = f"/proposals/{segment(proposal)}"
    shown = api.get(path)
    if agree:
        if not as_json:
            _tell(shown)
        word = {"content_hash": shown["content_hash"]}
        shown = post_with_factor(api, f"{path}/confirm", word, wait=wait)
    elif why is not None:
        shown = api.post(f"{path}/end", {"why": why})
    if as_json:
        emit(shown)
    else:
        _tell(shown)


def _tell(shown: Any) -> None:
    click.secho(plain(shown["id"]), bold=True)
    facts(shown, _FACTS)
