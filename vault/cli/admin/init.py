"""`rootvault init`: a new vault on this host, and the links by which its first two administrators enrol."""

from __future__ import annotations

import click

from vault.cli.admin.founding import found
from vault.cli.admin.host import config_option, link_of, settings_of
from vault.cli.output import emit, json_option


@click.command()
@config_option
@click.option(
    "--admin",
    "admins",
    nargs=2,
    multiple=True,
    required=True,
    metavar="EMAIL NAME",
    help="An administrator; give two, because whatever adds power takes two.",
)
@json_option
def init(config: str | None, admins: tuple[tuple[str, str], ...], *, as_json: bool) -> None:
    """Make keys, database and log, and invite two administrators.

    Their enrolment links are printed here once and kept nowhere; each works once. Existing keys are never
    overwritten, and a vault that has people is refused.
    """
    settings = settings_of(config)
    founded = found(settings, admins)
    links = [
        {
            "email": invited.person.email,
            "name": invited.person.name,
            "link": link_of(settings, invited.link.expose()),
            "until": f"{invited.person.enrolment_until:%Y-%m-%dT%H:%M:%SZ}",
        }
        for invited in founded.administrators
    ]
    founded.vault.close()
    if as_json:
        made = [str(path) for path in founded.made]
        log = {"origin": founded.vault.origin, "vkey": founded.vault.vkey}
        emit({"made": made, "log": log, "administrators": links})
        return
    for path in founded.made:
        click.echo(f"made    {path}")
    click.echo(f"log     {founded.vault.origin}")
    click.echo(f"vkey    {founded.vault.vkey}")
    click.echo("        Publish this line where auditors find it without asking this machine.")
    for each in links:
        click.echo(
            f"invite  {each['name']} <{each['email']}>, until {each['until']}:\n        {each['link']}"
        )
    click.echo("Back the key files up apart from the database. Next: rootvault doctor, rootvault serve")
