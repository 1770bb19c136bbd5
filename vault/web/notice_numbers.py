"""Numbers of notices for ``/metrics``: what waits on each channel, what is dead, how far the log was read.

Decided here: these are the vault's, not a worker process's, so they are not summed over processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.bootstrap import Vault


class NoticeNumbers:
    """A collector over one vault; while the database is away it has nothing to say."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give waiting, dead and overdue notices by channel, and the entries that nobody was told of yet."""
        now = self._vault.clock.now()
        try:
            loads, lag = self._vault.notices.load(), self._vault.telling.lag()
        except VaultError:  # /readyz tells of it; numbers that are asked for often must not fail instead
            return
        waiting = GaugeMetricFamily("rootvault_notices_waiting", "Notices to be sent.", labels=["channel"])
        dead = GaugeMetricFamily("rootvault_notices_dead", "Dead letters.", labels=["channel"])
        late = GaugeMetricFamily(
            "rootvault_notices_overdue_seconds", "How long the oldest is due.", labels=["channel"]
        )
        for channel, load in loads.items():
            waiting.add_metric([channel], load.waiting)
            dead.add_metric([channel], load.dead)
            since = load.due_since
            late.add_metric([channel], 0 if since is None else (now - since).total_seconds())
        unread = GaugeMetricFamily(
            "rootvault_notices_lag_entries", "Entries that were not read yet.", value=lag
        )
        yield from (waiting, dead, late, unread)
