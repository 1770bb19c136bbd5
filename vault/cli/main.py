"""`rootvault`: names every command, imports the one that is called, and turns failures into exit statuses.

Decided here: that starting is cheap. A people's command imports neither the web framework nor the
database nor AWS's library; a test lists what each command may not import. Errors become words and an
exit status here and nowhere else (`exits`).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final, NamedTuple

import click

from vault.cli.exits import Failure, of_error, tell


class _Command(NamedTuple):
    """Where a command lives, and its line in the overview."""

    place: str
    words: str


PEOPLE: Final[dict[str, _Command]] = {
    "login": _Command("vault.cli.session:login", "Remember an address and an API token."),
    "logout": _Command("vault.cli.session:logout", "Forget the token."),
    "me": _Command("vault.cli.session:me", "Who am I, with which roles?"),
    "accounts": _Command("vault.cli.accounts:accounts", "List and show AWS accounts."),
    "reasons": _Command("vault.cli.accounts:reasons", "The accepted reasons for using root."),
    "checkout": _Command("vault.cli.checkouts:checkout", "Ask for an account's root, list, show, cancel."),
    "approve": _Command("vault.cli.approvals:approve", "Agree to someone's request."),
    "deny": _Command("vault.cli.approvals:deny", "Refuse someone's request."),
    "proposals": _Command("vault.cli.proposals:proposals", "What takes two people: agree, refuse, end."),
    "tokens": _Command("vault.cli.tokens:tokens", "Your tokens, and machines': list, show, end."),
    "policy": _Command("vault.cli.policy:policy", "Why is it not open to me? Versions, proposals."),
    "keys": _Command("vault.cli.keys:keys", "Propose other keys, or a drill of every credential."),
    "freeze": _Command("vault.cli.emergency:freeze", "Stop every disclosure, with one press."),
    "freezes": _Command("vault.cli.emergency:freezes", "What is frozen."),
    "lift": _Command("vault.cli.emergency:lift", "One of two words that lift a freeze."),
    "glass": _Command("vault.cli.emergency:glass", "Broken glass: what waits for review, and the review."),
    "password": _Command("vault.cli.disclosures:password", "The root password, to the clipboard."),
    "code": _Command("vault.cli.disclosures:code", "The present MFA code, to the clipboard."),
    "checkin": _Command("vault.cli.checkouts:checkin", "End your lease."),
    "rotate": _Command("vault.cli.rotate:rotate", "Set a new password or MFA device, step by step."),
    "lost": _Command("vault.cli.checkouts:lost", "Say that AWS takes no value that the vault holds."),
    "verify": _Command("vault.cli.rotate:verify", "Prove a colleague's rotation."),
    "rotations": _Command("vault.cli.rotations:rotations", "What nothing has proven yet, the oldest first."),
    "campaign": _Command(
        "vault.cli.campaigns:campaign", "Many accounts to rotate: propose, take, hand on, how far."
    ),
    "calendar": _Command("vault.cli.campaigns:calendar", "What falls on coming days."),
    "export": _Command("vault.cli.export:export", "Take a copy of the log into a file."),
    "sample": _Command("vault.cli.sample:sample", "A random sample of entries, with proofs."),
    "trail": _Command("vault.cli.trail:trail", "What happened, newest first."),
    "notices": _Command("vault.cli.notices:notices", "What you were told, and what could not be."),
    "board": _Command("vault.cli.upkeep:board", "What has to be done about credentials, the riskiest first."),
    "health": _Command("vault.cli.upkeep:health", "In what state credentials are, why, and what to do."),
    "recovery-score": _Command(
        "vault.cli.upkeep:recovery_score", "What a lost vault, mailbox or phone takes."
    ),
    "keyless": _Command(
        "vault.cli.keyless:keyless", "Members without root credentials: look, remove, allow."
    ),
    "cases": _Command("vault.cli.cases:cases", "Work on accounts in steps: the board, steps, batches."),
    "handover": _Command("vault.cli.handovers:handover", "Accounts that are given back to their customer."),
    "move": _Command("vault.cli.moves:move", "Accounts that become another customer's."),
    "onboarding": _Command(
        "vault.cli.onboardings:onboarding",
        "Accounts that are taken over: open, the customer's text, addresses.",
    ),
    "closure": _Command("vault.cli.closures:closure", "Accounts that are closed at AWS."),
    "destruction": _Command(
        "vault.cli.destruction:destruction", "The certificate of what was destroyed of an account."
    ),
    "mail": _Command("vault.cli.mail:mail", "Mail to root addresses: list it, open what is sealed."),
    "findings": _Command("vault.cli.findings:findings", "What of accounts at AWS is not as it should be."),
    "drift": _Command("vault.cli.findings:drift", "The vault's list of accounts against the Organizations'."),
    "inspection": _Command(
        "vault.cli.findings:inspection", "What was seen of an account at AWS; have it seen."
    ),
    "incidents": _Command("vault.cli.incidents:incidents", "What the log does not explain."),
    "known": _Command("vault.cli.known:known", "Who could have known a credential at a time."),
    "leaver": _Command(
        "vault.cli.leaver:leaver", "What somebody who left may know, and what is left to rotate."
    ),
    "reviews": _Command("vault.cli.reviews:reviews", "Which days of the log were reviewed."),
    "evidence": _Command("vault.cli.evidence:evidence", "What the log tells of one checkout, with proofs."),
}
OPERATOR: Final[dict[str, _Command]] = {
    "init": _Command("vault.cli.admin.init:init", "Make keys, database, log and two administrators."),
    "serve": _Command("vault.cli.admin.serve:serve", "Answer requests, and sweep beside it."),
    "worker": _Command("vault.cli.admin.worker:worker", "Write down what time has ended."),
    "mailbox": _Command("vault.cli.admin.mailbox:mailbox", "Take in mail to root addresses."),
    "feed": _Command("vault.cli.admin.feed:feed", "Who is sent every entry, and how far they are."),
    "doctor": _Command("vault.cli.admin.doctor:doctor", "What is wrong here, and what to do."),
    "db": _Command("vault.cli.admin.db:db", "Bring the database's schema up to date."),
    "import": _Command(
        "vault.cli.admin.importer:import_", "Take many accounts into custody from a CSV file."
    ),
    "reconcile": _Command(
        "vault.cli.admin.reconcile:reconcile", "Compare AWS's own records with the log now."
    ),
    "backup": _Command("vault.cli.admin.backup:backup", "A consistent copy of the database."),
    "restore": _Command("vault.cli.admin.restore:restore", "Go on from a backup, under a new log."),
    "recovery": _Command(
        "vault.cli.admin.recovery:recovery", "The offline recovery identity: make it, try its shares."
    ),
    "recover": _Command("vault.cli.admin.recover:recover", "Open a backup with three shares."),
    "rewrap": _Command("vault.cli.admin.rewrap:rewrap", "Every data key under other keys, by two people."),
    "drill": _Command("vault.cli.admin.drill:drill", "Open every credential, show none, report."),
    "log": _Command("vault.cli.admin.log:log", "Change the key that signs the log."),
    "admin": _Command("vault.cli.admin.people:admin", "Look at the people of this vault."),
    "demo": _Command("vault.cli.admin.demo:demo", "A small world, the whole story, and a running vault."),
}


class Commands(click.Group):
    """A group that knows its commands' names and lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Give all names, people's first."""
        return [*PEOPLE, *OPERATOR]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Import the one command that was called."""
        found = PEOPLE.get(cmd_name) or OPERATOR.get(cmd_name)
        if found is None:
            return None
        if cmd_name in OPERATOR:
            # whatever these make on this host is for the user that runs the vault
            os.umask(0o077)
        module, _, name = found.place.partition(":")
        command = getattr(import_module(module), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the overview."""
        for title, commands in (
            ("For people (by REST)", PEOPLE),
            ("For the operator (on the host)", OPERATOR),
        ):
            with formatter.section(title):
                formatter.write_dl([(name, command.words) for name, command in commands.items()])


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="rootvault", message="%(version)s")
def cli() -> None:
    """AWS root credentials of many accounts: reasons, approvals, rotation, proof.

    People's commands speak to the vault at ROOTVAULT_URL with ROOTVAULT_TOKEN, or what `login` remembered.
    Auditors need neither: python -m audit verify BUNDLE --key VKEY. Every command knows --json.
    """


def main() -> None:
    """Run one command and leave with its status."""
    as_json = "--json" in sys.argv[1:]
    try:
        status = cli.main(standalone_mode=False)
    except Failure as failure:
        tell(failure, as_json=as_json)
        status = failure.exit_status
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        status = 130
    except click.ClickException as wrong:
        wrong.show()
        status = wrong.exit_code
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        sys.stderr.close()
        status = 0
    except Exception as error:
        known = of_error(error)
        if known is None:
            raise
        tell(known, as_json=as_json)
        status = known.exit_status
    sys.exit(status if isinstance(status, int) else 0)
