"""`rootvault restore`: a vault goes on from a backup, under a new log, with nothing in it that was alive (S7).

Decided here: the words that an operator reads before and after, and that the new log's name is typed by hand
unless `--yes` says that a program runs this. Never done here: the ceremony (`vault.bootstrap.restoring`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.progress import bar
from vault.bootstrap.restoring import Wish, next_origin
from vault.bootstrap.restoring import restore as restored
from vault.cli.admin.host import config_option, settings_of
from vault.cli.exits import plain
from vault.cli.output import emit, json_option
from vault.errors import Refused

if TYPE_CHECKING:
    from vault.bootstrap.restoring import Steps

BEFORE = """\
Stop the service and every worker first. Then this will
  - examine the log in the backup from end to end, and write it out as a bundle;
  - begin a new log, named {origin}, with a key of its own;
  - destroy once more what was destroyed after the backup was taken, as the list beside the mark tells;
  - end every session, token, enrolment link, open checkout and step-up;
  - promote every current version anew, as unchecked: some may have been rotated after the backup.
Whoever was shut out or lost a role after the backup has it back: look through People at once.
What happened after the backup is lost from this vault. The old log's entries up to it, its key, its mark and the
present database are kept.
{by} will stand in the new log as named on the host: nobody checks here who they are. The ticket has to show it."""


@click.command()
@config_option
@click.option(
    "--from",
    "backup",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The backup (SQLite); else the database is taken as it is, after pg_restore.",
)
@click.option("--why", required=True, metavar="TEXT", help="Why; the first thing that the new log tells.")
@click.option(
    "--by", "first", required=True, metavar="NAME", help="Who answers for it, as the ticket names them."
)
@click.option("--and", "second", required=True, metavar="NAME", help="Who else answers for it.")
@click.option("--origin", metavar="NAME", help="The new log's name; else the next number is taken.")
@click.option(
    "--destroyed",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A copy of the list of destroyed credentials that is kept elsewhere.",
)
@click.option("--without-list", is_flag=True, help="Go on without that list: everything is frozen then.")
@click.option("--yes", is_flag=True, help="Do not ask: a program runs this.")
@json_option
def restore(
    config: str | None,
    backup: Path | None,
    why: str,
    first: str,
    second: str,
    origin: str | None,
    destroyed: Path | None,
    *,
    without_list: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Go on from a backup: a new log begins, and nothing that was alive in the backup lives again.

    The names are free text: nobody is looked up and nobody is asked. The entries say "as named on the host"; that the
    two people agreed is for the ticket to show.
    """
    settings = settings_of(config)
    origin = origin or next_origin(settings)
    if not yes:
        _ask(origin, f"{first} and {second}")
    wish = Wish(why, (first, second), origin, backup, destroyed, without_list)
    steps = restored(settings, wish, bar("examining the log"))
    if as_json:
        emit(_as_json(steps))
        return
    _tell(steps)


def _ask(origin: str, by: str) -> None:
    if not sys.stdin.isatty():
        raise Refused("operation.failed", "Nobody is here to be asked; run it in a terminal, or give --yes.")
    click.echo(BEFORE.format(origin=plain(origin), by=plain(by)))
    if click.prompt("Type the new log's name to go on", default="", show_default=False) != origin:
        raise Refused("operation.failed", "That is not its name; nothing was done.")


def _tell(steps: Steps) -> None:
    done = steps.restored
    if done is None:
        click.echo("An earlier run had done it and was cut off; its last steps are done now.")
    else:
        click.echo(
            f"{done.versions} current versions of {done.accounts} accounts open again, all of them unchecked.\n"
            f"Ended: {done.checkouts} checkouts, {done.reveals} disclosures without outcome, {done.tokens} tokens,"
            f" the sessions of {done.sessions} people, {done.links} enrolment links."
        )
        if done.destroyed:
            click.echo(f"Destroyed, as before the restore: what was kept of {done.destroyed} accounts.")
        if not done.is_list_known:
            click.echo(
                "FROZEN: which credentials were destroyed after the backup is not known. Two people lift it."
            )
    click.echo(f"The old log   {steps.previous_origin}, written out in {steps.bundle}")
    click.echo(f"  its vkey    {steps.previous_vkey}")
    click.echo(f"The new log   {steps.origin}")
    click.echo(f"  its vkey    {steps.vkey}")
    click.echo("              Publish this line beside the old one, where auditors find both.")
    for path in steps.kept:
        click.echo(f"kept          {path}")
    click.echo("Now set in vault.toml, section [log]:")
    for name, value in steps.settings:
        click.echo(f'  {name.partition(".")[2]} = "{value}"')
    click.echo(
        "Places outside keep checkpoints of the old log: give anchors.file and anchors.bucket_prefix new names.\n"
        "Then: rootvault doctor --deep --replay, rootvault serve; and look through People and due credentials."
    )


def _as_json(steps: Steps) -> dict[str, object]:
    done = steps.restored
    counts = None if done is None else {name: getattr(done, name) for name in type(done).__slots__}
    return {
        "log": {"origin": steps.origin, "vkey": steps.vkey},
        "previous": {
            "origin": steps.previous_origin,
            "vkey": steps.previous_vkey,
            "bundle": str(steps.bundle),
        },
        "settings": dict(steps.settings),
        "kept": [str(path) for path in steps.kept],
        "restored": counts,
    }
