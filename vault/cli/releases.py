"""The end of a handover: `end`, `link`, `acknowledge` and `pack`, under `rootvault handover`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, table, wait_option

_FACTS: Final = (
    ("case_id", "Handover"), ("state", "State"), ("released_at", "Released"), ("acknowledged_at", "Acknowledged"),
    ("signed", "By"), ("way", "How"), ("destroy_after", "Destroyed at the latest"),
)  # fmt: skip
_LINKS: Final = (
    ("sent_to", "SENT TO"), ("made_at", "MADE"), ("until", "UNTIL"), ("opened_at", "OPENED"),
    ("wrong_codes", "WRONG CODES"), ("ending", "ENDED"),
)  # fmt: skip


@click.command("end")
@click.argument("case")
@json_option
def end(case: str, *, as_json: bool) -> None:
    """Tell where the end of a handover stands: released, acknowledged, its links, what is destroyed."""
    found = connect().get(f"/handovers/{segment(case)}/end")
    if as_json:
        emit(found)
        return
    facts(found, _FACTS)
    table(found["links"], _LINKS)
    for number in found["destroyed"]:
        click.echo(f"Destroyed: account {plain(number)}; see its certificate.")


@click.command("link")
@click.argument("case")
@wait_option
@json_option
def link(case: str, *, wait: bool, as_json: bool) -> None:
    """Mail the signatory a link to their page, and show its code, once; the link before is dead.

    Tell the code by phone or in the ticket, after you know whom you talk to; never by mail.
    """
    made = post_with_factor(connect(), f"/handovers/{segment(case)}/link", {}, wait=wait)
    if as_json:
        emit(made)
        return
    click.echo(f"A link is on its way to {plain(made['sent_to'])}; it is good until {plain(made['until'])}.")
    click.echo(f"Code, shown once: {plain(made['code'][:4])} {plain(made['code'][4:])}")


@click.command("acknowledge")
@click.argument("case")
@click.option("--signed", required=True, help="The name under the signatory's letter.")
@click.option("--on", required=True, help="The day of the letter, such as 2027-01-31.")
@click.option("--where", required=True, help="Where the letter is kept.")
@click.option(
    "--instead", help="Where another than the signatory signed: why that counts. Then an approver agrees."
)
@wait_option
@json_option
def acknowledge(
    case: str, signed: str, on: str, where: str, instead: str | None, *, wait: bool, as_json: bool
) -> None:
    """Enter the signatory's letter that they hold every account; what we kept is destroyed then."""
    api, place = connect(), f"/handovers/{segment(case)}/acknowledge"
    body = {"signed": signed, "on": on, "where": where}
    if instead is None:
        found = api.post(place, body)
    else:
        found = post_with_factor(api, place, {**body, "instead": instead}, wait=wait)
    if as_json:
        emit(found)
        return
    facts(found, _FACTS)
    if instead is not None and found["acknowledged_at"] is None:
        click.echo(f"An approver has to agree: rootvault cases step {plain(case)} acknowledge --agree")


@click.command("pack")
@click.argument("case")
@click.option(
    "--to",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to this file: .zip has all with proofs, .html is a page, .json the data, .txt the APN text.",
)
@json_option
def pack(case: str, file: Path | None, *, as_json: bool) -> None:
    """Take the evidence pack of a handover: who did what, when, on which evidence, with a proof of each entry.

    `python -m audit pack FILE.json --key VKEY` checks the proofs without us.
    """
    api, path = connect(), f"/handovers/{segment(case)}/evidence-pack"
    if file is None:
        found = api.get(path)
        if as_json:
            emit(found)
            return
        for step in found["steps"]:
            where = f" {step['account_id']}" if step["account_id"] else ""
            who = step["by"] + (f" and {step['second']}" if step["second"] else "")
            click.echo(f"{plain(step['at'][:19])}Z{where}  {plain(step['title'])}: {plain(who)}")
        return
    kinds = {".zip": "zip", ".html": "html", ".json": "json", ".txt": "apn"}
    kind = kinds.get(file.suffix)
    if kind is None:
        message = f"name a file that ends in {', '.join(kinds)}"
        raise click.BadParameter(message, param_hint="--to")
    content = api.take(path, format=kind)
    file.write_bytes(content)
    click.echo(f"{len(content)} bytes in {file}.")


COMMANDS: Final = (end, link, acknowledge, pack)
"""What `rootvault handover` has of the end of a handover."""
