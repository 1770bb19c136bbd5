"""Reading one case: what of it is in sight, what waits for whom, and what the reader may do about each step.

Decided here: whoever sees one account of a case sees the case and what is said of the whole of it, but of its accounts
those alone that are within their scope (S21). What somebody may do is told for pages and programs to offer it; each use
case decides it again. Never done here: anything that is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from vault.domain.account import Kind as AccountKind
from vault.domain.actor import EVERYTHING
from vault.domain.case import MEMBERS, Form, StepState
from vault.domain.event import EventType
from vault.domain.outlook import Standing
from vault.domain.policy import Permit
from vault.domain.release import CUSTOMER, CUSTOMER_NAME
from vault.errors import not_found
from vault.ports.store import EntryFilter, Slice
from vault.services.case_acts import DOING_LASTS
from vault.services.case_evidence import fields_of

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.case import CaseKind, Done, Field, Plan, Scene, Step
    from vault.domain.outlook import Item
    from vault.domain.policy import Permission
    from vault.ports.store import Entry, Unit
    from vault.services.case_acts import CaseActs
    from vault.services.case_ground import CaseGround

STEP_EVENTS: Final = tuple(
    each.value
    for each in (
        EventType.STEP_ASKED,
        EventType.STEP_BEGUN,
        EventType.STEP_DONE,
        EventType.STEP_WAIVED,
        EventType.STEP_FAILED,
    )
)
TOLD_MOST: Final = 50
"""So many entries of one step are shown, the newest."""


class Doing(StrEnum):
    """What somebody may do about a step now."""

    SAY = "say"
    """Say that it is done, with its evidence."""
    RUN = "run"
    """Have the vault do it at AWS."""
    LOOK = "look"
    """Have the vault show what it would do, and what stays."""
    AGREE = "agree"
    DISAGREE = "disagree"
    """Refuse the second word, or take one's own first one back."""
    WAIVE = "waive"


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the log on a step."""

    index: int
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Basis:
    """A step before, with what was given for it (label and value), and by whom: said, done by the vault, or waived."""

    title: str
    given: tuple[tuple[str, str], ...]
    by: str


@dataclass(frozen=True)
class CaseWhole:
    """A case as one reader sees it; `unseen` counts its accounts beyond their scope, `names` are people's by id."""

    scene: Scene
    plan: Plan
    items: tuple[Item, ...]
    unseen: int
    now: datetime
    names: Mapping[str, str]
    may_end: bool
    reader: Reader

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts in sight that are still of the case, in its order."""
        return tuple(self.scene.accounts[number] for number in self.scene.live)

    @property
    def waits(self) -> tuple[Item, ...]:
        """What waits for somebody, the oldest first."""
        return tuple(sorted((each for each in self.items if each.waits), key=lambda each: each.since))

    @cached_property
    def mine(self) -> tuple[Item, ...]:
        """What waits for the reader, the oldest first."""
        return tuple(each for each in self.waits if self.reader.is_next(self.scene, each))

    @cached_property
    def settled(self) -> int:
        """How many steps in sight are out of the way."""
        return sum(each.standing in {Standing.DONE, Standing.WAIVED} for each in self.items)

    @cached_property
    def by_place(self) -> Mapping[tuple[str, str], Item]:
        """The steps in sight by name and account."""
        return {(each.step.name, each.account_id): each for each in self.items}

    def item(self, step: str, account_id: str) -> Item:
        """Find a step as it stands; raise `NotFound`."""
        found = self.by_place.get((step, account_id))
        if found is None:
            name = f"{step[:40]} of {account_id[:12] or 'the case'}"
            raise not_found("step", name)
        return found

    def second_words(self, step: str) -> tuple[Item, ...]:
        """Give a step of each account of which the reader may say the second word now, in the case's order."""
        asked = (each for each in self.items if each.step.name == step and each.account_id)
        waiting = (each for each in asked if each.standing is Standing.ASKED)
        return tuple(each for each in waiting if Doing.AGREE in self.may(each))

    def may(self, item: Item) -> frozenset[Doing]:
        """Say what the reader may do about a step now."""
        return frozenset(self.reader.doings(self.scene, item, self.now))

    def able(self, item: Item) -> bool:
        """Say whether the vault can do a step here."""
        return item.step.acts and self.reader.acts.able(self.scene.case.kind, item.step.name)

    def asks(self, step: Step) -> tuple[Field, ...]:
        """Give what is asked of a person who says that a step is done."""
        return fields_of(step)

    def run_asks(self, step: Step) -> tuple[Field, ...]:
        """Give what is asked where the vault does it; a code that works once among it."""
        return tuple(each for each in step.evidence if not each.by_hand)

    def needs_code(self, step: Step) -> bool:
        """Say whether the vault has to be given a code that works once, for each account its own."""
        return any(each.form is Form.CODE and not each.optional for each in step.evidence)

    def basis(self, item: Item) -> tuple[Basis, ...]:
        """Give what a second word rests on beside the first one: what one person or a machine said of it before.

        Whoever agrees answers for where an account goes, so they see what was given as information, and by whom.
        """
        if item.step.second is None:
            return ()
        asked = {name.removeprefix(MEMBERS) for name in item.step.needs}
        found = []
        for step in self.plan.steps:
            done = self.scene.of(item.account_id if step.per_account else "", step.name)
            if done is None or not done.settled or not (step.informs or step.name in asked):
                continue
            known = dict.fromkeys((*fields_of(step), *step.evidence))
            given = [(each.label, done.evidence[each.name]) for each in known if each.name in done.evidence]
            if done.state is StepState.WAIVED:
                given.append(("Waived", done.words))
            found.append(Basis(step.title, tuple(given), self._whom(done)))
        return tuple(found)

    def _whom(self, done: Done) -> str:
        """Name who said a step is done, or let it go, or had the vault do it."""
        first, second = (self.names.get(each, "a machine") for each in (done.by, done.second_by or done.by))
        if done.by_vault:
            return f"the vault, on the word of {first}"
        return first if done.second_by is None else f"{first} and {second}"

    def evidence(self, item: Item) -> tuple[tuple[Field, str], ...]:
        """Give what was given for a step, in the order in which it is asked."""
        given = {} if item.done is None else item.done.evidence
        known = (*fields_of(item.step), *item.step.evidence)
        return tuple((each, given[each.name]) for each in dict.fromkeys(known) if each.name in given)


