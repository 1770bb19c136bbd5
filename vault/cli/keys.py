"""`keys`: what takes two people about keys, proposed: other keys for every data key, and a drill."""

from __future__ import annotations

import click

from vault.cli.client import connect
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, wait_option

_PROPOSED = (
    ("id", "proposal"),
    ("kind", "what"),
    ("content", "exactly"),
    ("state", "state"),
    ("why", "why"),
)


@click.group()
def keys() -> None:
    """Propose other keys for every data key, or a drill; another administrator agrees, the host's command does it."""


@keys.command()
@click.argument("key", nargs=-1, required=True)
@click.option("--why", required=True, help="For the administrator who decides, and for the log.")
@click.option("--remove-old", is_flag=True, help="Remove wraps under any other key once all is proven.")
@wait_option
@json_option
def rewrap(key: tuple[str, ...], why: str, *, remove_old: bool, wait: bool, as_json: bool) -> None:
    """Propose that every data key is wrapped under each KEY: ARNs, exactly as the settings will name them."""
    word = {"keys": list(key), "why": why, "remove_old": remove_old}
    made = post_with_factor(connect(), "/keys/rewrap", word, wait=wait)
    if as_json:
        emit(made)
        return
    facts(made, _PROPOSED)
    click.echo(f"Then, on the host: rootvault rewrap {made['id']}" + (" --remove-old" if remove_old else ""))


@keys.command()
@click.option("--why", required=True, help="For the administrator who decides, and for the log.")
@click.option("--restore", is_flag=True, help="Of a backup, restored beside the vault.")
@wait_option
@json_option
def drill(why: str, *, restore: bool, wait: bool, as_json: bool) -> None:
    """Propose that every credential is opened once, under each of its keys, and none is shown."""
    word = {"why": why, "scope": "restore" if restore else "live"}
    made = post_with_factor(connect(), "/keys/drill", word, wait=wait)
    if as_json:
        emit(made)
        return
    facts(made, _PROPOSED)
    click.echo(f"Then, on the host: rootvault drill {made['id']}" + (" --restore BACKUP" if restore else ""))
