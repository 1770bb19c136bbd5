"""Numbers of mail to root addresses for ``/metrics``: what is sealed, what waits for a ticket, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from vault.domain.mail import MailKind
from vault.errors import VaultError
from vault.services.mail_telling import due_since

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.bootstrap import Vault


class MailNumbers:
    """A collector over one vault; while the database is away it has nothing to say."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give sealed mails by kind, and the notes that wait or were refused."""
        try:
            counts = self._vault.mails.counts()
        except VaultError:  # /readyz tells of it; numbers that are asked for often must not fail instead
            return
        sealed = GaugeMetricFamily("rootvault_mail_sealed", "Mails with a sealed content.", labels=["kind"])
        for kind in (MailKind.SECURITY, MailKind.UNMATCHED):
            sealed.add_metric([kind.value], counts.sealed.get(kind, 0))
        late = due_since(counts.oldest_waiting, self._vault.clock.now())
        yield from (
            sealed,
            GaugeMetricFamily(
                "rootvault_mail_notes_waiting", "Notes to tickets to be sent.", value=counts.waiting
            ),
            GaugeMetricFamily("rootvault_mail_notes_refused", "Notes refused for good.", value=counts.untold),
            GaugeMetricFamily(
                "rootvault_mail_notes_overdue_seconds", "How long the oldest is due.", value=late
            ),
        )
