"""The store of proposals. As in `vault.ports.store`, every method works inside the unit's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.actor import Reach
from vault.domain.proposal import Proposal, ProposalKind
from vault.ports.records import Page, Slice


@dataclass(frozen=True, slots=True)
class ProposalFilter:
    """Which proposals: of these kinds, about this subject; `is_waiting` leaves those out that nothing waits for.

    With `reaches` only those whose scope lies within the reach that their kind has there, and those that `reader`
    proposed or is the subject of.
    """

    kinds: frozenset[ProposalKind]
    subject: str | None = None
    is_waiting: bool = False
    reaches: Mapping[ProposalKind, Reach] | None = None
    reader: str = ""


class ProposalStore(Protocol):
    """What takes two people."""

    def add(self, proposal: Proposal) -> None:
        """Keep a new one; `Conflict` proposal.exists where one of this kind and subject waits already."""
        ...

    def get(self, proposal_id: str) -> Proposal | None:
        """Find by id."""
        ...

    def lock(self, proposal_id: str) -> Proposal | None:
        """Find by id and hold its row until the unit ends."""
        ...

    def update(self, proposal: Proposal) -> None:
        """Write the second word, the moment of effect and the end."""
        ...

    def agreed(self, kind: ProposalKind, subject: str | None = None) -> tuple[Proposal, ...]:
        """List those that were agreed to and not ended, in the order of their effect; of one subject, or all."""
        ...

    def in_force(self, kind: ProposalKind, subject: str, now: datetime) -> Proposal | None:
        """Find the one that took effect last and counts at `now`."""
        ...

    def page(self, wanted: ProposalFilter, part: Slice) -> Page[Proposal]:
        """List newest first."""
        ...
