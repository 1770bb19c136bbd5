"""Work on cases: reading them, a word on a step of one account or of the whole case, cancelling (A3, H1-H9, L4, D1).

Decided here: when a case can be cancelled. What makes a word count is `case_saying`, one word on many accounts
`case_words`, what the vault does at AWS `case_acts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.case import PLACE, PlaceEvent, Scene, StepState
from vault.domain.event import Event, EventType
from vault.domain.outlook import Item
from vault.domain.told import changes
from vault.errors import Conflict
from vault.ports.records import Page
from vault.services.case_acts import DOING_LASTS
from vault.services.case_ground import CaseGround, CaseView, about
from vault.services.case_kinds import Kind
from vault.services.case_looks import look
from vault.services.case_saying import Factor, Saying, Spot
from vault.services.frozen import require_word
from vault.services.gate import refuse
from vault.services.proposals import check_why

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.case import CaseKind
    from vault.ports.cases import CaseFilter
    from vault.ports.records import Slice
    from vault.ports.store import Unit


@dataclass(frozen=True, slots=True)
class Casework:
    """Use cases on cases of every kind."""

    ground: CaseGround

    @property
    def _words(self) -> Saying:
        return Saying(self.ground)

    def page(self, actor: Actor, wanted: CaseFilter, part: Slice) -> Page[CaseView]:
        """List cases in sight, newest first, each with where it waits."""
        now = self.ground.clock.now()
        with self.ground.units.read() as unit:
            found = unit.cases.page(self.ground.reach(actor), wanted, part)
            scenes = unit.cases.scenes(found.items)
        views = (self.ground.view(scene, now) for scene in scenes)
        return Page(tuple(self.ground.narrowed(actor, view) for view in views), found.next)

    def get(self, actor: Actor, case_id: str, kind: CaseKind | None = None) -> CaseView:
        """Read one in sight, of this kind where one is named, with every step as it stands."""
        with self.ground.units.read() as unit:
            scene = self.ground.read(unit, actor, case_id, kind)
        return self.ground.narrowed(actor, self.ground.view(scene, self.ground.clock.now()))

    def attest(
        self,
        actor: Actor,
        case_id: str,
        step: str,
        account_id: str = "",
        given: Mapping[str, str] | None = None,
        otp: str = "",
    ) -> Item:
        """Say that a step is done, with its evidence; where it takes two, this is the first word, with a factor.

        Where the vault can look whether it is so, it looks first (`case_looks`).

        Raises `Conflict` case.state, case.busy or what the kind says, `Invalid` case.evidence.
        """
        seen = look(self.ground, actor, case_id, step, account_id)
        now, factor = self.ground.clock.now(), Factor(self.ground.factors, otp)
        with self.ground.units.write() as unit:
            at = Spot(case_id, step, account_id)
            return self._words.attest(unit, actor, at, given or {}, factor, now, seen).item

    def waive(self, actor: Actor, case_id: str, step: str, account_id: str, why: str, otp: str) -> Item:
        """Propose that a step be let go; another person has to agree. Only where its rule allows any (never H5)."""
        now, factor = self.ground.clock.now(), Factor(self.ground.factors, otp)
        check_why(why)
        with self.ground.units.write() as unit:
            return self._words.waive(unit, actor, Spot(case_id, step, account_id), why, factor, now).item

    def agree(
        self, actor: Actor, case_id: str, step: str, account_id: str, otp: str, at: datetime | None = None
    ) -> Item:
        """Say the second word: to exactly what the first one said (`at`: when they said it, as this person saw it).

        Raises `Forbidden` policy.second_person, `Conflict` case.state or approval.changed, and what the kind says.
        """
        now, factor = self.ground.clock.now(), Factor(self.ground.factors, otp)
        with self.ground.units.write() as unit:
            return self._words.agree(unit, actor, Spot(case_id, step, account_id), at, factor, now).item

    def disagree(self, actor: Actor, case_id: str, step: str, account_id: str, why: str) -> Item:
        """Refuse the second word, or take one's own first one back: the step is to be done again."""
        now = self.ground.clock.now()
        with self.ground.units.write() as unit:
            return self._words.disagree(unit, actor, Spot(case_id, step, account_id), why, now).item

    def cancel(self, actor: Actor, case_id: str, why: str) -> CaseView:
        """Cancel a case before its first irreversible step; done again it is the same.

        Raises `Conflict` case.state with what was done that nobody can undo, case.busy while AWS is asked to do more.
        """
        now = self.ground.clock.now()
        check_why(why)
        with self.ground.units.write() as unit:
            near = unit.cases.get(case_id)
            numbers = () if near is None else tuple(sorted(unit.cases.scene(near).accounts))
            for number in numbers:
                unit.accounts.lock(number)
            scene, kind = self.ground.scene(unit, actor, case_id, now)
            self.ground.gate.require(unit, actor, kind.opens, now, customer_id=scene.customer.id)
            if scene.case.state == "cancelled":
                return self.ground.view(scene, now)
            self._check_cancel(unit, actor, scene, kind, now)
            told = list(kind.cancelled(unit, actor, scene, now))
            ended = [
                replace(
                    each,
                    state=PLACE.transitions[each.state, PlaceEvent.CANCELLED],
                    changed_at=now,
                    ended_at=now,
                )
                for each in scene.places
                if each.ended_at is None
            ]
            unit.cases.place(ended)
            over = replace(scene.case, state="cancelled", changed_at=now, ended_at=now)
            unit.cases.update(over)
            was = {each.account_id: each for each in scene.places}
            told += [change for each in ended for change in changes(was[each.account_id], each)]
            event = Event(EventType.CASE_CANCELLED, actor, subject=f"case:{case_id}")
            detail = about(scene) | {"why": why.strip(), "next": kind.opens.value}
            pieces = [told[start : start + 250] for start in range(0, len(told), 250)] or [[]]
            for turn, piece in enumerate(pieces):
                mine = (*changes(scene.case, over), *piece) if turn == 0 else tuple(piece)
                unit.log.record(replace(event, changes=mine, detail=detail), now)
            unit.commit()
        return self.get(actor, case_id)

    def _check_cancel(self, unit: Unit, actor: Actor, scene: Scene, kind: Kind, now: datetime) -> None:
        event = Event(EventType.ACCESS_DENIED, actor, detail=about(scene))
        require_word(unit, actor, event, now)
        if not scene.case.is_open:
            words = f"This {scene.case.kind} is {scene.case.state}; nothing is left to cancel."
            refuse(unit, event, Conflict("case.state", words), now)
        for each in scene.done.values():
            step = kind.plan.step(each.step)
            if step is not None and each.state is StepState.DOING and now - each.at <= DOING_LASTS:
                words = f"{step.title}: it is being done at AWS right now. Look again in a minute."
                refuse(unit, event, Conflict("case.busy", words, account=each.account_id), now)
            if (
                step is not None
                and not step.reversible
                and each.state not in {StepState.ASKED, StepState.WAIVED}
                and (each.by_vault or each.state is not StepState.FAILED)  # else a word that was taken back
            ):
                words = f"{step.title}: that cannot be undone, so this {scene.case.kind} goes on to its end."
                refuse(unit, event, Conflict("case.state", words, account=each.account_id), now)
