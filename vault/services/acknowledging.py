"""What the customer's page shows, and the acknowledgement on it; where a handover's end stands (H9, H10).

Decided here: that only a visit that goes on shows anything, that a name and a tick are an acknowledgement, and that
saying it again, in another tab say, is the same. What is shown is told of in docs/release.md: what was done and when,
by whom of the roles; no name of ours, and no secret, because there is none here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.case import TEXT_MAX, CaseKind, Done, HandoverState, StepState
from vault.domain.event import Event, EventType
from vault.domain.plans.handover import SIGNATORY
from vault.domain.plans.release import ACKNOWLEDGE, CONFIRMED_ON, INSTEAD, SIGNED, WHERE
from vault.domain.policy import Permission
from vault.domain.release import NAME_MAX, CustomerLink, Handed, Way, same_name
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, Unauthenticated
from vault.services.case_ground import CaseView, about
from vault.services.customer_links import customer_of, visiting
from vault.services.links import link_hash
from vault.services.releasing import acknowledged

if TYPE_CHECKING:
    from vault.domain.actor import Actor, Origin
    from vault.domain.case import Scene
    from vault.domain.destruction import Destroyed
    from vault.domain.secret import Secret
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.case_ground import CaseGround


@dataclass(frozen=True, slots=True)
class End:
    """Where the end of a handover stands: its case, the release, its links, and what was destroyed."""

    scene: Scene
    handed: Handed | None
    links: tuple[CustomerLink, ...]
    destroyed: tuple[Destroyed, ...]

    @property
    def instead(self) -> str:
        """Why somebody else than the signatory acknowledged it; empty where the signatory did, or nobody yet."""
        return self.scene.given("", ACKNOWLEDGE, INSTEAD)


@dataclass(frozen=True, slots=True)
class Acknowledging:
    """Use cases of whoever has the customer's page open, and the view of it for our people."""

    units: Units
    clock: Clock
    ground: CaseGround

    def end(self, actor: Actor, case_id: str) -> End:
        """Say where a handover's end stands, for whoever may see the case."""
        with self.units.read() as unit:
            scene = self.ground.read(unit, actor, case_id, CaseKind.HANDOVER)
            end = _end_of(unit, scene)
        seen = self.ground.narrowed(actor, CaseView(scene, ())).scene
        return replace(
            end,
            scene=seen,
            destroyed=tuple(each for each in end.destroyed if each.account_id in seen.accounts),
        )

    def page(self, token: Secret[str], visit: Secret[str] | None) -> End | None:
        """Give what the customer's page shows; None unless the visit goes on in this browser."""
        if visit is None:
            return None
        with self.units.read() as unit:
            link = visiting(unit, token, visit, self.clock.now())
            case = None if link is None else unit.cases.get(link.case_id)
            if case is None:
                return None
            return _end_of(unit, unit.cases.scene(case))

    def acknowledge(
        self,
        token: Secret[str],
        visit: Secret[str] | None,
        signed: str,
        origin: Origin,
        instead: str = "",
    ) -> Handed:
        """Take the signatory's word that they hold every account; done again it is the same.

        Whoever signs with another name than the signatory's says why (`instead`); that stays on record, flagged.

        Raises `Unauthenticated` handover.link without a visit that goes on, `Invalid` input.invalid for the name.
        """
        now = self.clock.now()
        name, why = " ".join(signed.split()), " ".join(instead.split())
        if not 0 < len(name) <= NAME_MAX:
            raise _wrong("signed", f"Write your name, at most {NAME_MAX} characters.")
        if len(why) > TEXT_MAX:
            raise _wrong("instead", f"At most {TEXT_MAX} characters.")
        with self.units.read() as unit:
            near = None if visit is None else visiting(unit, token, visit, now)
        if near is None or visit is None:
            raise _gone()
        with self.units.write() as unit:
            # the case before its link, in the order of whoever makes another link at this moment
            case = unit.cases.lock(near.case_id)
            unit.releases.lock_link(near.token_hash)
            link = visiting(unit, token, visit, now)
            handed = unit.releases.get(near.case_id)
            if case is None or link is None or handed is None:
                raise _gone()
            if handed.acknowledged_at is not None:
                return handed
            if case.state != HandoverState.RELEASED:
                words = "This handover is over; there is nothing left to confirm."
                raise Conflict("case.state", words)
            scene = unit.cases.scene(case)
            other = not same_name(name, scene.given("", SIGNATORY, "name"))
            if other and not why:
                words = "This handover names another signatory. If you sign in their place, say why you may."
                raise _wrong("instead", words)
            evidence = {
                SIGNED: name,
                CONFIRMED_ON: now.date().isoformat(),
                WHERE: f"On the customer's page, by link {link.id} and its code",
            } | ({INSTEAD: why} if other else {})
            customer = customer_of(origin)
            done = Done(case.id, "", ACKNOWLEDGE, StepState.DONE, now, customer.id, evidence)
            was = scene.of("", ACKNOWLEDGE)
            unit.cases.put((done,))
            told = acknowledged(unit, scene, Way.PAGE, name, link.id, now)
            detail = about(scene) | {"link": link.id, "next": Permission.HANDOVER_PREPARE.value}
            detail |= {INSTEAD: why} if other else {}
            event = Event(
                EventType.HANDOVER_ACKNOWLEDGED,
                customer,
                rule="H9",
                changes=(*changes(was, done), *told),
                detail=detail,
                subject=f"case:{case.id}",
            )
            unit.log.record(event, now)
            unit.commit()
        return replace(handed, acknowledged_at=now, way=Way.PAGE, signed=name, link_id=link.id)

    def leave(self, token: Secret[str], visit: Secret[str] | None, origin: Origin) -> None:
        """End the visit, so that whoever sits down at this browser next sees nothing; the link stays used."""
        if visit is None:
            return
        now = self.clock.now()
        with self.units.write() as unit:
            unit.releases.lock_link(link_hash(token))
            link = visiting(unit, token, visit, now)
            if link is None:
                return
            left = replace(link, visit_until=now)
            unit.releases.update_link(left)
            detail = {"case": link.case_id, "link": link.id}
            event = Event(
                EventType.LINK_LEFT, customer_of(origin), changes=changes(link, left), detail=detail
            )
            unit.log.record(event, now)
            unit.commit()


def _end_of(unit: Unit, scene: Scene) -> End:
    case_id = scene.case.id
    return End(scene, unit.releases.get(case_id), unit.releases.links(case_id), unit.destructions.of(case_id))


def _wrong(name: str, words: str) -> Invalid:
    return Invalid("input.invalid", words, errors=(FieldError(f"/{name}", words),))


def _gone() -> Unauthenticated:
    return Unauthenticated("handover.link", "This page was closed. Open it again with a link and its code.")
