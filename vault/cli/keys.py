"""`keys`: what takes two people about keys, proposed: other keys, a drill, whom keys are wrapped for offline."""

from __future__ import annotations

import click

from vault.cli.client import connect
from vault.cli.exits import plain, stop
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, wait_option

_PROPOSED = (
    ("id", "proposal"),
    ("kind", "what"),
    ("content", "exactly"),
    ("state", "state"),
    ("why", "why"),
)

_RECIPIENT = (
    ("recipient", "in force"),
    ("wrapped", "wrapped for it"),
    ("versions", "sealed values"),
    ("fault", "fault"),
)


@click.group()
def keys() -> None:
    """Propose other keys for every data key, a drill, or a recovery recipient; another administrator agrees."""


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


@keys.command()
@click.option("--propose", metavar="RECIPIENT", help="Propose this one (age1…), or none.")
@click.option("--why", help="For the administrator who decides, and for the log.")
@wait_option
@json_option
def recipient(propose: str | None, why: str | None, *, wait: bool, as_json: bool) -> None:
    """Show whom every data key is wrapped for offline, or propose another; another administrator agrees."""
    api = connect()
    if propose is None:
        found = api.get("/keys/recipient")
        if as_json:
            emit(found)
            return
        facts({**found, "recipient": found["recipient"] or "nobody"}, _RECIPIENT)
        for each in found["held"]:
            click.echo(f"From {each['effective_at']}: {plain(each['recipient']) or 'nobody'}")
        return
    if not why:
        stop("usage", "Say why, with --why.", 2)
    made = post_with_factor(api, "/keys/recipient", {"recipient": propose, "why": why}, wait=wait)
    if as_json:
        emit(made)
        return
    facts(made, _PROPOSED)
    click.echo("Whoever agrees compares it, letter by letter, with what `rootvault recovery new` printed.")
