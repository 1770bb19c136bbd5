"""A closed account: until when it can be reopened, and what it is then (L1-L3; AWS, "Close your AWS account").

Decided here: the lifecycle *closure*, and the 90 days. AWS keeps what is in a closed account for 90 days after it was
closed; until then AWS Support reopens it, after that nobody does. What time has ended is ended when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.event import stamp
from vault.domain.lifecycle import Lifecycle
from vault.domain.told import Told, told

REOPENABLE: Final = timedelta(days=90)
"""So long after its closing AWS reopens an account."""


class ClosureState(StrEnum):
    """What became of a closed account."""

    CLOSED = "closed"
    REOPENED = "reopened"
    DEAD = "dead"


class ClosureEvent(StrEnum):
    """What moves a closed account."""

    REOPENED = "reopened"
    EXPIRED = "expired"


CLOSURE: Final = Lifecycle(
    "closure",
    ClosureState.CLOSED,
    {
        (ClosureState.CLOSED, ClosureEvent.REOPENED): ClosureState.REOPENED,
        (ClosureState.CLOSED, ClosureEvent.EXPIRED): ClosureState.DEAD,
    },
)


@dataclass(frozen=True, slots=True)
class Closure:
    """One closing of an account, in its case. Times are aware and in UTC.

    `closed_at` is when AWS closed it, `was` the custody that it had before, to which a reopened one goes back;
    `words` say how AWS reopened it.
    """

    case_id: str
    account_id: str
    state: ClosureState
    closed_at: datetime
    dead_at: datetime
    was: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    words: str = ""

    def state_at(self, now: datetime) -> ClosureState:
        """Give its state as time has it, whether or not anything wrote it down."""
        over = self.state is ClosureState.CLOSED and now >= self.dead_at
        return CLOSURE.transitions[self.state, ClosureEvent.EXPIRED] if over else self.state

    def days_left(self, now: datetime) -> int:
        """Count the days, begun ones too, in which AWS still reopens it."""
        if self.state_at(now) is not ClosureState.CLOSED:
            return 0
        return -((now - self.dead_at) // timedelta(days=1))


@told.register(Closure)
def _(thing: Closure) -> Told:
    return "closure", f"{thing.case_id}/{thing.account_id}", {
        "": thing.state.value,
        "closed_at": stamp(thing.closed_at),
        "dead_at": stamp(thing.dead_at),
        "was": thing.was,
        "ended_by": thing.ended_by or "",
    }  # fmt: skip
