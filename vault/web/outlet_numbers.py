"""Numbers of places outside for ``/metrics``: how far each is behind the log, read when they are asked for.

Decided here: those of the settings are told, whether or not anything reached them yet; one that is no
longer named is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.bootstrap import Vault


class OutletNumbers:
    """A collector over one vault; while the database is away it has nothing to say."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the log's size, of each place how far it is and how it fares, and the age of what none confirmed."""
        now = self._vault.clock.now()
        try:
            standing = self._vault.places.standing()
        except VaultError:  # /readyz tells of it; numbers that are asked for often must not fail instead
            return
        lag = GaugeMetricFamily(
            "rootvault_outlet_lag_entries", "Entries that are not out there yet.", labels=["outlet"]
        )
        failing = GaugeMetricFamily(
            "rootvault_outlet_failing_seconds", "How long every try has failed.", labels=["outlet"]
        )
        lost = GaugeMetricFamily("rootvault_outlet_lost", "Whether it counts as lost.", labels=["outlet"])
        for place in standing.places:
            outlet, since = place.outlet, place.outlet.failing_since
            lag.add_metric([outlet.name], place.lag)
            failing.add_metric([outlet.name], 0 if since is None else (now - since).total_seconds())
            lost.add_metric([outlet.name], int(outlet.lost))
        size = GaugeMetricFamily("rootvault_log_size", "Entries of the log.", value=standing.size)
        yield from (size, lag, failing, lost)
        if self._vault.anchored.is_asked:
            since = standing.unconfirmed_since
            yield GaugeMetricFamily(
                "rootvault_unanchored_seconds",
                "Age of the oldest entry that no place outside confirmed.",
                value=0 if since is None else max(0.0, (now - since).total_seconds()),
            )
