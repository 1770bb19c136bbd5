"""What every use case on cases stands on: finding one in sight, a step as it stands, settling it, refusing (A3, H1-H9).

Decided here: a step counts once what its plan puts before it is settled; something else replaces it while nothing
rests on it. Rows are held in one order: accounts, then the case, then the log's head. A settled step and all that
follows from it are one entry. Never decided here: what has to be done (`vault.domain.plans`), or what follows (`Kind`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

from vault.domain.account import Kind as AccountKind
from vault.domain.actor import Scope, ScopeKind
from vault.domain.case import MEMBERS, CaseKind, Done, Scene, Step, StepState
from vault.domain.event import Event, EventType
from vault.domain.outlook import Day, Item, Standing, item, outlook
from vault.domain.policy import Deny, Permission
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, VaultError, not_found
from vault.services.case_kinds import Given, Kind
from vault.services.factors import Factors
from vault.services.frozen import require_word
from vault.services.gate import Gate, refuse, refuse_absent

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor, Reach
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.case_kinds import Act


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with every step as it stands now."""

    scene: Scene
    items: tuple[Item, ...]

    @property
    def waits(self) -> tuple[Item, ...]:
        """Give what waits for somebody, the oldest first."""
        return tuple(sorted((each for each in self.items if each.waits), key=lambda each: each.since))


