"""What doctor says of mail to root addresses: whether it is taken in, believed, and passed on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import open_signer
from vault.bootstrap.mailbox import check_mailbox, open_queue
from vault.bootstrap.open import units_for
from vault.bootstrap.tickets import open_tickets
from vault.cli.admin.checks import Finding, Level
from vault.domain.mail import MailKind
from vault.errors import VaultError

if TYPE_CHECKING:
    from vault.ports.mail import MailCounts
    from vault.settings import Settings

NAME: Final = "root mail"
LATE: Final = timedelta(hours=1)
_FULL: Final = 0.8


def check_mail(settings: Settings) -> Iterator[Finding]:
    """Hold the settings of the mailbox against each other and against what is kept; ask the queue nothing."""
    told = settings.mailbox
    try:
        check_mailbox(settings)
        open_queue(settings)
        system = open_tickets(settings)
    except VaultError as error:
        yield Finding(NAME, Level.FAIL, error.detail, "See docs/mailbox.md.")
        return
    if not told.listen and not told.queue:
        return
    units = units_for(settings, open_signer(settings))
    now = SystemClock().now()
    try:
        with units.read() as unit:
            counts = unit.mail.counts(now)
    except VaultError:
        return  # the database's own finding says so
    finally:
        units.engine.dispose()
    if not told.authserv_id and told.listen:
        words = "nobody's word on senders counts, so every mail is sealed and none goes to a ticket"
        yield Finding(NAME, Level.WARN, words, "Name the mail server in vault.toml: [mailbox] authserv_id.")
    if system is None or not system.makes_tickets:
        words = f"no ticket can be made of it; {counts.waiting} notes wait"
        yield Finding(
            NAME, Level.WARN, words, "Name where tickets are made in vault.toml: [tickets] create_url."
        )
    elif counts.oldest_waiting is not None and now - counts.oldest_waiting > LATE:
        words = f"{counts.waiting} notes to tickets wait, one of them for more than an hour"
        yield Finding(NAME, Level.FAIL, words, "Look at the ticket system and at rootvault worker.")
    yield from _kept(counts, told.kept)


def _kept(counts: MailCounts, most: int) -> Iterator[Finding]:
    sealed = sum(counts.sealed.values())
    if counts.untold:
        words = f"the ticket system refused {counts.untold} notes for good; their words are on the page of root mail"
        yield Finding(NAME, Level.WARN, words, "Read them there: /mail?kind=ordinary.")
    if sealed + counts.waiting >= most * _FULL:
        words = f"{sealed} contents and {counts.waiting} notes are kept of at most {most}; beyond, mail is refused"
        yield Finding(NAME, Level.FAIL, words, "Find out who writes so much, or raise [mailbox] kept.")
        return
    nobody = counts.sealed.get(MailKind.UNMATCHED, 0)
    step = "A custodian gives those to an account: /mail?kind=unmatched." if nobody else ""
    yield Finding(NAME, Level.OK, f"{sealed} mails are sealed, {nobody} of them to no account", step)
