"""Numbers of findings and of looks at accounts for ``/metrics``: read from the database when they are asked for.

Decided here: these are the vault's, not a worker process's, so they are not summed over processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from vault.domain.hygiene import Rule
from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.bootstrap import Vault


class FindingNumbers:
    """A collector over one vault; while the database is away it has nothing to say."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give how many findings are open and how old the oldest is, by rule, and how old the oldest look is."""
        now = self._vault.clock.now()
        try:
            counts = {each.rule: each for each in self._vault.findings.open_counts()}
            looks = self._vault.inspecting.numbers()
        except VaultError:  # /readyz tells of it; numbers that are asked for often must not fail instead
            return
        count = GaugeMetricFamily("rootvault_findings_open", "Open findings.", labels=["rule"])
        age = GaugeMetricFamily(
            "rootvault_findings_oldest_seconds", "Age of the oldest open finding.", labels=["rule"]
        )
        for rule in Rule:
            found = counts.get(rule)
            count.add_metric([rule], 0 if found is None else found.count)
            age.add_metric([rule], 0 if found is None else (now - found.oldest).total_seconds())
        yield count
        yield age
        if self._vault.inspecting.inspector is None:
            return
        never = GaugeMetricFamily(
            "rootvault_inspections_missing", "Accounts to be looked at that never were."
        )
        never.add_metric([], looks.accounts - looks.seen)
        yield never
        if looks.oldest is not None:
            oldest = GaugeMetricFamily("rootvault_inspection_oldest_seconds", "Age of the oldest last look.")
            oldest.add_metric([], (now - looks.oldest).total_seconds())
            yield oldest