@dataclass(frozen=True, slots=True)
class CaseGround:
    """What use cases on cases share; `day` gives the day of a moment where the calendar is."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock
    day: Day
    kinds: Mapping[CaseKind, Kind]
    looks: Mapping[tuple[CaseKind, str], Act] = field(default_factory=dict)
    """Through which a person's word on a step is held against what AWS has, by kind and name."""

    def view(self, scene: Scene, now: datetime) -> CaseView:
        """Compute where a case waits."""
        return CaseView(scene, outlook(self.kinds[scene.case.kind].plan, scene, now, self.day))

    def narrowed(self, actor: Actor, view: CaseView) -> CaseView:
        """Give what somebody may see: who reaches some of its accounts alone sees nothing of the others (S21)."""
        scene, reach = view.scene, self.reach(actor)
        if reach.covers(scene.customer.id):
            return view
        mine = {"", *(number for number in scene.accounts if reach.covers(scene.customer.id, number))}
        seen = replace(
            scene,
            places=tuple(each for each in scene.places if each.account_id in mine),
            accounts={number: account for number, account in scene.accounts.items() if number in mine},
            done={place: done for place, done in scene.done.items() if place[0] in mine},
        )
        return CaseView(seen, tuple(each for each in view.items if each.account_id in mine))

    def held(
        self, unit: Unit, actor: Actor, case_id: str, step: str, account_id: str, now: datetime
    ) -> tuple[Scene, Kind, Item]:
        """Hold the account's row, then the case's, and find the step as it stands; refuse what is not there."""
        account = unit.accounts.lock(account_id) if account_id else None
        if not account_id:
            self._hold_all(unit, case_id, step)
        alone = account is not None and account.kind is not AccountKind.PAYER  # a payer looks at its members
        scene, kind = self.scene(unit, actor, case_id, now, account_id if alone else "")
        if account_id and not self.reach(actor).covers(scene.customer.id, account_id):
            # an account beyond their scope is as absent as one that is not in the case (S21)
            refuse_absent(unit, actor, "step", _named(step, account_id), now)
        plan_step = kind.plan.step(step)
        found = None if plan_step is None else item(kind.plan, scene, plan_step, account_id, now, self.day)
        if found is None and plan_step is not None and not scene.case.is_open:
            self.refuse(unit, actor, scene, plan_step, account_id, _over(scene), now)
        if found is None:
            refuse_absent(unit, actor, "step", _named(step, account_id), now)
        return scene, kind, found

    def begun(self, unit: Unit, begun: Done, now: datetime) -> tuple[Scene, Kind, Step, Item | None]:
        """Hold what the vault began at AWS, whoever may see it by now: how it ended is written all the same.

        The item is None where the case ended meanwhile.
        """
        account = unit.accounts.lock(begun.account_id) if begun.account_id else None
        case = unit.cases.lock(begun.case_id)
        assert case is not None  # noqa: S101 - cases stay
        kind = self.kinds[case.kind]
        step = kind.plan.step(begun.step)
        assert step is not None  # noqa: S101 - the plan's own name
        alone = account is not None and account.kind is not AccountKind.PAYER
        scene = unit.cases.scene(case, begun.account_id if alone else "")
        return scene, kind, step, item(kind.plan, scene, step, begun.account_id, now, self.day)

    def _hold_all(self, unit: Unit, case_id: str, step: str) -> None:
        """Hold the customer's row and the accounts', for a step that changes whose they are."""
        case = unit.cases.get(case_id)
        found = None if case is None else self.kinds[case.kind].plan.step(step)
        if case is not None and found is not None and found.holds:
            unit.customers.lock(case.customer_id)
            for number in sorted(unit.cases.scene(case).accounts):
                unit.accounts.lock(number)

    def settle(
        self, unit: Unit, actor: Actor, scene: Scene, kind: Kind, done: Done, type_: EventType, now: datetime
    ) -> Scene:
        """Write a step with what follows from it, in one entry; the caller commits."""
        was = scene.of(done.account_id, done.step)
        unit.cases.put((done,))
        scene = replace(scene, done={**scene.done, (done.account_id, done.step): done})
        counts = done.settled and scene.case.is_open
        followed = kind.follows(unit, actor, scene, done, now) if counts else ()
        detail = about(scene) | {
            "step": done.step,
            "rule": rule_of(kind, done.step),
            "by_vault": done.by_vault,
        }
        detail |= {"evidence": in_words(done.evidence)} if done.evidence else {}
        detail |= {"words": done.words} if done.words else {}
        detail |= {"waiving": True} if done.waiving or done.state is StepState.WAIVED else {}
        detail |= {"first_by": done.by} if done.second_by is not None else {}
        turn = turn_of(kind, done)
        detail |= {"next": turn.value} if turn is not None else {}
        event = Event(
            type_, actor, account_id=done.account_id or None, rule=rule_of(kind, done.step), detail=detail
        )
        told = (*changes(was, done), *followed)
        unit.log.record(replace(event, changes=told, subject=f"case:{done.case_id}"), now)
        return unit.cases.again(scene) if followed else scene

    def may(
        self, unit: Unit, actor: Actor, scene: Scene, kind: Kind, found: Item, given: Given, now: datetime
    ) -> None:
        """Refuse a word that cannot count now."""
        require_word(unit, actor, self.refusal(actor, scene, found.step, found.account_id), now)
        error = self.against(scene, kind, found) or kind.check(unit, actor, scene, given, now)
        if error is not None:
            self.refuse(unit, actor, scene, found.step, found.account_id, error, now)

    def require_open(self, unit: Unit, actor: Actor, scene: Scene, found: Item, now: datetime) -> None:
        """Refuse a word on a case that ended: steps of the whole case still stand there as they were left."""
        if not scene.case.is_open:
            self.refuse(unit, actor, scene, found.step, found.account_id, _over(scene), now)

    def against(self, scene: Scene, kind: Kind, found: Item) -> VaultError | None:
        """Say why a step cannot be done or said again by its place in the plan."""
        title = found.step.title
        if not scene.case.is_open:
            return _over(scene)
        if found.step.known is not None:
            return Conflict(
                "case.state", f"{title}: the vault reads this from the account itself; nobody says so."
            )
        if found.standing is Standing.BLOCKED:
            return Conflict("case.state", f"{title}: first comes {'; '.join(found.missing[:3])}.")
        if found.standing is Standing.DOING:
            return Conflict(
                "case.busy", f"{title}: it is being done at AWS right now. Look again in a minute."
            )
        if found.standing in {Standing.DONE, Standing.WAIVED}:
            rests = self._rests_on(scene, kind, found)
            if rests or not found.step.reversible:
                words = f"{title}: it is {found.standing}" + (f", and {rests} rests on it." if rests else ".")
                return Conflict("case.state", words)
        return None

    def _rests_on(self, scene: Scene, kind: Kind, found: Item) -> str:
        """Name the first step that needs this one and is settled, or under way; empty where none is."""
        name = found.step.name
        for step in kind.plan.steps:
            if name in step.needs or MEMBERS + name in step.needs:
                for (number, of), known in scene.done.items():
                    near = not number or not found.account_id or number == found.account_id
                    if of == step.name and near and known.state is not StepState.FAILED:
                        return step.title
        return ""

    def item(self, scene: Scene, kind: Kind, step: Step, account_id: str, now: datetime) -> Item:
        """Give a step that is there, as it stands."""
        found = item(kind.plan, scene, step, account_id, now, self.day)
        assert found is not None  # noqa: S101 - it was there a moment ago, in the same unit
        return found

    def scene(
        self, unit: Unit, actor: Actor, case_id: str, now: datetime, near: str = ""
    ) -> tuple[Scene, Kind]:
        """Hold a case in sight; another's is as absent as one that does not exist, and the attempt is recorded.

        With `near`, only this account's steps are looked up beside the case's own: a case may have hundreds.
        """
        case = unit.cases.lock(case_id)
        scene = None if case is None else unit.cases.scene(case, near)
        if scene is None or not self.sees(actor, scene):
            refuse_absent(unit, actor, "case", case_id, now)
        return scene, self.kinds[scene.case.kind]

    def read(
        self, unit: Unit, actor: Actor, case_id: str, kind: CaseKind | None = None, near: str = ""
    ) -> Scene:
        """Find a case in sight to read it, of this kind where one is named; all others are absent alike (S21).

        `near` is as for `scene`.
        """
        case = unit.cases.get(case_id)
        scene = None if case is None or kind not in {None, case.kind} else unit.cases.scene(case, near)
        if scene is None or not self.sees(actor, scene):
            raise not_found(kind or "case", case_id[:36])
        return scene

    def require(
        self,
        unit: Unit,
        actor: Actor,
        scene: Scene,
        step: Step,
        account_id: str,
        now: datetime,
        permission: Permission | None = None,
    ) -> None:
        """Refuse who may not say this about the account, or about the whole customer."""
        needed = permission or step.by
        number = account_id or None
        decision = self.gate.policy.decide(actor, needed, scene.customer.id, number)
        if isinstance(decision, Deny):
            event = self.refusal(actor, scene, step, account_id)
            refuse(unit, event, Forbidden(decision.code, decision.detail, rule=decision.rule), now)

    def refuse(
        self,
        unit: Unit,
        actor: Actor,
        scene: Scene,
        step: Step,
        account_id: str,
        error: VaultError,
        now: datetime,
    ) -> NoReturn:
        """Record that a step was refused, commit, and raise."""
        refuse(unit, self.refusal(actor, scene, step, account_id), error, now)

    def refusal(self, actor: Actor, scene: Scene, step: Step, account_id: str) -> Event:
        """Make the entry that a refused step leaves."""
        detail = about(scene) | {"step": step.name, "asked_for": f"step {step.name}"}
        return Event(
            EventType.ACCESS_DENIED, actor, account_id=account_id or None, rule=step.rule, detail=detail
        )

    def reach(self, actor: Actor) -> Reach:
        """Give whose cases somebody reads."""
        return self.gate.policy.reach(actor, Permission.CASE_READ)

    def sees(self, actor: Actor, scene: Scene) -> bool:
        """Say whether somebody may know of a case: of its customer, or of one of its accounts (S21)."""
        reach = self.reach(actor)
        near = (reach.covers(each.customer_id, each.id) for each in scene.accounts.values())
        return reach.covers(scene.customer.id) or any(near)


