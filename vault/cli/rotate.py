"""`rotate` and `verify`: a new password or MFA device, in the order in which nothing can be lost.

Sealed first, then shown, then attested: what this command shows is already in the vault, whatever
happens to this terminal (ARCHITECTURE rule 4).
"""

from __future__ import annotations

from typing import Any

import click

from vault.cli.checkouts import own
from vault.cli.client import Api, connect, segment
from vault.cli.output import clear_option, emit, facts, json_option, show_option, table, wait_option
from vault.cli.walk import TITLES, Walk

_FACTS = (
    ("id", "rotation"), ("account_id", "account"), ("part", "part"), ("version", "version"), ("state", "state"),
    ("displayed_at", "displayed"), ("attested_at", "attested"), ("verified_at", "verified"),
)  # fmt: skip
_STEPS = (("title", "STEP"), ("stand", "STANDS"), ("version", "VERSION"), ("state", "STATE"), ("by", "BY"))


@click.command()
@click.argument("checkout")
@click.option("--part", type=click.Choice(["password", "mfa", "both"]), default="password", show_default=True)
@click.option("--both", is_flag=True, help="As --part both: the device first, the password last.")
@click.option("--steps", is_flag=True, help="Only show where it stands.")
@show_option
@clear_option
@wait_option
@json_option
def rotate(
    checkout: str,
    part: str,
    clear_after: int,
    *,
    both: bool,
    steps: bool,
    show: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Rotate a part of CHECKOUT's account, or both, step by step beside the AWS console.

    Broken off, or begun by somebody else, it goes on at the step that is next. Nothing is shown before it is
    sealed. A device is added before the old one is removed.
    """
    api = connect()
    checkout_id = own(api, checkout)
    which = "both" if both else part
    if steps:
        _stand(api.get(f"/checkouts/{segment(checkout_id)}/walk", part=which), as_json=as_json)
        return
    done = Walk(api, checkout_id, which, show=show, clear_after=clear_after, wait=wait).go()
    returned = click.confirm("\nCheck in now", default=True, err=True)
    if returned:
        api.post(f"/checkouts/{segment(checkout_id)}/check-in")
    _stand({**done, "checked_in": returned}, as_json=as_json)


@click.command()
@click.argument("rotation")
@click.option("--evidence", required=True, help="What proves it, in a sentence.")
@json_option
def verify(rotation: str, evidence: str, *, as_json: bool) -> None:
    """Prove an accepted ROTATION that a colleague did, so that older versions are retired."""
    api: Api = connect()
    _tell(api.post(f"/rotations/{segment(rotation)}/verify", {"evidence": evidence}), as_json=as_json)


def _stand(walk: Any, *, as_json: bool) -> None:
    if as_json:
        emit(walk)
        return
    table([{**each, "title": TITLES[each["act"]]} for each in walk["steps"]], _STEPS)
    for device in walk["devices"]:
        if device["old"]:
            name = device["name"] or f"of version {device['version']}"
            click.echo(f"The device {name} may still be enrolled at AWS.", err=True)


def _tell(answer: Any, *, as_json: bool) -> None:
    if as_json:
        emit(answer)
        return
    facts(answer, _FACTS)
