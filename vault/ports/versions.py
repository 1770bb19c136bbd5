"""Port: sealed versions of credentials, one store of a unit of work.

Decided here: the questions that use cases ask of versions. A version's value never changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from vault.domain.actor import Reach
    from vault.domain.credential import PartKind, Version, VersionLabel, VersionOrigin


class VersionStore(Protocol):
    """Sealed versions; a version's value never changes."""

    def add(self, version: Version) -> None:
        """Keep a new version; `Conflict` concurrent.change where the number was taken meanwhile."""
        ...

    def get(self, account_id: str, kind: PartKind, number: int) -> Version | None:
        """Find one."""
        ...

    def current(self, account_id: str, kind: PartKind) -> Version | None:
        """Find the version labelled current."""
        ...

    def current_of(self, account_ids: tuple[str, ...]) -> Mapping[tuple[str, PartKind], Version]:
        """Find the current versions of many accounts in one query."""
        ...

    def of(self, account_id: str, kind: PartKind) -> tuple[Version, ...]:
        """List all, newest first."""
        ...

    def seen(self, reach: Reach, limit: int) -> tuple[Version, ...]:
        """List current passwords within `reach` that somebody saw, the longest ago first."""
        ...

    def current_passwords(self, reach: Reach) -> Mapping[VersionOrigin, int]:
        """Count the current passwords within `reach` by where they came from."""
        ...

    def next_number(self, account_id: str, kind: PartKind) -> int:
        """Give the number after the highest used."""
        ...

    def relabel(
        self, version: Version, label: VersionLabel, *, current_since: datetime | None = None
    ) -> None:
        """Move a version's label."""
        ...

    def mark_disclosed(self, version: Version, at: datetime) -> None:
        """Set the first disclosure's time, where none is set."""
        ...

    def device_removed(self, version: Version, at: datetime, by: str) -> None:
        """Write, once, that a seed's device was taken off at AWS."""
        ...

    def claim_step(self, version: Version, step: int) -> bool:
        """Claim a TOTP time step of a seed; False where it, or a later one, was claimed before."""
        ...

    def each(self) -> Iterator[Version]:
        """Go through all versions, by account, kind and number."""
        ...

    def piece(self, after: Version | None, most: int) -> tuple[Version, ...]:
        """List the versions next to `after`, by account, kind and number."""
        ...

    def count(self) -> int:
        """Count all versions."""
        ...

    def may_rewrap(self) -> bool:
        """Say whether this database role may put other wraps in place: on PostgreSQL the service's may not."""
        ...

    def rewrap(self, version: Version, wraps: bytes) -> bool:
        """Put other wraps in place of exactly those that `version` has; False where it has others by now."""
        ...

    def shred(self, account_id: str) -> int:
        """Empty every version of an account, with all its wraps, and label it destroyed; give how many were not yet."""
        ...

    def drilled(self, version: Version, at: datetime | None, fault: str) -> bool:
        """Keep what came of a drill: when it last opened, and what was wrong now; False where another drill did."""
        ...
