"""What waits for an auditor: days to review, open incidents, the places outside, passwords that were seen and stayed.

Decided here: what is worth an auditor's first look, and that each is of their own scope. Looking is no entry:
nothing of the log's content is told here but numbers, accounts and times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.credential import VersionOrigin
from vault.domain.policy import Permission
from vault.services.outlets import believed
from vault.services.reviews import DayState

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor, Reach
    from vault.domain.credential import Version
    from vault.domain.outlet import Outlet
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate
    from vault.services.reviews import Day, Reviews

SHOWN: Final = 20
"""So many seen passwords are named; where there are more, one opens the accounts."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What an auditor sees first. `days` are those to review, the oldest first; None who may not review.

    `seen` are current passwords that were disclosed for use and that nobody is using now; `set_here` counts the current
    ones that the vault made, which who set them at AWS has seen, and `taken_in` those from elsewhere; `ends_at` is
    when the last of the auditor's own powers ends, None where one has no end.
    """

    days: tuple[Day, ...] | None
    incidents: int | None
    places: tuple[Outlet, ...]
    size: int
    seen: tuple[Version, ...]
    set_here: int
    taken_in: int
    ends_at: datetime | None

    @property
    def red(self) -> int:
        """How many days are overdue."""
        return sum(1 for day in self.days or () if day.state is DayState.RED)


@dataclass(frozen=True, slots=True)
class Watching:
    """The use case of an auditor's first page; `places` names what is kept outside."""

    units: Units
    gate: Gate
    clock: Clock
    reviews: Reviews
    places: tuple[str, ...] = ()

    def look(self, actor: Actor) -> Watched:
        """Give what waits, as far as the actor may see it."""
        now = self.clock.now()
        policy = self.gate.policy
        whole = policy.reach(actor, Permission.LOG_REVIEW).everything
        days = tuple(day for day in reversed(self.reviews.last_days()) if day.waits) if whole else None
        reach = policy.reach(actor, Permission.LOG_READ)
        with self.units.read() as unit:
            origins = unit.versions.current_passwords(reach)
            set_here = origins.get(VersionOrigin.GENERATED, 0)
            return Watched(
                days=days,
                incidents=self._incidents(unit, actor),
                places=tuple(believed(unit, name, now) for name in self.places),
                size=unit.ranges.size(),
                seen=self._seen(unit, reach),
                set_here=set_here,
                taken_in=sum(origins.values()) - set_here,
                ends_at=self._ends(unit, actor, now),
            )

    def _incidents(self, unit: Unit, actor: Actor) -> int | None:
        if not self.gate.policy.reach(actor, Permission.INCIDENT_HANDLE).everything:
            return None
        return sum(each.count for each in unit.incidents.open_counts())

    def _seen(self, unit: Unit, reach: Reach) -> tuple[Version, ...]:
        found = unit.versions.seen(reach, SHOWN)
        in_use = unit.checkouts.open_of_many(tuple(each.account_id for each in found))
        return tuple(each for each in found if each.account_id not in in_use)

    def _ends(self, unit: Unit, actor: Actor, now: datetime) -> datetime | None:
        ends = [grant.ends_at for grant in unit.people.grants(actor.id) if grant.in_force(now)]
        times = [each for each in ends if each is not None]
        return max(times) if times and len(times) == len(ends) else None
