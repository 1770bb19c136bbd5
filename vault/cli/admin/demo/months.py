"""Days that pass in the story: nobody is there, and the worker does what it does at night.

Why: a closed account is dead after ninety days, an account moves fourteen business days after it was asked for, and
tokens end after ninety. So the story begins fourteen weeks before its last chapter, on the same weekday.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vault.cli.admin.demo.scenes import Act

AGO: Final = timedelta(weeks=14)
"""So long before the day of the handover the story begins."""
_NIGHT: Final = time(0, 10, tzinfo=UTC)


def pass_days(act: Act, until: datetime) -> None:
    """Let days pass: one on which something happened is summed up after it, and what time ends is written down."""
    busy = True
    while (night := _next_night(act.clock.now())) < until:
        act.clock.move_to(night)
        if busy:
            act.vault.days.once()
        busy = act.vault.closures_over.once() > 0
    act.clock.move_to(until)
    act.vault.publishing.once()


def _next_night(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), _NIGHT)