@dataclass(frozen=True, slots=True)
class CaseReading:
    """Use cases of readers of one case."""

    ground: CaseGround
    acts: CaseActs

    def whole(self, actor: Actor, case_id: str) -> CaseWhole:
        """Read one in sight; raise `NotFound`."""
        return self._read(actor, case_id, "")

    def near(self, actor: Actor, case_id: str, account_id: str) -> CaseWhole:
        """Read one in sight with the steps of one account alone; the whole where its steps rest on others'.

        A case may have hundreds of accounts, and an answer about one of them is not to cost as much as all.
        """
        return self._read(actor, case_id, account_id)

    def _read(self, actor: Actor, case_id: str, account_id: str) -> CaseWhole:
        now = self.ground.clock.now()
        with self.ground.units.read() as unit:
            account = unit.accounts.get(account_id) if account_id else None
            near = "" if account is None or account.kind is AccountKind.PAYER else account.id
            scene = self.ground.read(unit, actor, case_id, near=near)
            names = people_of(unit, scene)
            seen = self.ground.narrowed(actor, self.ground.view(scene, now))
        kind = self.ground.kinds[scene.case.kind]
        ends = self.ground.gate.policy.decide(actor, kind.opens, scene.customer.id)
        may_end = scene.case.is_open and isinstance(ends, Permit)
        unseen = len(scene.live) - len(seen.scene.live)
        return CaseWhole(seen.scene, kind.plan, seen.items, unseen, now, names, may_end, self.reader(actor))

    def reader(self, actor: Actor) -> Reader:
        """Give somebody as a reader of cases."""
        return Reader(actor, self.ground, self.acts)

    def told(self, whole: CaseWhole, item: Item) -> tuple[Told, ...]:
        """Give the entries of the log on a step, newest first; `whole` says that the reader may know of it."""
        case = whole.scene.case
        wanted = EntryFilter(
            text=case.id, types=STEP_EVENTS, since=case.opened_at, account_id=item.account_id or None
        )
        found: list[Entry] = []
        with self.ground.units.read() as unit:
            page = unit.log.search(wanted, EVERYTHING, Slice(limit=200))
            found = [each for each in page.items if _is_of(each, case.id, item)]
        return tuple(Told(each.index, each.content) for each in found[:TOLD_MOST])

    def kinds(self, actor: Actor) -> tuple[CaseKind, ...]:
        """List the kinds of case that somebody may open for any customer."""
        policy = self.ground.gate.policy
        return tuple(
            name for name, kind in self.ground.kinds.items() if not policy.reach(actor, kind.opens).empty
        )

    def plan(self, kind: CaseKind) -> Plan:
        """Give the plan of a kind."""
        return self.ground.kinds[kind].plan

    def known(self) -> tuple[CaseKind, ...]:
        """List the kinds that this vault knows."""
        return tuple(self.ground.kinds)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who looks at a case, and what the policy lets them do."""

    actor: Actor
    ground: CaseGround
    acts: CaseActs

    def permits(self, scene: Scene, needed: Permission, account_id: str) -> bool:
        """Say whether the policy lets them, for an account or for the customer."""
        decision = self.ground.gate.policy.decide(self.actor, needed, scene.customer.id, account_id or None)
        return isinstance(decision, Permit)

    def is_next(self, scene: Scene, item: Item) -> bool:
        """Say whether a step waits for this reader: never for the second word of who said the first."""
        if item.who is None or not item.waits:
            return False
        own = item.standing is Standing.ASKED and item.done is not None and item.done.by == self.actor.id
        return not own and self.permits(scene, item.who, item.account_id)

    def doings(self, scene: Scene, item: Item, now: datetime) -> set[Doing]:
        """Give what they may do about a step now."""
        if not scene.case.is_open or item.step.known is not None:
            return set()
        found: set[Doing] = set()
        mine = self.permits(scene, item.step.by, item.account_id)
        able = item.step.acts and self.acts.able(scene.case.kind, item.step.name)
        if mine and able and item.standing not in {Standing.DONE, Standing.WAIVED}:
            found.add(Doing.LOOK)
        if mine and item.standing in {Standing.OPEN, Standing.FAILED}:
            found.add(Doing.SAY)
            found |= {Doing.RUN} if able else set()
            found |= {Doing.WAIVE} if item.step.waivable else set()
        elif mine and item.standing is Standing.DOING and able and item.done is not None:
            again = item.done.by == self.actor.id or now - item.done.at > DOING_LASTS
            found |= {Doing.RUN} if again else set()
        elif (
            mine
            and item.standing in {Standing.DONE, Standing.WAIVED}
            and self._can_be_said_again(scene, item)
        ):
            found.add(Doing.SAY)
            found |= {Doing.RUN} if able and item.step.again else set()
        elif item.standing is Standing.ASKED and item.done is not None and item.who is not None:
            first = item.done.by == self.actor.id
            second = self.permits(scene, item.who, item.account_id)
            found |= {Doing.AGREE} if second and not first else set()
            found |= {Doing.DISAGREE} if second or first else set()
        return found

    def _can_be_said_again(self, scene: Scene, item: Item) -> bool:
        return self.ground.against(scene, self.ground.kinds[scene.case.kind], item) is None


def people_of(unit: Unit, scene: Scene) -> Mapping[str, str]:
    """Give the names of everybody who did anything in a case, by id."""
    people = {scene.case.opened_by}
    people |= {name for each in scene.done.values() for name in (each.by, each.second_by or "")}
    return _names(unit, frozenset(people))


def _names(unit: Unit, ids: frozenset[str]) -> dict[str, str]:
    """Name people, machines by their token, and what was done on a customer's page."""
    found = {CUSTOMER: CUSTOMER_NAME} if CUSTOMER in ids else {}
    for each in sorted(ids - {"", CUSTOMER}):
        known = unit.people.get(each) or unit.tokens.get(each)
        if known is not None:
            found[each] = known.name
    return found


def _is_of(entry: Entry, case_id: str, item: Item) -> bool:
    detail = entry.content.get("detail")
    account = entry.content.get("account")
    number = account.get("id", "") if isinstance(account, Mapping) else ""
    if not isinstance(detail, Mapping):
        return False
    return (detail.get("case"), detail.get("step"), number) == (case_id, item.step.name, item.account_id)
