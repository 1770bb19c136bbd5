"""One word on a step, in the transaction that it is said in: that it is done, the second word, its refusal, a waiver.

Decided here: who says so may, and its kind says nothing against it; where a step takes two, the second looks at
exactly what the first one said, both with a fresh factor, and both words have to count at the end. The same said again
is the same. A refusal is committed; so is the word. How many accounts one request speaks of is `casework`, one, and
`case_words`, many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from vault.domain.case import Done, StepState
from vault.domain.event import EventType
from vault.domain.outlook import Item, Standing
from vault.domain.person import PersonState
from vault.domain.policy import Permission
from vault.errors import Conflict, Forbidden, Invalid, VaultError
from vault.services.case_acts import in_short
from vault.services.case_evidence import fields_of, read
from vault.services.case_ground import CaseGround, scope_of
from vault.services.case_kinds import Given
from vault.services.deciding import meanwhile
from vault.services.factors import refusal
from vault.services.frozen import require_word
from vault.services.gate import refuse
from vault.services.proposals import check_why, gone
from vault.services.sight import word_counts

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.store import Unit
    from vault.services.case_looks import Look
    from vault.services.factors import Factors


class Spot(NamedTuple):
    """Which step, of which account; of the whole case where that is empty."""

    case_id: str
    step: str
    account_id: str = ""


class Said(NamedTuple):
    """A step after a word; `anew` is false where the same had been said before, and nothing was written."""

    item: Item
    anew: bool


@dataclass(slots=True)
class Factor:
    """The fresh factor that came with one request: claimed by its first word, and the ground of those after it (S16).

    `claimed` is how entries name it, from the commit on that claimed it. `refused` says that it was looked at and did
    not count: the error is about the request then, and about no account. `of_many`: so is what a person confirms.
    """

    factors: Factors
    otp: str
    claimed: str = ""
    refused: bool = False
    of_many: bool = False

    def check(self, unit: Unit, actor: Actor, account_id: str, now: datetime) -> Actor:
        """Give the actor as the word's entry names them; raises as `Factors.check` does."""
        event = refusal(actor, account_id or None)
        if self.claimed:
            # the row is held: who is shut out at this moment was before, or this word is not
            person = unit.people.lock(actor.id)
            if person is None or person.state is not PersonState.ACTIVE:
                error = Forbidden(
                    "policy.denied", "Only a person with a second factor can do this.", rule="S16"
                )
                refuse(unit, event, error, now)
            return actor.with_factor(self.claimed)
        self.refused = True
        if self.of_many:
            event = refusal(actor)
        proven = self.factors.check(unit, actor, self.otp, now, event)
        self.refused = False
        return proven

    def keep(self, actor: Actor) -> None:
        """Remember that the word of this actor is committed, and the factor claimed with it."""
        self.claimed = actor.origin.mfa


