"""The root mailbox, made of settings: what is kept, and where mail is taken in. Nothing listens yet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from vault.adapters.mailbox.receiver import Listening, Receiver
from vault.adapters.mailbox.ses import SesQueue
from vault.domain.ids import fold_email, is_email
from vault.errors import Refused
from vault.services.mailbox import Bounds, Came

if TYPE_CHECKING:
    from vault.bootstrap.vault import Vault
    from vault.settings import Settings


def bounds_of(settings: Settings) -> Bounds:
    """Give how much is kept, and whose word counts."""
    told = settings.mailbox
    return Bounds(
        kept=told.kept,
        kept_of_address=told.kept_of_address,
        per_hour=told.per_hour,
        keep=timedelta(days=told.keep_days),
        authserv_id=told.authserv_id,
        hops=told.hops,
        domains=frozenset(fold_email(each) for each in told.domains),
        ordinary_from=told.ordinary_from,
    )


def check_mailbox(settings: Settings) -> None:
    """Return if the settings of the mailbox can be meant; else raise `Refused` naming the first wrong one."""
    told = settings.mailbox
    if (told.listen or told.queue) and not told.domains:
        raise Refused("settings.invalid", "mailbox.domains must name the domains of our root addresses.")
    for domain in told.domains:
        if not is_email(f"root@{domain}"):
            raise Refused("settings.invalid", f"mailbox.domains holds {domain!r}, which is no domain.")
    for sender in told.ordinary_from:
        if not is_email(sender if not sender.startswith("@") else f"anybody{sender}"):
            words = (
                f"mailbox.ordinary_from holds {sender!r}; write an address, or a domain with an @ before it."
            )
            raise Refused("settings.invalid", words)
    if told.listen:
        Listening(told.listen).check()
    if bool(told.queue) != bool(told.bucket):
        raise Refused("settings.invalid", "mailbox.queue and mailbox.bucket go together.")


def open_receiver(vault: Vault) -> Receiver | None:
    """Make what speaks SMTP; None where the settings name no place."""
    told = vault.settings.mailbox
    check_mailbox(vault.settings)
    if not told.listen:
        return None
    listening = Listening(
        told.listen, told.message_bytes, told.recipients, told.connections, float(told.timeout_seconds)
    )
    return Receiver(
        listening,
        vault.mailbox.would_take,
        lambda raw, recipient: vault.mailbox.receive(Came(raw, recipient)),
    )


def open_queue(settings: Settings) -> SesQueue | None:
    """Make what asks SES's queue; None where the settings name none."""
    told = settings.mailbox
    check_mailbox(settings)
    if not told.queue:
        return None
    return SesQueue(told.queue, told.bucket, told.message_bytes, told.endpoint)