def _over(scene: Scene) -> VaultError:
    return Conflict("case.state", f"This {scene.case.kind} is {scene.case.state}; nothing is left to do.")


def _named(step: str, account_id: str) -> str:
    return f"{step[:20]} of {account_id[:12] or 'the case'}"


def about(scene: Scene) -> dict[str, str | int | bool | None]:
    """Give what every entry of a case names."""
    return {"kind": scene.case.kind.value, "case": scene.case.id, "customer": scene.customer.id}


def turn_of(kind: Kind, done: Done) -> Permission | None:
    """Say which permission whoever is next after a word needs: for the second one, or to do it again."""
    step = kind.plan.step(done.step)
    if step is None or done.state not in {StepState.ASKED, StepState.FAILED}:
        return None
    if done.state is StepState.FAILED:
        return step.by
    return Permission.CASE_AGREE if done.waiving or step.second is None else step.second


def rule_of(kind: Kind, step: str) -> str | None:
    """Give the rule that a step comes from."""
    found = kind.plan.step(step)
    return None if found is None else found.rule


def scope_of(scene: Scene, account_id: str) -> Scope:
    """Give how far a word on a step reaches: the account, or the whole customer."""
    if account_id:
        return Scope(ScopeKind.ACCOUNT, account_id)
    return Scope(ScopeKind.CUSTOMER, scene.customer.id)


def in_words(given: Mapping[str, object]) -> str:
    """Write evidence as an entry holds it: canonical JSON."""
    return json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
