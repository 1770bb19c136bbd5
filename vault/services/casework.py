"""Work on cases: reading them, saying that a step is done, the second word, waiving, cancelling (A3, H1-H9, L4, D1).

Decided here: who says so may, and its kind says nothing against it; where a step takes two, the second looks at
exactly what the first one said, both with a fresh factor, and both words have to count at the end. The same said again
is the same. What the vault does at AWS is `vault.services.case_acts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.case import PLACE, Done, PlaceEvent, Scene, StepState
from vault.domain.event import Event, EventType
from vault.domain.outlook import Item, Standing
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, VaultError, not_found
from vault.ports.records import Page
from vault.services.case_acts import DOING_LASTS
from vault.services.case_evidence import fields_of, read
from vault.services.case_ground import CaseGround, CaseView, about, scope_of
from vault.services.case_kinds import Given, Kind
from vault.services.deciding import meanwhile
from vault.services.factors import refusal
from vault.services.frozen import require_word
from vault.services.gate import refuse
from vault.services.proposals import check_why, gone
from vault.services.sight import word_counts

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.cases import CaseFilter
    from vault.ports.records import Slice
    from vault.ports.store import Unit


@dataclass(frozen=True, slots=True)
class Casework:
    """Use cases on cases of every kind."""

    ground: CaseGround

    def page(self, actor: Actor, wanted: CaseFilter, part: Slice) -> Page[CaseView]:
        """List cases in sight, newest first, each with where it waits."""
        now = self.ground.clock.now()
        with self.ground.units.read() as unit:
            found = unit.cases.page(self.ground.reach(actor), wanted, part)
            scenes = unit.cases.scenes(found.items)
        views = (self.ground.view(scene, now) for scene in scenes)
        return Page(tuple(self.ground.narrowed(actor, view) for view in views), found.next)

    def get(self, actor: Actor, case_id: str) -> CaseView:
        """Read one in sight, with every step as it stands."""
        with self.ground.units.read() as unit:
            case = unit.cases.get(case_id)
            scene = None if case is None else unit.cases.scene(case)
        if scene is None or not self.ground.sees(actor, scene):
            raise not_found("case", case_id[:36])
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

        Raises `Conflict` case.state, case.busy or what the kind says, `Invalid` case.evidence.
        """
        now = self.ground.clock.now()
        with self.ground.units.write() as unit:
            scene, kind, found = self.ground.held(unit, actor, case_id, step, account_id, now)
            self.ground.require(unit, actor, scene, found.step, account_id, now)
            evidence = read(fields_of(found.step), given or {})
            same = found.done is not None and found.done.evidence == evidence and not found.done.waiving
            if same and found.standing in {Standing.DONE, Standing.ASKED}:
                return found
            self.ground.may(unit, actor, scene, kind, found, Given(found.step, account_id, evidence), now)
            two = found.step.takes_two(evidence)
            if two:
                actor = self.ground.factors.check(unit, actor, otp, now, refusal(actor, account_id or None))
            state = StepState.ASKED if two else StepState.DONE
            done = Done(case_id, account_id, step, state, now, actor.id, evidence)
            type_ = EventType.STEP_ASKED if two else EventType.STEP_DONE
            scene = self.ground.settle(unit, actor, scene, kind, done, type_, now)
            unit.commit()
        return self.ground.item(scene, kind, found.step, account_id, now)

    def waive(self, actor: Actor, case_id: str, step: str, account_id: str, why: str, otp: str) -> Item:
        """Propose that a step be let go; another person has to agree. Only where its rule allows any (never H5)."""
        now = self.ground.clock.now()
        check_why(why)
        with self.ground.units.write() as unit:
            scene, kind, found = self.ground.held(unit, actor, case_id, step, account_id, now)
            self.ground.require(unit, actor, scene, found.step, account_id, now)
            if found.standing is Standing.ASKED and found.done is not None and found.done.waiving:
                return found
            if not found.step.waivable:
                words = f"{found.step.rule} allows no exception: {found.step.title}."
                self.ground.refuse(
                    unit, actor, scene, found.step, account_id, Conflict("case.rule", words), now
                )
            self.ground.may(unit, actor, scene, kind, found, Given(found.step, account_id, waiving=True), now)
            actor = self.ground.factors.check(unit, actor, otp, now, refusal(actor, account_id or None))
            done = Done(
                case_id, account_id, step, StepState.ASKED, now, actor.id, words=why.strip(), waiving=True
            )
            scene = self.ground.settle(unit, actor, scene, kind, done, EventType.STEP_ASKED, now)
            unit.commit()
        return self.ground.item(scene, kind, found.step, account_id, now)

    def agree(
        self, actor: Actor, case_id: str, step: str, account_id: str, otp: str, at: datetime | None = None
    ) -> Item:
        """Say the second word: to exactly what the first one said (`at`: when they said it, as this person saw it).

        Raises `Forbidden` policy.second_person, `Conflict` case.state or approval.changed, and what the kind says.
        """
        now = self.ground.clock.now()
        with self.ground.units.write() as unit:
            scene, kind, found = self.ground.held(unit, actor, case_id, step, account_id, now)
            asked = found.done
            if (
                asked is not None
                and found.standing in {Standing.DONE, Standing.WAIVED}
                and asked.second_by == actor.id
            ):
                return found
            needed = found.who or found.step.second or Permission.CASE_AGREE
            self.ground.require(unit, actor, scene, found.step, account_id, now, needed)
            self.ground.require_open(unit, actor, scene, found, now)
            if asked is None or found.standing is not Standing.ASKED:
                words = f"{found.step.title}: nobody said the first word; it is {found.standing}."
                self.ground.refuse(
                    unit, actor, scene, found.step, account_id, Conflict("case.state", words), now
                )
            if asked.by == actor.id:
                words = "You said the first word; another person has to say the second."
                error: VaultError = Forbidden("policy.second_person", words, rule="S19")
                self.ground.refuse(unit, actor, scene, found.step, account_id, error, now)
            if at is not None and at != asked.at:
                words = "This is not what you looked at; reload it and look again."
                self.ground.refuse(
                    unit, actor, scene, found.step, account_id, Conflict("approval.changed", words), now
                )
            scope = scope_of(scene, account_id)
            first = (asked.by, found.step.by, scope)
            if not word_counts(unit, self.ground.gate.policy, *first, now):
                self.ground.refuse(unit, actor, scene, found.step, account_id, gone("case.state"), now)
            given = Given(found.step, account_id, asked.evidence, asked.waiving)
            against = kind.check(unit, actor, scene, given, now)
            if against is not None:
                self.ground.refuse(unit, actor, scene, found.step, account_id, against, now)
            actor = self.ground.factors.check(unit, actor, otp, now, refusal(actor, account_id or None))
            state = StepState.WAIVED if asked.waiving else StepState.DONE
            done = replace(asked, state=state, at=now, second_by=actor.id, waiving=False)
            type_ = EventType.STEP_WAIVED if asked.waiving else EventType.STEP_DONE
            scene = self.ground.settle(unit, actor, scene, kind, done, type_, now)
            # the log's head is held by now: whoever took a power away before this entry has committed, and is seen
            if not all(
                word_counts(unit, self.ground.gate.policy, *word, now)
                for word in (first, (actor.id, needed, scope))
            ):
                raise meanwhile()
            unit.commit()
        return self.ground.item(scene, kind, found.step, account_id, now)

    def disagree(self, actor: Actor, case_id: str, step: str, account_id: str, why: str) -> Item:
        """Refuse the second word, or take one's own first one back: the step is to be done again."""
        now = self.ground.clock.now()
        check_why(why)
        with self.ground.units.write() as unit:
            scene, kind, found = self.ground.held(unit, actor, case_id, step, account_id, now)
            require_word(unit, actor, self.ground.refusal(actor, scene, found.step, account_id), now)
            self.ground.require_open(unit, actor, scene, found, now)
            if found.done is None or found.standing is not Standing.ASKED:
                words = f"{found.step.title}: nothing waits for a second word; it is {found.standing}."
                self.ground.refuse(
                    unit, actor, scene, found.step, account_id, Conflict("case.state", words), now
                )
            if found.done.by != actor.id:
                needed = found.who or Permission.CASE_AGREE
                self.ground.require(unit, actor, scene, found.step, account_id, now, needed)
            done = replace(found.done, state=StepState.FAILED, at=now, words=why.strip(), waiving=False)
            scene = self.ground.settle(unit, actor, scene, kind, done, EventType.STEP_FAILED, now)
            unit.commit()
        return self.ground.item(scene, kind, found.step, account_id, now)

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
