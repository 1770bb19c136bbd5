"""`freeze`, `freezes`, `lift`, `glass`: stop every disclosure with one press, lift it by two, review broken glass."""

from __future__ import annotations

import re
from typing import Any

import click

from vault.cli.checkouts import latest, tell
from vault.cli.client import connect, segment
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, table, wait_option

_FREEZES = (
    ("id", "FREEZE"),
    ("scope", "FROZEN"),
    ("by", "BY"),
    ("set_at", "SINCE"),
    ("lifted_at", "LIFTED"),
    ("why", "WHY"),
)
_FREEZE = (
    ("id", "freeze"),
    ("scope", "frozen"),
    ("by", "by"),
    ("set_at", "since"),
    ("why", "why"),
    ("lifted_at", "lifted"),
    ("state", "state"),
)
_WAITING = (
    ("id", "CHECKOUT"),
    ("account_id", "ACCOUNT"),
    ("by", "BY"),
    ("reason", "REASON"),
    ("ticket", "TICKET"),
    ("ended_at", "ENDED"),
    ("waiting_seconds", "WAITS (S)"),
)


@click.command()
@click.argument("scope")
@click.option("--why", default="", help="Why, if there is time.")
@json_option
def freeze(scope: str, why: str, *, as_json: bool) -> None:
    """Stop every disclosure of SCOPE: vault, me, an account's number, customer:ID or person:ID. It asks for no code."""
    api = connect()
    if scope == "me":
        scope = f"person:{api.get('/me')['id']}"
    elif re.fullmatch(r"[0-9]{12}", scope, re.ASCII) is not None:
        scope = f"account:{scope}"
    answer = api.post("/freeze", {"scope": scope, "why": why})
    if as_json:
        emit(answer)
        return
    facts(_flat(answer), _FREEZE)
    click.echo(f"Two people end it: rootvault lift {answer['id']} --why …")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also what was lifted lately.")
@json_option
def freezes(*, everything: bool, as_json: bool) -> None:
    """List what is frozen."""
    found = connect().get("/freezes", state="any" if everything else "open")
    if as_json:
        emit(found)
    else:
        table([_flat(each) for each in found["items"]], _FREEZES)


@click.command()
@click.argument("freeze_id", metavar="FREEZE")
@click.option("--why", required=True, help="Why it can go on.")
@wait_option
@json_option
def lift(freeze_id: str, why: str, *, wait: bool, as_json: bool) -> None:
    """Say that FREEZE can end, with a fresh code; the second person who says so lifts it."""
    api = connect()
    answer = post_with_factor(api, "/freeze/lift", {"freeze": freeze_id, "why": why}, wait=wait)
    if as_json:
        emit(answer)
        return
    is_lifted = answer["freeze"]["lifted_at"] is not None
    state = "lifted" if is_lifted else "waits for a second person, who runs the same command"
    facts({**_flat(answer["freeze"]), "state": state}, _FREEZE)


@click.command()
@click.argument("checkout", required=False)
@click.option("--verdict", type=click.Choice(["justified", "not_justified"]), help="What you say of it.")
@click.option("--sentence", help="What you looked at, and what you found.")
@wait_option
@json_option
def glass(
    checkout: str | None, verdict: str | None, sentence: str | None, *, wait: bool, as_json: bool
) -> None:
    """List broken glass that waits for its review, or review CHECKOUT (its id, or its account's number)."""
    api = connect()
    if checkout is None:
        found = api.get("/break-glass")
        if as_json:
            emit(found)
        else:
            table([_flat(each) for each in found["items"]], _WAITING)
        return
    if verdict is None or not sentence:
        raise click.UsageError("Give --verdict and --sentence.")
    path = f"/checkouts/{segment(latest(api, checkout))}/review"
    tell(
        post_with_factor(api, path, {"verdict": verdict, "sentence": sentence}, wait=wait),
        as_json=as_json,
    )


def _flat(answer: Any) -> dict[str, Any]:
    who = answer.get("set_by") or answer.get("requester") or {}
    return {**answer, "by": who.get("name")}
