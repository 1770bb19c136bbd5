"""`rootvault recovery`: the recipient's identity is made and split, shares are tried, receipts are entered (S6).

Decided here: how shares are handed out: one at a time on the terminal, or as five files of mode 0600; never in JSON,
and never kept. `new` and `check` need no vault: they are for a machine that is on no network.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vault.adapters.private_file import write_private
from vault.adapters.process import harden
from vault.bootstrap import open_vault
from vault.cli.admin.host import HOST, config_option, settings_of
from vault.cli.exits import plain
from vault.cli.output import ask_secret, emit, json_option
from vault.crypto.recovery import NEEDED, SHARES, join, new_recipient, recipient_of
from vault.domain.secret import Secret
from vault.errors import Refused
from vault.services.receipts import Receipts

if TYPE_CHECKING:
    from vault.crypto.recovery import Shared

SHARE_MAX = 4_096
HANDED = """\
Give each share to another person, on paper, and let each keep it away from the others. Any {needed} of them open every
credential in any backup; two tell nothing. Then destroy what is left on this machine, try three shares with
`rootvault recovery check`, and propose the recipient: rootvault keys recipient --propose {recipient}
Whoever agrees compares it with this line, letter by letter."""


def read_shares(files: tuple[Path, ...]) -> tuple[Secret[str], ...]:
    """Read shares from files, or ask for as many as are needed; lines that begin with # are comments."""
    if not files:
        return tuple(Secret(ask_secret(f"Share {number} of {NEEDED}")) for number in range(1, NEEDED + 1))
    return tuple(_share(file) for file in files)


shares_option = click.option(
    "--share",
    "shares",
    multiple=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A share; give three. Without it they are asked for, unseen.",
)


@click.group()
def recovery() -> None:
    """Make the offline recovery identity, try its shares, enter what was opened with them."""


@recovery.command()
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the shares as five files into this directory.",
)
@click.option("--show", is_flag=True, help="Show the shares on the terminal, one at a time.")
@json_option
def new(into: Path | None, *, show: bool, as_json: bool) -> None:
    """Make an identity, split it three of five, and forget it. Best on a machine that is on no network.

    Nothing changes in any vault: two people agree to the recipient there.
    """
    if (into is None) != show:
        raise Refused("operation.failed", "Say where the shares go: --into DIRECTORY, or --show.")
    if show and (as_json or not sys.stdin.isatty() or not sys.stdout.isatty()):
        raise Refused(
            "operation.failed", "Shares are shown to somebody at a terminal alone, and never as JSON."
        )
    harden()
    made = new_recipient()
    files = _write(made, into) if into is not None else _show(made)
    if as_json:
        emit({"recipient": made.recipient, "shares": SHARES, "needed": NEEDED, "files": files})
        return
    for file in files:
        click.echo(f"share      {plain(file)}")
    click.echo(f"recipient  {made.recipient}")
    click.echo(HANDED.format(needed=NEEDED, recipient=made.recipient))


@recovery.command()
@shares_option
@json_option
def check(shares: tuple[Path, ...], *, as_json: bool) -> None:
    """Say of which recipient three shares are; nothing is opened and nothing is kept."""
    harden()
    recipient = recipient_of(join(read_shares(shares)))
    if as_json:
        emit({"recipient": recipient})
    else:
        click.echo(f"These shares open what is wrapped for {recipient}")


@recovery.command()
@click.argument("receipt", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@json_option
def enter(receipt: Path, config: str | None, *, as_json: bool) -> None:
    """Enter the RECEIPT of `rootvault recover` into the log: what was opened offline is due for rotation."""
    vault = open_vault(settings_of(config))
    try:
        done = Receipts(vault.units, vault.clock).enter(HOST, receipt.read_text("utf-8"))
    finally:
        vault.close()
    if as_json:
        emit({name: getattr(done, name) for name in type(done).__slots__})
        return
    click.echo(f"receipt  {done.receipt}")
    click.echo(f"{done.versions} versions are due for rotation.")
    if done.mails:
        click.echo(f"{done.mails} sealed mails were read; each is in the log.")
    if done.gone:
        click.echo(f"{done.gone} that it names are not in this vault as they were.")
    if done.known:
        click.echo(f"{done.known} accounts had it already.")


def _share(file: Path) -> Secret[str]:
    try:
        with file.open("rb") as opened:
            text = opened.read(SHARE_MAX + 1).decode("ascii")
    except (OSError, UnicodeDecodeError):
        raise Refused("recovery.shares", f"The share {file} cannot be read as text.") from None
    if len(text) > SHARE_MAX:
        raise Refused("recovery.shares", f"The file {file} is too long for a share.")
    return Secret(" ".join(line for line in text.splitlines() if not line.startswith("#")))


def _write(made: Shared, into: Path) -> list[str]:
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = []
    for number, share in enumerate(made.shares, 1):
        file = into / f"recovery-share-{number}-of-{SHARES}.txt"
        first = f"# Root vault, recovery share {number} of {SHARES}; any {NEEDED} open every credential"
        head = f"{first}\n# {made.recipient}\n"
        write_private(file, f"{head}{share.expose()}\n".encode("ascii"))
        files.append(str(file))
    return files


def _show(made: Shared) -> list[str]:
    for number, share in enumerate(made.shares, 1):
        click.clear()
        click.echo(f"Share {number} of {SHARES}. Only who keeps it looks at this screen; write it down.\n")
        words = share.expose().split()
        for start in range(0, len(words), 3):
            line = (
                f"{place + 1:>2} {word:<10}" for place, word in enumerate(words[start : start + 3], start)
            )
            click.echo("  ".join(line).rstrip())
        click.prompt(
            "\nPress Enter when it is written down", default="", show_default=False, prompt_suffix=" "
        )
    click.clear()
    return []
