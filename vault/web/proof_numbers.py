"""Numbers of rotations that wait for their proof, for ``/metrics``: read from the database when they are asked for.

Decided here: these are the vault's, not a worker process's, so they are not summed over processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.bootstrap import Vault


class ProofNumbers:
    """A collector over one vault; while the database is away it has nothing to say."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give how many rotations wait, how many of them too long, and since when the oldest does."""
        now = self._vault.clock.now()
        try:
            found = self._vault.proving.count()
        except VaultError:  # /readyz tells of it; numbers that are asked for often must not fail instead
            return
        age = 0.0 if found.oldest is None else (now - found.oldest).total_seconds()
        for name, words, value in (
            ("unverified", "Rotations that wait for their proof.", found.count),
            ("unverified_overdue", "Rotations that were told to wait too long for it.", found.overdue),
            ("unverified_oldest_seconds", "How long the oldest of them waits.", age),
        ):
            yield GaugeMetricFamily(f"rootvault_rotations_{name}", words, value=value)
