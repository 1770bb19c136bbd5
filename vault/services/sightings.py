"""What of AWS's records is shown: of one checkout, and of the sources they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.checkout import Checkout
    from vault.ports.cloud import BrokenPart, LoggedCall, SeenEvent, SourceState


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record of AWS and what it belongs to; `after` says that the lease was over when it happened."""

    seen: SeenEvent
    after: bool


@dataclass(frozen=True, slots=True)
class CheckoutCloud:
    """What AWS recorded of one checkout, and which calls its entries tell of."""

    checkout: Checkout
    records: tuple[Sighting, ...]
    calls: tuple[LoggedCall, ...]


@dataclass(frozen=True, slots=True)
class CloudStatus:
    """How far each source is; `newest` is the time of the newest record that any of them delivered."""

    sources: tuple[SourceState, ...]
    newest: datetime | None
    indexed: int
    size: int
    broken: tuple[BrokenPart, ...]
