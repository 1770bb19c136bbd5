"""Numbers of incidents and of AWS's records for ``/metrics``: read from the database when they are asked for.

Decided here: these are the vault's, not a worker process's, so they are not summed over processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from vault.domain.incident import IncidentKind
from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.bootstrap import Vault


class IncidentNumbers:
    """A collector over one vault; while the database is away it has nothing to say."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give how many incidents are open, how old the oldest is, and how old AWS's newest record is."""
        now = self._vault.clock.now()
        try:
            counts = {each.kind: each for each in self._vault.incidents.open_counts()}
            newest = self._vault.reconciliation.newest()
        except VaultError:  # /readyz tells of it; numbers that are asked for often must not fail instead
            return
        count = GaugeMetricFamily("rootvault_incidents_open", "Open incidents.", labels=["kind"])
        age = GaugeMetricFamily(
            "rootvault_incidents_oldest_seconds", "Age of the oldest open incident.", labels=["kind"]
        )
        for kind in IncidentKind:
            found = counts.get(kind)
            count.add_metric([kind], 0 if found is None else found.count)
            age.add_metric([kind], 0 if found is None else (now - found.oldest).total_seconds())
        yield count
        yield age
        if newest is not None:
            lag = GaugeMetricFamily("rootvault_cloud_lag_seconds", "Age of the newest record of AWS.")
            lag.add_metric([], (now - newest).total_seconds())
            yield lag
