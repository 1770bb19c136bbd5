"""`login`, `logout`, `me`: which vault, and as whom.

A token is made in the browser (Profile, API tokens), shown there once, and asked for here without echo.
"""

from __future__ import annotations

import click

from vault.cli.client import Api, check_address, connect
from vault.cli.output import ask_secret, emit, facts, json_option
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
@json_option
def login(url: str, *, as_json: bool) -> None:
    """Remember the vault at URL and an API token, asked for without echo or read from standard input."""
    check_address(url)
    token = ask_secret("API token")
    who = Api(url.rstrip("/"), token).get("/me")
    path = remember(url.rstrip("/"), token)
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
