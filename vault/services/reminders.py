"""Reminders: once a day at most, each person is told how much work waits for them; whoever has none hears nothing.

Decided here: what counts as one's work (accounts of running campaigns that one has, and what is due or unproven within
the reach in which one may use root), that counts are told and never accounts, and that the row which says that
somebody was reminded is written with the entry that tells them: two workers remind nobody twice. Whether it comes by
mail is each person's choice (`notices`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.actor import EVERYTHING, system_actor
from vault.domain.campaign import Reminder, Stage
from vault.domain.event import Event, EventType
from vault.domain.health import Health
from vault.domain.notice import DIGEST_HOUR
from vault.domain.told import changes
from vault.ports.health import Whose
from vault.services.planning import users_of

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Reach
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate
    from vault.services.healths import AccountHealth, Healths

SYSTEM: Final = system_actor("reminders")
_LATE: Final = frozenset({Health.OVERDUE, Health.UNKNOWN, Health.OUT_OF_SYNC, Health.LOST})
_WELL: Final = frozenset({Health.HEALTHY, Health.ABSENT})


@dataclass(frozen=True, slots=True)
class Work:
    """How much waits for one person: accounts, and rotations that nothing proved."""

    mine: int
    due: int
    late: int
    unproven: int

    @property
    def none(self) -> bool:
        """Whether nothing waits."""
        return not (self.mine or self.due or self.late or self.unproven)


@dataclass(frozen=True, slots=True)
class Reminders:
    """The worker's use case on work that waits."""

    units: Units
    gate: Gate
    healths: Healths
    clock: Clock

    def once(self) -> int:
        """Remind everybody who was not reminded today, from the hour of digests on; gives how many."""
        now = self.clock.now()
        if now.hour < DIGEST_HOUR:
            return 0
        day = now.date().isoformat()
        with self.units.read() as unit:
            before = unit.campaigns.reminders()
            users = users_of(unit, self.gate.policy, now)
            waiting = [each for each in users if each not in before or before[each].day < day]
            if not waiting:
                return 0
            work = self._work(unit, {each: users[each][1] for each in waiting}, now)
        count = 0
        for person_id, theirs in work.items():
            was, reminded = before.get(person_id), Reminder(person_id, day)
            if theirs.none:
                continue
            with self.units.write() as unit:
                if unit.campaigns.remind(reminded):
                    self._tell(unit, was, reminded, theirs, now)
                    unit.commit()
                    count += 1
        return count

    def _tell(self, unit: Unit, was: Reminder | None, reminded: Reminder, work: Work, now: datetime) -> None:
        detail: dict[str, str | int | bool | None] = {
            "person": reminded.person_id,
            "campaign_accounts": work.mine,
            "due": work.due,
            "late": work.late,
            "unverified": work.unproven,
        }
        event = Event(EventType.UPKEEP_REMINDED, SYSTEM, changes=changes(was, reminded), detail=detail)
        unit.log.record(event, now)

    def _work(self, unit: Unit, reaches: dict[str, Reach], now: datetime) -> dict[str, Work]:
        """Count each person's work, from one look at everything."""
        running = [each.id for each in unit.campaigns.open() if each.running(now)]
        mine: dict[str | None, int] = {}
        for each in unit.campaigns.progress(running, EVERYTHING):
            if each.stage in {Stage.LEFT, Stage.STARTED}:
                mine[each.person_id] = mine.get(each.person_id, 0) + each.accounts
        found = [
            each
            for each in self.healths.gather(unit, Whose(EVERYTHING), now)
            if each.health.health not in _WELL or each.unverified
        ]
        return {person: _seen(found, reach, mine.get(person, 0)) for person, reach in reaches.items()}


def _seen(found: list[AccountHealth], reach: Reach, mine: int) -> Work:
    """Count what lies within one person's reach."""
    near = [each for each in found if reach.covers(each.account.customer_id, each.account.id)]
    late = sum(each.health.health in _LATE for each in near)
    due = sum(each.health.health not in _WELL | _LATE for each in near)
    return Work(mine, due, late, sum(len(each.unverified) for each in near))
