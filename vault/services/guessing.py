"""Guesses and floods: what a wrong try costs the next one, and how many failures the log takes (S15, S26).

Decided here: what counts as one network, how a try is counted while others are under way, and that of
one network's failures ten a minute are entries of their own and the rest is counted: into one entry at
20, 40, 80 and so on. So a minute with a million failures writes some thirty entries.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vault.domain.event import Event, EventType
from vault.domain.person import Guesses
from vault.errors import Limited

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.store import Unit

ENTRIES_A_MINUTE: Final = 10
_PREFIXES: Final = {4: 24, 6: 64}


def same_network(ip: str) -> str:
    """Give the network that an address counts as: its /24, or its /64 for IPv6."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((address, _PREFIXES[address.version]), strict=False))


def reserve(unit: Unit, subject: str, now: datetime) -> int:
    """Count a try as failed before it is looked at; give the seconds to wait where it comes too early.

    The caller commits where the answer is 0 and clears the subject when the try was right; otherwise it
    leaves without commit, so that a try in the delay does not make the delay longer.
    """
    before = unit.guesses.get(subject)
    counted = unit.guesses.fail(subject, now)
    earlier = counted.failures - 1
    if before is None or before.failures != earlier:
        # others were counted at the same moment
        before = Guesses(subject, earlier, now)
    return before.wait(now)


def too_early(wait: int, what: str = "wrong tries") -> Limited:
    """Say that too many of these were counted for a try to be looked at now; `wait` is in seconds."""
    return Limited("auth.delayed", f"Too many {what}. Try again in {wait} seconds.", retry_after=wait)


def note_refusal(unit: Unit, event: Event, network: str, now: datetime) -> None:
    """Record a failure of someone unknown, or count it where the network has failed too often."""
    subject = f"network:{network}"
    before = unit.guesses.get(subject)
    if before is not None and _minute(before.last_at) != _minute(now):
        unit.guesses.clear(subject)
    count = unit.guesses.fail(subject, now).failures
    if count <= ENTRIES_A_MINUTE:
        unit.log.record(replace(event, detail={**event.detail, "network": network}), now)
    elif is_told(count):
        detail: dict[str, str | int | bool | None] = {"network": network, "count": count}
        unit.log.record(replace(event, type=EventType.ACCESS_FLOOD, detail=detail), now)


def is_told(count: int) -> bool:
    """Say whether the `count`-th failure of a flood makes an entry: each up to ten, then at each doubling."""
    doublings, rest = divmod(count, ENTRIES_A_MINUTE)
    return count <= ENTRIES_A_MINUTE or (rest == 0 and doublings & (doublings - 1) == 0)


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)
