"""The sources of proof that the vault keeps: CloudTrail's records, as reconciliation read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.proof import Observation
    from vault.ports.store import Unit


@dataclass(frozen=True, slots=True)
class TrailRecords:
    """CloudTrail, from files, buckets and event history alike; implements `RootRecords`."""

    def of(self, unit: Unit, since: Mapping[str, datetime]) -> Mapping[str, tuple[Observation, ...]]:
        """Give, by account, what root did from its time on."""
        return unit.proofs.observed(since)
