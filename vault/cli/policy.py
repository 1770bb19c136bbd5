"""`policy`: why something is not open to you, another policy proposed; on the host, whether a file can be one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, listed, table, wait_option

_CHANGES: Final = (("place", "WHERE"), ("words", "WHAT"), ("way", "SO IT"))
_VERSIONS: Final = (
    ("number", "VERSION"), ("digest", "SHA-256"), ("way", "BY"), ("effective_at", "COUNTS FROM"), ("ended_at", "ENDED"),
)  # fmt: skip
_PROPOSED: Final = (("id", "proposal"), ("subject", "digest"), ("state", "state"), ("why", "why"))
_ON_THE_HOST: Final = "vault.cli.admin.policy"
"""What reads the vault's own database; imported when it is called, because it is heavy."""


@click.group()
def policy() -> None:
    """Who may do what: explain, versions, propose; check a file on the host."""


@policy.command()
@click.argument("account")
@click.argument("reason")
@click.option(
    "--minutes", type=click.IntRange(1, 1440), help="For how long; the policy's default where absent."
)
@click.option("--ticket", default="", help="The ticket that you would name.")
@json_option
def explain(account: str, reason: str, minutes: int | None, ticket: str, *, as_json: bool) -> None:
    """Say what stands between you and ACCOUNT for REASON, gate by gate; nothing is asked for."""
    asked = {
        "account": account,
        "reason": reason,
        "seconds": minutes and minutes * 60,
        "ticket": ticket or None,
    }
    told = connect().get("/policy/explain", **asked)
    if as_json:
        emit(told)
        return
    for each in told["gates"]:
        mark = click.style("✓", fg="green") if each["passed"] else click.style("✗", fg="red")
        code = f" [{each['code']}]" if each["code"] else ""
        click.echo(f"{mark} {each['gate']:<10} {plain(each['words'])}{code}")
    names = ", ".join(told["approvers"]) or "nobody"
    click.echo(f"It takes {told['needs'] or 'no known agreement'}; who could agree: {plain(names)}.")
    click.echo("You can ask for it now." if told["open"] else "It is not open to you now.")


@policy.command()
@click.argument("digest", required=False)
@json_option
def versions(digest: str | None, *, as_json: bool) -> None:
    """List the versions, or show the text of one by its DIGEST; for administrators and auditors."""
    api = connect()
    if digest is None:
        found = api.get("/policy/versions")
        listed(found, _VERSIONS, as_json=as_json)
        return
    shown = api.get(f"/policy/versions/{segment(digest)}")
    if as_json:
        emit(shown)
        return
    _tell_changes(shown["differences"])
    for line in shown["text"].splitlines():
        click.echo(plain(line))


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--why", required=True, help="For the administrator who decides, and for the log.")
@wait_option
@json_option
def propose(file: Path, why: str, *, wait: bool, as_json: bool) -> None:
    """Propose FILE as the policy; another administrator agrees: rootvault proposals PROPOSAL --agree."""
    api = connect()
    text = file.read_bytes().decode("utf-8")
    compared = api.post("/policy/compare", {"text": text})
    if not as_json:
        _tell_changes(compared["differences"])
        click.echo(_hold(compared["hold_seconds"]))
    word = {"text": text, "why": why}
    made = post_with_factor(api, "/policy/proposals", word, wait=wait)
    if as_json:
        emit(made)
    else:
        facts(made, _PROPOSED)


@policy.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--config", metavar="DIR", help="Directory of vault.toml; else ROOTVAULT_CONFIG, /etc/rootvault …"
)
@json_option
def check(file: Path | None, config: str | None, *, as_json: bool) -> None:
    """On the host: read FILE, or the one that the settings name, and say what it would change.

    Nothing is written. A fault names its line. An administrator proposes the file, another agrees; until then the
    version in force counts.
    """
    import_module(_ON_THE_HOST).check(file, config, as_json=as_json)


def _tell_changes(found: list[Any]) -> None:
    if found:
        table(found, _CHANGES)
    else:
        click.echo("Nothing differs that the program reads.")


def _hold(seconds: int) -> str:
    return f"It adds power: it counts {seconds} s after the second word." if seconds else "It counts at once."
