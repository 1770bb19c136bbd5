"""The story's clock: it starts in the past, is moved by hand, and never passes the real time.

Why: a person's one-time code works once for each half minute, so a story told in real time would wait
minutes for codes. Told in the recent past, it needs no waiting, its log's times are in order, no time in
it lies in the future, and once it is over every person's next code is fresh.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

LENGTH: Final = timedelta(hours=2)
"""How long ago the last part of the story begins: longer than it takes in its own time."""


class StoryClock:
    """A clock that stands still until it is moved."""

    def __init__(self, real: datetime | None = None, begins: datetime | None = None) -> None:
        self._limit = real or datetime.now(UTC)
        self._now = begins or self._limit - LENGTH

    @property
    def recent(self) -> datetime:
        """Give the moment at which the last part of the story begins."""
        return self._limit - LENGTH

    def move_to(self, moment: datetime) -> None:
        """Let days pass in which nothing of the story happens; never back."""
        self.advance(max(0.0, (moment - self._now).total_seconds()))

    def now(self) -> datetime:
        """Give the story's present moment."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on; a story that would reach real time is too long, and fails here."""
        later = self._now + timedelta(seconds=seconds)
        # two time steps are left, so that codes of the present are fresh when the story ends
        if later > self._limit - timedelta(minutes=2):
            message = "the story takes longer than the time it was given"
            raise RuntimeError(message)
        self._now = later
