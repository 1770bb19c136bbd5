"""Steps that the vault does at AWS: looked at first, begun, carried out, and told (H7, H8, AWS.md on handovers).

Decided here: the beats. Begun is committed before AWS is asked, and the outcome after; nothing crosses the network in a
transaction. Whoever is stopped in between does the same again: an act looks at what AWS has, and what is done is done.
Another person waits until a begun step has had its time. A code that works once is handed on and forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.case import CaseKind, Done, Form, StepState
from vault.domain.event import EventType
from vault.domain.outlook import Item, Standing
from vault.errors import Conflict, Unavailable, VaultError
from vault.services.case_evidence import read
from vault.services.case_ground import CaseGround
from vault.services.case_kinds import Act, Carried, Given, Kind, Preview, Work
from vault.services.frozen import require_word

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.case import Scene
    from vault.ports.store import Unit

DOING_LASTS: Final = timedelta(minutes=5)
"""So long nobody else begins a step that somebody began; longer than an act takes at its slowest."""
NAMED: Final = 60
"""So many things are named in an entry; of more, the number is told."""


@dataclass(frozen=True, slots=True)
class CaseActs:
    """Use cases of what the vault does at AWS; `acts` has one for each step that it can do, by kind and name."""

    ground: CaseGround
    acts: Mapping[tuple[CaseKind, str], Act]

    def able(self, kind: CaseKind, step: str) -> bool:
        """Say whether the vault can do a step here: it knows how, and settings name the way in."""
        return (kind, step) in self.acts

    def preview(self, actor: Actor, case_id: str, step: str, account_id: str) -> Preview:
        """Show what a step would do now, and what stays; nothing is changed (H8).

        Raises `Conflict` case.state where the vault cannot do it, `Unavailable` case.unavailable with AWS's reason.
        """
        now = self.ground.clock.now()
        with self.ground.units.write() as unit:
            scene, _, found = self.ground.held(unit, actor, case_id, step, account_id, now)
            self.ground.require(unit, actor, scene, found.step, account_id, now)
            act = self._act(unit, actor, scene, found, now)
        return act.preview(Work(actor, scene, account_id))

    def run(
        self,
        actor: Actor,
        case_id: str,
        step: str,
        account_id: str,
        given: Mapping[str, str] | None = None,
    ) -> Item:
        """Do a step at AWS; done again it is the same. With a code where the step asks for one.

        A step that takes two people has to be agreed to first (`Casework.attest`, `agree`): it is not run by itself.

        Raises `Conflict` case.state or case.busy, `Invalid` case.evidence, `Unavailable` case.unavailable.
        """
        now = self.ground.clock.now()
        with self.ground.units.write() as unit:
            scene, kind, found = self.ground.held(unit, actor, case_id, step, account_id, now)
            self.ground.require(unit, actor, scene, found.step, account_id, now)
            if found.standing in {Standing.DONE, Standing.WAIVED} and not found.step.again:
                return found
            act = self._act(unit, actor, scene, found, now)
            require_word(unit, actor, self.ground.refusal(actor, scene, found.step, account_id), now)
            asked = tuple(field for field in found.step.evidence if not field.by_hand)
            evidence = read(asked, given or {})
            kept = {
                field.name: evidence[field.name]
                for field in found.step.evidence
                if field.form is not Form.CODE and field.name in evidence
            }
            given_now = Given(found.step, account_id, kept, by_vault=True)
            self._may_begin(unit, actor, scene, kind, found, given_now, now)
            begun = Done(case_id, account_id, step, StepState.DOING, now, actor.id, kept, by_vault=True)
            scene = self.ground.settle(unit, actor, scene, kind, begun, EventType.STEP_BEGUN, now)
            unit.commit()
        try:
            carried = act.carry_out(Work(actor, scene, account_id, evidence))
        except VaultError as failure:
            self._ended(actor, begun, Carried(left=(failure.detail,)))
            raise
        item = self._ended(actor, begun, carried)
        if not carried.whole:
            words = f"{found.step.title}: left to do: {in_short(carried.left)}. What is done stays done; do it again."
            raise Unavailable("case.unavailable", words, cause="left")
        if item is None:
            words = f"{found.step.title}: AWS did it, and it is in the log; the case ended meanwhile."
            raise Conflict("case.state", words)
        return item

    def _act(self, unit: Unit, actor: Actor, scene: Scene, found: Item, now: datetime) -> Act:
        act = self.acts.get((scene.case.kind, found.step.name)) if found.step.acts else None
        if act is None:
            words = f"{found.step.title}: the vault does not do this here; do it by hand, and say so with evidence."
            error = Conflict("case.state", words)
            self.ground.refuse(unit, actor, scene, found.step, found.account_id, error, now)
        return act

    def _may_begin(
        self, unit: Unit, actor: Actor, scene: Scene, kind: Kind, found: Item, given: Given, now: datetime
    ) -> None:
        """Refuse what cannot be begun now; one's own begun step, and one that had its time, are begun again."""
        done = found.done
        mine = done is not None and (done.by == actor.id or now - done.at > DOING_LASTS)
        error = None if found.standing is Standing.DOING and mine else self.ground.against(scene, kind, found)
        error = error or kind.check(unit, actor, scene, given, now)
        if error is not None:
            self.ground.refuse(unit, actor, scene, found.step, found.account_id, error, now)

    def _ended(self, actor: Actor, begun: Done, carried: Carried) -> Item | None:
        """Write how an act ended, whatever its actor lost meanwhile; what follows of a whole one is in the same entry.

        Nothing follows where the case ended meanwhile; then there is no step to give.
        """
        now = self.ground.clock.now()
        with self.ground.units.write() as unit:
            scene, kind, step, found = self.ground.begun(unit, begun, now)
            if found is not None and found.standing in {Standing.DONE, Standing.WAIVED}:
                return found
            state = StepState.DONE if carried.whole else StepState.FAILED
            words = in_short(carried.gone if carried.whole else carried.left)
            kept = {**begun.evidence, **carried.evidence}
            done = replace(begun, state=state, at=now, words=words, evidence=kept)
            type_ = EventType.STEP_DONE if carried.whole else EventType.STEP_FAILED
            scene = self.ground.settle(unit, actor, scene, kind, done, type_, now)
            unit.commit()
        return None if found is None else self.ground.item(scene, kind, step, begun.account_id, now)


def in_short(names: tuple[str, ...]) -> str:
    """Name a bounded number of things, and tell of how many more."""
    more = f"; and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return "; ".join(each[:300] for each in names[:NAMED]) + more
