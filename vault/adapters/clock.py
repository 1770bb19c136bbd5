"""The machine's clock, read nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Tells the operating system's time."""

    def now(self) -> datetime:
        """Give the present moment, aware and in UTC."""
        return datetime.now(UTC)
