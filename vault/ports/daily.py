"""What the worker asks for once a day and once an hour: counts of a day's entries, and other clocks than ours.

As in `vault.ports.store`, the store's methods work inside the unit's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vault.ports.ranges import Stretch


class Synchronised(StrEnum):
    """What the kernel says of its clock."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class DailyStore(Protocol):
    """Counts for the daily summary, and the database's clock."""

    def hold(self) -> None:
        """Let nobody append to the log until the unit ends; what is read after this is the latest."""
        ...

    def outcomes(self, stretch: Stretch) -> Mapping[str, int]:
        """Count a stretch's entries by outcome."""
        ...

    def accounts(self, stretch: Stretch) -> tuple[tuple[str, int], ...]:
        """List the accounts that a stretch tells of, each with how many entries it has by now."""
        ...

    def time(self) -> datetime | None:
        """Give the database server's time at this moment; None where the database has no clock of its own."""
        ...


class Kernel(Protocol):
    """This machine's kernel, asked about its clock."""

    def synchronised(self) -> Synchronised:
        """Say whether a time service disciplines the clock; never raises."""
        ...
