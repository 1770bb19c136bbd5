"""`login`, `logout`, `me`: which vault, and as whom.

Signing in takes e-mail, password and a fresh code and gives a token, which is what is remembered; a token
that was made in the browser does as well. Each is asked for without echo, or read line by line from
standard input.
"""

from __future__ import annotations

import socket

import click

from vault.cli.client import Api, check_address, connect
from vault.cli.exits import Failure
from vault.cli.output import ask_secret, emit, facts, json_option, patiently, wait_option
from vault.cli.remembered import forget, remember

_ME = (
    ("name", "name"),
    ("email", "e-mail"),
    ("kind", "kind"),
    ("roles", "roles"),
    ("scope", "scope"),
    ("id", "id"),
)


@click.command()
@click.argument("url", envvar="ROOTVAULT_URL")
@click.option("--email", help="Sign in as this person; without it, an API token is asked for.")
@click.option(
    "--days", type=click.IntRange(1, 90), default=1, show_default=True, help="How long the token lasts."
)
@wait_option
@json_option
def login(url: str, email: str | None, days: int, *, wait: bool, as_json: bool) -> None:
    """Sign in to the vault at URL and remember a token for later commands."""
    check_address(url)
    url = url.rstrip("/")
    token = ask_secret("API token") if email is None else _sign_in(url, email, days, wait=wait)
    who = Api(url, token).get("/me")
    path = remember(url, token)
    if as_json:
        emit({"me": who, "remembered_in": str(path)})
        return
    facts(who, _ME)
    click.echo(f"Remembered in {path} (only you can read it).")


@click.command()
@json_option
def logout(*, as_json: bool) -> None:
    """Forget the token. It stays valid until it expires or is revoked in the browser."""
    forget()
    if as_json:
        emit({"signed_in": False})
        return
    click.echo("Forgotten. Revoke the token in the browser if it is not needed any more.")


@click.command()
@json_option
def me(*, as_json: bool) -> None:
    """Show who the vault takes you for."""
    who = connect().get("/me")
    if as_json:
        emit(who)
        return
    facts(who, _ME)


def _sign_in(url: str, email: str, days: int, *, wait: bool) -> str:
    password = ask_secret("Password")

    def give() -> str:
        body = {
            "email": email,
            "password": password,
            "otp": ask_secret("Code from your own device"),
            "name": f"rootvault on {socket.gethostname()}"[:80],
            "expires_in_seconds": days * 86_400,
        }
        return str(Api(url, "").post("/sign-in", body)["token"])

    try:
        return str(patiently(give, wait=wait))
    except Failure as failure:
        if failure.code == "auth.refused":
            words = f"With a passkey: make a token at {url}/tokens, then run: rootvault login {url}"
            failure.detail = f"{failure.detail} {words}"
        raise
