"""The store of what leavers know.

As in `vault.ports.store`, every method works inside the unit's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.actor import Reach
from vault.domain.credential import VersionLabel
from vault.domain.leaver import LeaverKnows
from vault.ports.records import Page, Slice


@dataclass(frozen=True, slots=True)
class LeaverItem:
    """One value that a leaver knew, and where its version stands now."""

    knows: LeaverKnows
    label: VersionLabel


class LeaverStore(Protocol):
    """What people knew when they were shut out; kept forever."""

    def known_to(self, person_id: str, now: datetime) -> tuple[LeaverKnows, ...]:
        """Name each value that may open an account and that a person may know, by its first way; in one query."""
        ...

    def add(self, found: tuple[LeaverKnows, ...]) -> tuple[LeaverKnows, ...]:
        """Keep those that are not kept yet; give these, by account, part and version."""
        ...

    def page(self, person_id: str, reach: Reach, part: Slice, *, is_open: bool) -> Page[LeaverItem]:
        """List what a person knew of accounts within `reach`, by account, part and version.

        With `is_open` only what nobody has proven dead yet.
        """
        ...

    def labels(self, person_id: str, reach: Reach) -> Mapping[VersionLabel, int]:
        """Count what a person knew of accounts within `reach`, by where the versions stand now."""
        ...
