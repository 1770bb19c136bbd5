"""`rootvault recover`: credentials out of a backup with three shares, where nothing else is left (S6).

Decided here: where values go: into a file that is encrypted for one age recipient, or to the terminal by `--show`;
nowhere with `--check`, which opens everything and shows nothing. One account is named, or all are asked for in so
many words. A receipt without any secret is written beside it, to be entered into the log later.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.progress import bar
from vault.adapters.clock import SystemClock
from vault.adapters.private_file import write_private
from vault.bootstrap.recovering import Wish
from vault.bootstrap.recovering import recover as recovered
from vault.cli.admin.recovery import read_shares, shares_option
from vault.cli.exits import Failure, plain
from vault.cli.output import emit, json_option
from vault.crypto.recovery import encrypt_to, is_recipient
from vault.domain.mail_rules import title_of
from vault.domain.secret import Secret
from vault.errors import Refused

if TYPE_CHECKING:
    from vault.bootstrap.recovering import Recovered
    from vault.services.recovering import RegainedMail

NOBODY, TERMINAL = "nobody", "terminal"
BAD = 1


@click.command()
@click.argument("backup")
@shares_option
@click.option(
    "--vkey",
    "vkeys",
    multiple=True,
    required=True,
    metavar="VKEY",
    help="The log's public key, as auditors hold it.",
)
@click.option(
    "--since",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint kept elsewhere; a backup that does not reach it is refused.",
)
@click.option(
    "--account", "accounts", multiple=True, metavar="ACCOUNT", help="Open this account; may be repeated."
)
@click.option("--all", "everything", is_flag=True, help="Open every account.")
@click.option("--to", "to", metavar="RECIPIENT", help="Encrypt the values for this age recipient …")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="… into this new file.")
@click.option("--show", is_flag=True, help="Print the values on the terminal.")
@click.option("--check", is_flag=True, help="Open everything that is asked for, and show nothing.")
@click.option("--why", required=True, metavar="TEXT", help="Why; it stands in the receipt.")
@click.option("--by", "first", required=True, metavar="NAME", help="Who answers for it.")
@click.option("--and", "second", required=True, metavar="NAME", help="Who else answers for it.")
@click.option(
    "--receipt",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the receipt, without any secret, into this new file.",
)
@json_option
def recover(
    backup: str,
    shares: tuple[Path, ...],
    vkeys: tuple[str, ...],
    since: tuple[Path, ...],
    accounts: tuple[str, ...],
    to: str | None,
    out: Path | None,
    why: str,
    first: str,
    second: str,
    receipt: Path,
    *,
    everything: bool,
    show: bool,
    check: bool,
    as_json: bool,
) -> None:
    """Open credentials and sealed mail in BACKUP with three shares of the recovery identity: no service, no keys.

    BACKUP is a file of `rootvault backup` (SQLite), or the address of a PostgreSQL database into which pg_restore put a
    dump. The log in it is proven from end to end first; what it does not name is not opened.
    """
    if bool(accounts) == everything:
        raise Refused("operation.failed", "Name accounts with --account, or say --all.")
    if [to is not None, show, check].count(True) != 1 or (to is None) != (out is None):
        raise Refused(
            "operation.failed", "Say where values go: --to RECIPIENT --out FILE, --show, or --check."
        )
    if to is not None and not is_recipient(to):
        raise Refused("operation.failed", f"{plain(to)[:80]} is no age recipient (age1…).")
    names = (first.strip(), second.strip())
    if not all(names) or names[0].casefold() == names[1].casefold() or not why.strip():
        raise Refused("operation.failed", "Name two different people who answer for it, and say why.")
    for file in (receipt, out):
        if file is not None and file.exists():
            raise Refused("operation.failed", f"There is {file} already; name a new file.")
    goes_to = to or (TERMINAL if show else NOBODY)
    wish = Wish(backup, vkeys, None if everything else accounts, why.strip(), names, since, goes_to)
    done = recovered(wish, read_shares(shares), SystemClock(), bar("proving and reading the log"))
    # the receipt first: what is handed out without one would never be told of
    write_private(receipt, f"{done.receipt}\n".encode())
    if to is not None and out is not None:
        text = Secret(json.dumps(_values(done) + _nobodys(done), indent=2, sort_keys=True))
        write_private(out, encrypt_to(to, text))
    _tell(done, receipt, out, show=show, as_json=as_json)
    if done.failed:
        raise Failure(
            "envelope.tampered", f"{len(done.failed)} values did not open; see above.", exit_status=BAD
        )


def _tell(done: Recovered, receipt: Path, out: Path | None, *, show: bool, as_json: bool) -> None:
    origin, size, last = done.log
    opened = sum(len(each.values) for each in done.regained)
    failed = [
        {
            "account": each.account_id or None,
            "part": each.kind,
            "version": each.number,
            "mail": each.mail or None,
            "code": each.code,
            "words": each.words,
        }
        for each in done.failed
    ]
    if as_json:
        report: dict[str, object] = {
            "log": {"origin": origin, "size": size, "last": last},
            "accounts": len(done.regained),
            "opened": opened,
            "mails": len(done.mails),
            "failed": failed,
            "receipt": str(receipt),
        }
        emit(report | ({"values": _values(done) + _nobodys(done)} if show else {}))
        return
    click.echo(f"log      {plain(origin)}, {size} entries, proven; the last of {last}")
    click.echo("         What happened after it is not in this backup: a newer value may be set at AWS.")
    click.echo(f"opened   {opened} values of {len(done.regained)} accounts, {len(done.mails)} sealed mails")
    for each in done.failed:
        click.secho(f"not      {each.name}: {plain(each.words)} [{each.code}]", fg="red")
    if show:
        for account in _values(done):
            click.echo(f"\n{account['account']}  {plain(account['name'])}  {plain(account['root_email'])}")
            for value in account["values"]:
                click.echo(
                    f"  {value['part']:<9} version {value['version']}, {value['standing']:<9}{value['value']}"
                )
            _show_mails(account["mails"])
        for nobody in _nobodys(done):
            click.echo("\nto no account")
            _show_mails(nobody["mails"])
    if out is not None:
        click.echo(f"values   encrypted in {out}")
    click.echo(f"receipt  {receipt}: when the service runs again, rootvault recovery enter {receipt}")


def _values(done: Recovered) -> list[dict[str, Any]]:
    """Write what opened; a seed is in base32, as any authenticator takes it."""
    return [
        {
            "account": each.account.id,
            "name": each.account.name,
            "root_email": each.account.root_email,
            "values": [
                {
                    "part": value.kind.value,
                    "version": value.number,
                    "standing": value.standing,
                    "created_at": value.created_at.isoformat(),
                    "value": value.plaintext.expose(),
                }
                for value in each.values
            ],
            "mails": [_mail(mail) for mail in each.mails],
        }
        for each in done.regained
    ]


def _nobodys(done: Recovered) -> list[dict[str, Any]]:
    """Write the mail to no account as one more, which has no values."""
    mails = [_mail(mail) for mail in done.nobodys]
    return [{"account": None, "name": "", "root_email": "", "values": [], "mails": mails}] if mails else []


def _mail(found: RegainedMail) -> dict[str, Any]:
    """Write a mail: what was known of it, and what it says. Anybody may have written that."""
    mail = found.mail
    content = json.loads(found.plaintext.expose())
    return {
        "mail": mail.id,
        "received_at": mail.received_at.isoformat(),
        "to": mail.recipient,
        "from": mail.sender,
        "verdict": mail.verdict.value,
        "forged": mail.forged,
        "what": title_of(mail.rule),
        **{name: content[name] for name in ("subject", "text", "links")},
    }


def _show_mails(mails: list[dict[str, Any]]) -> None:
    for each in mails:
        proof = "forged" if each["forged"] else {"pass": "proven"}.get(each["verdict"], "not proven")
        click.echo(f"  mail      {each['received_at']}, from {plain(each['from'] or 'nobody')} ({proof})")
        for line in (each["subject"], *each["text"].split("\n"), *each["links"]):
            click.echo(f"            {plain(line)}")
