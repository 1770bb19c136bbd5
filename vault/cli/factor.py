"""The second factor on a terminal: a code that is typed, or a passkey that is pressed in the browser.

Decided here: a terminal cannot press a passkey. So it sends the request, prints the address at which its person sees
exactly that request and confirms it, waits, and sends the same request again with the confirmation's number.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import click

from vault.cli.client import Api, segment
from vault.cli.exits import Failure, plain, stop
from vault.cli.output import ask_secret, patiently

QUESTION: Final = "Code from your own device"
EVERY_SECONDS: Final = 2.0
_REQUIRED: Final = "auth.passkey_required"


def post_with_factor(api: Api, path: str, body: Mapping[str, Any], *, wait: bool) -> Any:
    """Post what takes a fresh second factor; `wait` is for the next code where one was used."""
    if api.get("/me")["second_factor"] == "passkey":
        return _by_browser(api, path, body)
    return patiently(lambda: api.post(path, {**body, "otp": ask_secret(QUESTION)}), wait=wait)


def wants_factor(failure: Failure) -> bool:
    """Say whether something was refused for want of a factor, so that it can be sent again with one."""
    missing = [each.get("pointer") for each in failure.problem.get("errors", ()) if isinstance(each, dict)]
    return failure.code == _REQUIRED or missing == ["/otp"]


def _by_browser(api: Api, path: str, body: Mapping[str, Any]) -> Any:
    try:
        return api.post(path, {**body, "otp": "passkey"})
    except Failure as failure:
        url, number = failure.problem.get("confirm_url"), failure.problem.get("confirmation")
        if failure.code != _REQUIRED or not isinstance(url, str) or not isinstance(number, str):
            raise
    click.echo(f"Confirm it with your passkey, in the browser:\n\n  {plain(url)}\n", err=True)
    _await(api, number)
    return api.post(path, {**body, "otp": number})


def _await(api: Api, number: str) -> None:
    """Wait until the person confirmed; end the command where the time is over."""
    shows = sys.stderr.isatty()
    click.echo("Waiting for you" + ("" if shows else "."), nl=not shows, err=True)
    while (state := api.get(f"/confirmations/{segment(number)}")["state"]) == "waiting":
        if shows:
            click.echo(".", nl=False, err=True)
        time.sleep(EVERY_SECONDS)
    click.echo(" confirmed." if state == "confirmed" and shows else "", nl=shows, err=True)
    if state != "confirmed":
        detail = "It was not confirmed in time, so nothing was done. Repeat the command."
        stop(_REQUIRED, detail, 3)
