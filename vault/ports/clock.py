"""Time, as the core asks for it: read once per use case (rule 11)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """Give the present moment, aware and in UTC."""
        ...
