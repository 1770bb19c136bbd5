"""Live feeds: others who are sent every entry of the log, in order, soon after it was written.

Decided here: what a feed promises. It is sent entries oldest first, sends nothing else, never answers for
longer than it was given, and tells how many of them arrived for certain. What is not certain is sent again:
a receiver knows an entry by its id, or by its index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from vault.domain.formats import Copied


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of a try: the first `count` entries arrived; `error` says why not the rest.

    `wait` is how long the receiver asked to be left alone; `gone` means that it wants nothing more, ever.
    """

    count: int
    error: str | None = None
    wait: timedelta | None = None
    gone: bool = False


class Feed(Protocol):
    """One receiver."""

    @property
    def name(self) -> str:
        """The outlet's name."""
        ...

    def deliver(self, entries: Sequence[Copied], seconds: float) -> Delivery:
        """Send entries in their order for at most about so many seconds; never raises for the receiver's sake."""
        ...

    def test(self) -> Delivery:
        """Send one message that is no entry; `error` holds what was answered where it did not arrive."""
        ...