@dataclass(frozen=True, slots=True)
class Saying:
    """Words on steps; each runs in the caller's transaction and ends it."""

    ground: CaseGround

    def attest(
        self,
        unit: Unit,
        actor: Actor,
        at: Spot,
        given: Mapping[str, str],
        factor: Factor,
        now: datetime,
        seen: Look | None = None,
    ) -> Said:
        """Say that a step is done, with its evidence; where it takes two, this is the first word, with a factor.

        `seen` is what a look at AWS told before; where one could be made, a word without it takes two.
        """
        scene, kind, found = self.ground.held(unit, actor, *at, now)
        self.ground.require(unit, actor, scene, found.step, at.account_id, now)
        evidence = read(fields_of(found.step), given)
        same = found.done is not None and found.done.evidence == evidence and not found.done.waiving
        if same and found.standing in {Standing.DONE, Standing.ASKED}:
            return Said(found, anew=False)
        self.ground.may(unit, actor, scene, kind, found, Given(found.step, at.account_id, evidence), now)
        looked = (scene.case.kind, at.step) in self.ground.looks
        if looked and seen is not None and seen.left:
            words = f"{found.step.title}: AWS still lists {in_short(seen.left)}. Have the vault do it, or do it first."
            self.ground.refuse(
                unit, actor, scene, found.step, at.account_id, Conflict("case.state", words), now
            )
        two = found.step.takes_two(evidence) or (looked and (seen is None or not seen.sure))
        if two:
            actor = self._first(unit, actor, at, factor, now, seen if looked else None)
        state = StepState.ASKED if two else StepState.DONE
        said = seen.words if looked and seen is not None else ""
        done = Done(at.case_id, at.account_id, at.step, state, now, actor.id, evidence, words=said)
        type_ = EventType.STEP_ASKED if two else EventType.STEP_DONE
        scene = self.ground.settle(unit, actor, scene, kind, done, type_, now)
        unit.commit()
        if two:
            factor.keep(actor)
        return Said(self.ground.item(scene, kind, found.step, at.account_id, now), anew=True)

    def _first(
        self, unit: Unit, actor: Actor, at: Spot, factor: Factor, now: datetime, seen: Look | None
    ) -> Actor:
        """Claim the factor of a first word; where it takes two for want of a look, the refusal says so."""
        try:
            return factor.check(unit, actor, at.account_id, now)
        except Invalid as missing:
            if seen is None:
                raise
            words = f"{seen.words} So it takes another person as well. {missing.detail}"
            raise Invalid(missing.code, words, errors=missing.errors) from None

    def waive(self, unit: Unit, actor: Actor, at: Spot, why: str, factor: Factor, now: datetime) -> Said:
        """Propose that a step be let go; another person has to agree. Only where its rule allows any (never H5)."""
        scene, kind, found = self.ground.held(unit, actor, *at, now)
        self.ground.require(unit, actor, scene, found.step, at.account_id, now)
        if found.standing is Standing.ASKED and found.done is not None and found.done.waiving:
            return Said(found, anew=False)
        if not found.step.waivable:
            words = f"{found.step.rule} allows no exception: {found.step.title}."
            error = Conflict("case.rule", words)
            self.ground.refuse(unit, actor, scene, found.step, at.account_id, error, now)
        self.ground.may(unit, actor, scene, kind, found, Given(found.step, at.account_id, waiving=True), now)
        actor = factor.check(unit, actor, at.account_id, now)
        done = Done(*_placed(at), StepState.ASKED, now, actor.id, words=why.strip(), waiving=True)
        scene = self.ground.settle(unit, actor, scene, kind, done, EventType.STEP_ASKED, now)
        unit.commit()
        factor.keep(actor)
        return Said(self.ground.item(scene, kind, found.step, at.account_id, now), anew=True)

    def agree(
        self, unit: Unit, actor: Actor, at: Spot, looked_at: datetime | None, factor: Factor, now: datetime
    ) -> Said:
        """Say the second word: to what the first one said at the moment `looked_at`, as this person saw it."""
        scene, kind, found = self.ground.held(unit, actor, *at, now)
        asked, step = found.done, found.step

        def against(error: VaultError) -> NoReturn:
            self.ground.refuse(unit, actor, scene, step, at.account_id, error, now)

        settled = found.standing in {Standing.DONE, Standing.WAIVED}
        if asked is not None and settled and asked.second_by == actor.id:
            return Said(found, anew=False)
        needed = found.who or step.second or Permission.CASE_AGREE
        self.ground.require(unit, actor, scene, step, at.account_id, now, needed)
        self.ground.require_open(unit, actor, scene, found, now)
        if asked is None or found.standing is not Standing.ASKED:
            words = f"{step.title}: nobody said the first word; it is {found.standing}."
            against(Conflict("case.state", words))
        if asked.by == actor.id:
            words = "You said the first word; another person has to say the second."
            against(Forbidden("policy.second_person", words, rule="S19"))
        if looked_at is not None and looked_at != asked.at:
            against(Conflict("approval.changed", "This is not what you looked at; reload it and look again."))
        scope = scope_of(scene, at.account_id)
        first = (asked.by, step.by, scope)
        if not word_counts(unit, self.ground.gate.policy, *first, now):
            against(gone("case.state"))
        given = Given(step, at.account_id, asked.evidence, asked.waiving)
        refused = kind.check(unit, actor, scene, given, now)
        if refused is not None:
            against(refused)
        who = factor.check(unit, actor, at.account_id, now)
        state = StepState.WAIVED if asked.waiving else StepState.DONE
        done = replace(asked, state=state, at=now, second_by=who.id, waiving=False)
        type_ = EventType.STEP_WAIVED if asked.waiving else EventType.STEP_DONE
        scene = self.ground.settle(unit, who, scene, kind, done, type_, now)
        # the log's head is held by now: whoever took a power away before this entry has committed, and is seen
        words_on_it = (first, (who.id, needed, scope))
        if not all(word_counts(unit, self.ground.gate.policy, *word, now) for word in words_on_it):
            raise meanwhile()
        unit.commit()
        factor.keep(who)
        return Said(self.ground.item(scene, kind, step, at.account_id, now), anew=True)

    def disagree(self, unit: Unit, actor: Actor, at: Spot, why: str, now: datetime) -> Said:
        """Refuse the second word, or take one's own first one back: the step is to be done again."""
        check_why(why)
        scene, kind, found = self.ground.held(unit, actor, *at, now)
        step = found.step
        require_word(unit, actor, self.ground.refusal(actor, scene, step, at.account_id), now)
        self.ground.require_open(unit, actor, scene, found, now)
        if found.done is not None and found.standing is Standing.FAILED and found.done.words == why.strip():
            return Said(found, anew=False)
        if found.done is None or found.standing is not Standing.ASKED:
            words = f"{step.title}: nothing waits for a second word; it is {found.standing}."
            error = Conflict("case.state", words)
            self.ground.refuse(unit, actor, scene, step, at.account_id, error, now)
        if found.done.by != actor.id:
            needed = found.who or Permission.CASE_AGREE
            self.ground.require(unit, actor, scene, step, at.account_id, now, needed)
        done = replace(found.done, state=StepState.FAILED, at=now, words=why.strip(), waiving=False)
        scene = self.ground.settle(unit, actor, scene, kind, done, EventType.STEP_FAILED, now)
        unit.commit()
        return Said(self.ground.item(scene, kind, step, at.account_id, now), anew=True)


def _placed(at: Spot) -> tuple[str, str, str]:
    """Give a spot in the order in which what is known of a step names it."""
    return at.case_id, at.account_id, at.step
