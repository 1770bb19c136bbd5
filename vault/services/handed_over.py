"""What time does to a handover that was released: links end, the grace is warned of, what we kept is destroyed (H9).

Decided here: the worker's turn. A link that nobody opened ends and is told of; a week before the grace is over those
who prepare handovers and the auditors are warned, once; what was acknowledged, or has waited for its grace, is
destroyed in one transaction for all its accounts, which closes the case. Done again it is the same: what was destroyed
stays so, and a closed case is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import system_actor
from vault.domain.case import HandoverEvent, HandoverState
from vault.domain.destruction import Ground
from vault.domain.event import Event, EventType, Result, stamp
from vault.domain.plans.handover import PLAN
from vault.domain.policy import Permission
from vault.domain.release import WARNING, LinkEnd
from vault.domain.told import changes
from vault.services.case_ground import about
from vault.services.case_kinds import move_case
from vault.services.customer_links import ended_detail
from vault.services.destruction import Order

if TYPE_CHECKING:
    from vault.domain.release import CustomerLink, Handed
    from vault.ports.clock import Clock
    from vault.ports.store import Units
    from vault.services.destruction import Destruction

ACTOR: Final = system_actor("handovers")
_AT_ONCE: Final = 50
_READY: Final = frozenset({HandoverState.RELEASED, HandoverState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did."""

    links: int
    warned: int
    closed: int


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The worker's use case on handovers that were released."""

    units: Units
    clock: Clock
    destruction: Destruction

    def once(self) -> Turn:
        """End what time has ended; some at a time, the rest the next turn."""
        now = self.clock.now()
        with self.units.read() as unit:
            over = unit.releases.unopened(now, _AT_ONCE)
            ending = unit.releases.ending(now + WARNING, _AT_ONCE)
            due = unit.releases.due(now, _AT_ONCE)
        return Turn(
            sum(self._end(each) for each in over),
            sum(self._warn(each) for each in ending if each.destroy_after > now),
            sum(self._destroy(each) for each in due),
        )

    def _end(self, link: CustomerLink) -> bool:
        now = self.clock.now()
        with self.units.write() as unit:
            found = unit.releases.lock_link(link.token_hash)
            if found is None or found.ended_at is not None or found.opened_at is not None:
                return False
            ended = replace(found, ended_at=now, ending=LinkEnd.EXPIRED)
            unit.releases.update_link(ended)
            detail = {"case": link.case_id, "link": link.id} | ended_detail(unit, link, LinkEnd.EXPIRED)
            event = Event(
                EventType.LINK_ENDED, ACTOR, Result.FAILED, changes=changes(found, ended), detail=detail
            )
            unit.log.record(event, now)
            unit.commit()
        return True

    def _warn(self, handed: Handed) -> bool:
        now = self.clock.now()
        with self.units.write() as unit:
            case, found = unit.cases.lock(handed.case_id), unit.releases.get(handed.case_id)
            if (
                case is None
                or found is None
                or found.warned_at is not None
                or found.acknowledged_at is not None
            ):
                return False
            warned = replace(found, warned_at=now)
            unit.releases.update(warned)
            detail = about(unit.cases.scene(case)) | {
                "destroy_after": stamp(found.destroy_after),
                "next": Permission.HANDOVER_PREPARE.value,
            }
            unit.log.record(
                Event(
                    EventType.GRACE_ENDING, ACTOR, rule="H9", changes=changes(found, warned), detail=detail
                ),
                now,
            )
            unit.commit()
        return True

    def _destroy(self, handed: Handed) -> bool:
        """Destroy what is kept of every account and close the case, in one transaction."""
        now = self.clock.now()
        with self.units.write() as unit:
            near, found = unit.cases.get(handed.case_id), unit.releases.get(handed.case_id)
            if near is None or found is None or near.state not in _READY:
                return False
            scene = unit.cases.scene(near)
            said = found.acknowledged_at is not None
            if said:
                ground, why = Ground.ACKNOWLEDGED, "The signatory acknowledged the handover."
            else:
                ground, why = Ground.GRACE, "Nobody acknowledged the handover until its grace was over."
            order = Order(ground, why, near.id)
            # accounts first, then the case, then the log's head: the order in which everybody holds rows
            self.destruction.destroy_all(unit, ACTOR, tuple(scene.live), order, now)
            case = unit.cases.lock(near.id)
            if case is None or case.state not in _READY:
                return False
            _, told = move_case(unit, PLAN, case, HandoverEvent.CLOSED, now)
            detail = about(scene) | {"what": "closed", "ground": ground.value}
            event = Event(EventType.CASE_CHANGED, ACTOR, rule="H9", changes=told, detail=detail)
            unit.log.record(replace(event, subject=f"case:{near.id}"), now)
            unit.commit()
        return True
