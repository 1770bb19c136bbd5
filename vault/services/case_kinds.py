"""What a kind of case adds to what all cases have in common, and what an act at AWS is.

Decided here: the two protocols by which a kind and an act plug into `vault.services.casework`. A kind's own rules are
asked before a step counts; what follows from it (custody, states, days) is written in the same unit and told in the
same entry. An act is asked outside of any transaction; what AWS has is the truth, so that doing it again ends alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from vault.domain.case import PLACE, CaseFile, Done, PlaceEvent, PlaceState, Plan, Scene, Step
from vault.domain.told import changes

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account, Customer
    from vault.domain.actor import Actor
    from vault.domain.case import CaseEvent, HandoverEvent, Place
    from vault.domain.event import Change
    from vault.domain.lifecycle import Lifecycle
    from vault.domain.policy import Permission
    from vault.errors import VaultError
    from vault.ports.store import Unit


@dataclass(frozen=True, slots=True)
class Given:
    """A step about to count: of which account (empty: of the whole case), its evidence, and whether it is waived.

    `by_vault` says that the vault is about to do it, and nobody's word is asked.
    """

    step: Step
    account_id: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    waiving: bool = False
    by_vault: bool = False


class Kind(Protocol):
    """What a kind of case adds."""

    opens: ClassVar[Permission]
    """What it takes to open and to cancel one."""

    @property
    def plan(self) -> Plan:
        """What has to be done."""
        ...

    def joins(self, unit: Unit, actor: Actor, customer: Customer, account: Account) -> VaultError | None:
        """Say why an account cannot be in such a case; whether another case has it is asked apart."""
        ...

    def check(self, unit: Unit, actor: Actor, scene: Scene, given: Given, now: datetime) -> VaultError | None:
        """Say why a step cannot count yet, beyond the plan's own order; asked at each word, and before each act."""
        ...

    def follows(
        self, unit: Unit, actor: Actor, scene: Scene, done: Done, now: datetime
    ) -> tuple[Change, ...]:
        """Write what follows from a settled step; `scene` has it already. Gives the changes that its entry tells."""
        ...

    def cancelled(self, unit: Unit, actor: Actor, scene: Scene, now: datetime) -> tuple[Change, ...]:
        """Write what follows from a cancelled case, such as custody that goes back."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """What an act is about: whose word it goes on, the case as it stands, which account, and what was given for it.

    `evidence` may hold a code that works once; it is used and forgotten.
    """

    actor: Actor
    scene: Scene
    account_id: str
    evidence: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def account(self) -> Account:
        """The account that it is about."""
        return self.scene.accounts[self.account_id]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act would do now: `goes` and `stays` name things with where they are; `words` says what else."""

    goes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """What an act did: `gone` names it, `left` what is still to be done, with AWS's reason; empty when it is whole.

    `evidence` is kept with the step, beside what was given for it.
    """

    gone: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Say whether nothing is left."""
        return not self.left


class Act(Protocol):
    """A step that the vault does at AWS. Both cross the network; what AWS refuses is raised as `Unavailable`."""

    def preview(self, work: Work) -> Preview:
        """Look, and change nothing."""
        ...

    def carry_out(self, work: Work) -> Carried:
        """Do it, as far as AWS lets us; what was done before is done."""
        ...


def move_case(
    unit: Unit, plan: Plan, case: CaseFile, event: HandoverEvent | CaseEvent, now: datetime
) -> tuple[CaseFile, tuple[Change, ...]]:
    """Take a case to its next state; one that the table does not know is a mistake of ours."""
    states: Lifecycle[Any, Any] = plan.states
    state = states.transitions[type(states.start)(case.state), event]
    moved = replace(
        case, state=state.value, changed_at=now, ended_at=now if state in states.final() else None
    )
    unit.cases.update(moved)
    return moved, changes(case, moved)


def move_place(
    unit: Unit, place: Place, event: PlaceEvent, now: datetime, **facts: Any
) -> tuple[Place, tuple[Change, ...]]:
    """Take an account to its next state in its case, with what else changes (`day`, `was`)."""
    state = PLACE.transitions[place.state, event]
    ended = now if state in {PlaceState.DONE, PlaceState.CANCELLED} else None
    moved = replace(place, state=state, changed_at=now, ended_at=ended, **facts)
    unit.cases.place((moved,))
    return moved, changes(place, moved)
