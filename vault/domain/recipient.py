"""Recovery recipients: whom every data key is wrapped for offline, by number (SECURITY S6).

Decided here: which one is in force: the newest that began and was not ended. One that names nobody ends the wrapping.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

NONE: Final = "none"
"""The subject of a proposal that data keys are wrapped for nobody from then on."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One that two people agreed to. `recipient` is an age recipient (``age1…``), or empty for nobody.

    Times are aware and in UTC. `proposal_id` is None for one that a restore took over from the log that it ended. It
    counts from `effective_at` on; `ended_at` is set where it was withdrawn or overtaken before that.
    """

    number: int
    recipient: str
    effective_at: datetime
    proposal_id: str | None = None
    ended_at: datetime | None = None

    @property
    def way(self) -> str:
        """How it came to be one: kept over a restore, or agreed."""
        return "kept" if self.proposal_id is None else "agreed"


@dataclass(frozen=True, slots=True)
class ToldRecipient:
    """What the log tells of the one in force."""

    number: int
    recipient: str
