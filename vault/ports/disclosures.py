"""Stores of what leads to a secret being seen: disclosures and rotations.

As in `vault.ports.store`, every method works inside the unit's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.credential import PartKind
from vault.domain.rotation import Rotation
from vault.ports.records import Reveal, RevealState


class RevealStore(Protocol):
    """Disclosures."""

    def add(self, reveal: Reveal) -> None:
        """Keep an authorised one."""
        ...

    def end(self, reveal_id: str, state: RevealState, at: datetime) -> bool:
        """Write the outcome; False where one was written before."""
        ...

    def release(self, reveal_id: str, at: datetime) -> bool:
        """Write that it was released, unless it has an outcome or is frozen; False where nothing was written.

        Exact against a freeze only in a unit that held the checkout to release it (`CheckoutStore.hold`).
        """
        ...

    def unfinished(self, before: datetime, limit: int) -> tuple[Reveal, ...]:
        """List those authorised before a time and without outcome."""
        ...

    def of_checkout(self, checkout_id: str) -> tuple[Reveal, ...]:
        """List a checkout's, oldest first."""
        ...

    def knows(self, person_id: str, account_id: str, kind: PartKind, version: int) -> bool:
        """Say whether a person may have seen a version."""
        ...


class RotationStore(Protocol):
    """Rotations."""

    def add(self, rotation: Rotation) -> None:
        """Keep a new one; `Conflict` rotation.conflict where one is unsettled for the part."""
        ...

    def get(self, rotation_id: str) -> Rotation | None:
        """Find by id."""
        ...

    def update(self, rotation: Rotation) -> None:
        """Write all fields that may change."""
        ...

    def unsettled(self, account_id: str) -> tuple[Rotation, ...]:
        """List those planned, displayed or unknown: at most one for each part."""
        ...

    def unverified(self, account_id: str, kind: PartKind) -> tuple[Rotation, ...]:
        """List accepted ones that are not verified, newest first."""
        ...

    def unverified_of(self, account_ids: tuple[str, ...]) -> frozenset[tuple[str, PartKind]]:
        """Name the parts of many accounts that have an accepted rotation not verified, in one query."""
        ...

    def under(self, checkout_id: str) -> tuple[Rotation, ...]:
        """List those planned or attested under a checkout, oldest first."""
        ...

    def of_account(self, account_id: str, limit: int) -> tuple[Rotation, ...]:
        """List an account's, newest first."""
        ...
