"""`rotate` and `verify`: a new password or MFA device, in the order in which nothing can be lost.

Sealed first, then shown, then attested: what this command shows is already in the vault, whatever
happens to this terminal (ARCHITECTURE rule 4).
"""

from __future__ import annotations

from typing import Any

import click

from vault.cli.checkouts import own
from vault.cli.client import Api, connect, segment
from vault.cli.disclosures import with_factor
from vault.cli.output import (
    ask_secret,
    clear_option,
    emit,
    facts,
    hand_out,
    json_option,
    show_option,
    wait_option,
)

_FACTS = (
    ("id", "rotation"), ("account_id", "account"), ("part", "part"), ("version", "version"), ("state", "state"),
    ("displayed_at", "displayed"), ("attested_at", "attested"), ("verified_at", "verified"),
)  # fmt: skip
_OUTCOMES = ("accepted", "refused", "unknown")


@click.command()
@click.argument("checkout")
@click.option("--part", type=click.Choice(["password", "mfa"]), default="password", show_default=True)
@click.option("--rotation", help="Go on with a rotation that was begun.")
@show_option
@clear_option
@wait_option
@json_option
def rotate(
    checkout: str, part: str, rotation: str | None, clear_after: int, *, show: bool, wait: bool, as_json: bool
) -> None:
    """Rotate one part of CHECKOUT's account: plan, display, set it at AWS, say what AWS did.

    For the MFA device, AWS shows a secret key first: it is asked for without echo (or read from standard
    input), sealed, and only then are two consecutive codes given.
    """
    api = connect()
    checkout_id = own(api, checkout)
    if rotation is None:
        body = {"part": part}
        if part == "mfa":
            body["seed"] = ask_secret("Secret key that AWS shows for the new device")
        path = f"/checkouts/{segment(checkout_id)}/rotations"
        rotation = str(with_factor(api, checkout_id, path, body, wait=wait)["id"])
        click.echo(f"Sealed, and shown to nobody yet: rotation {rotation}", err=True)
    shown = with_factor(api, checkout_id, f"/rotations/{segment(rotation)}/display", {}, wait=wait)
    _hand_over(shown, show=show, clear_after=clear_after)
    click.echo("Set it in the AWS console now.", err=True)
    outcome = click.prompt("What did AWS do", type=click.Choice(_OUTCOMES), err=True)
    _tell(api.post(f"/rotations/{segment(rotation)}/attest", {"outcome": outcome}), as_json=as_json)


@click.command()
@click.argument("rotation")
@click.option("--evidence", required=True, help="What proves it, in a sentence.")
@json_option
def verify(rotation: str, evidence: str, *, as_json: bool) -> None:
    """Prove an accepted ROTATION that a colleague did, so that older versions are retired."""
    api: Api = connect()
    _tell(api.post(f"/rotations/{segment(rotation)}/verify", {"evidence": evidence}), as_json=as_json)


def _hand_over(shown: Any, *, show: bool, clear_after: int) -> None:
    """Give the staged password, or two codes one after the other."""
    values = [shown["password"]] if shown.get("password") else [_code(each) for each in shown["codes"]]
    for number, value in enumerate(values):
        if show:
            click.echo(value, err=True)
            continue
        hand_out("new value", value, show=False, clear_after=clear_after)
        click.echo(f"The new value {number + 1} of {len(values)} is in the clipboard.", err=True)
        if number + 1 < len(values):
            click.prompt("Press Enter for the next", default="", show_default=False, err=True)


def _code(shown: Any) -> str:
    return str(shown["code"] if isinstance(shown, dict) else shown)


def _tell(answer: Any, *, as_json: bool) -> None:
    if as_json:
        emit(answer)
        return
    facts(answer, _FACTS)
