"""`password` and `code`: one disclosure each, recorded before it is made, under your own live lease."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.checkouts import own, step_up
from vault.cli.client import Api, connect, segment
from vault.cli.exits import Failure
from vault.cli.output import (
    clear_option,
    emit,
    hand_out,
    json_option,
    patiently,
    show_option,
    wait_option,
)

version_option = click.option("--version", help="current, previous, staged or a number; current by default.")


@click.command()
@click.argument("checkout")
@version_option
@show_option
@clear_option
@wait_option
@json_option
def password(
    checkout: str, version: str | None, clear_after: int, *, show: bool, wait: bool, as_json: bool
) -> None:
    """Disclose the root password of CHECKOUT (or of your open checkout of an account)."""
    _disclose(checkout, "password", version, clear_after, show=show, wait=wait, as_json=as_json)


@click.command()
@click.argument("checkout")
@version_option
@show_option
@clear_option
@wait_option
@json_option
def code(
    checkout: str, version: str | None, clear_after: int, *, show: bool, wait: bool, as_json: bool
) -> None:
    """Give the present MFA code of CHECKOUT; no time step's code is given twice."""
    _disclose(checkout, "code", version, clear_after, show=show, wait=wait, as_json=as_json)


def with_factor(api: Api, checkout_id: str, path: str, body: dict[str, Any], *, wait: bool) -> Any:
    """Post what needs a fresh second factor; where it is missing, ask for a code first and repeat."""
    try:
        return patiently(lambda: api.post(path, body), wait=wait)
    except Failure as failure:
        not_begun = failure.code == "checkout.state" and failure.problem.get("state") == "approved"
        if failure.code != "auth.step_up_required" and not not_begun:
            raise
    step_up(api, checkout_id, wait=wait)
    return patiently(lambda: api.post(path, body), wait=wait)


def _disclose(
    name: str, what: str, version: str | None, clear_after: int, *, show: bool, wait: bool, as_json: bool
) -> None:
    api = connect()
    checkout_id = own(api, name)
    body: dict[str, Any] = (
        {} if version is None else {"version": int(version) if version.isdecimal() else version}
    )
    answer = with_factor(api, checkout_id, f"/checkouts/{segment(checkout_id)}/{what}", body, wait=wait)
    value = answer.pop(what)
    copied = hand_out(what, value, show=show, clear_after=clear_after)
    if as_json:
        emit({**answer, "copied": True} if copied else {**answer, what: value})
        return
    if copied:
        click.echo(f"The {what} is in the clipboard for {clear_after} s.")
    else:
        click.echo(value)
    place = answer["receipt"]["index"]
    until = f", valid until {answer['valid_until']}" if "valid_until" in answer else ""
    click.echo(f"version {answer['version']}{until}, entry {place} of the log", err=True)
