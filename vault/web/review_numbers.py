"""Numbers of the daily review for ``/metrics``: read from the log when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.bootstrap import Vault


class ReviewNumbers:
    """A collector over one vault; while the database is away it has nothing to say."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give how many days are over for more than 24 hours and not signed."""
        try:
            waiting = self._vault.reviews.waiting()
        except VaultError:  # /readyz tells of it; numbers that are asked for often must not fail instead
            return
        days = GaugeMetricFamily(
            "rootvault_unreviewed_days", "Days of the log that are over for 24 hours and not signed."
        )
        days.add_metric([], len(waiting))
        yield days
