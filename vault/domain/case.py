"""Cases: work on accounts of a customer in steps, from taking over to giving back (A3, H1-H9, L1-L4, D1).

An onboarding, a handover, a closure and a move are all cases. What has to be done is a plan: data, in
`vault.domain.plans`, with the rule each step comes from, who says that it is done, what has to be done before it,
what is asked as evidence, and whether it takes two people. Decided here: what a plan is made of, what was done
(`Done`), and the tables of a handover, of every other case, and of an account in its case. Where a case waits is
computed from these (`vault.domain.outlook`), never stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from vault.domain.account import Account, Customer, Kind
from vault.domain.case_states import (
    CASE,
    HANDOVER,
    PLACE,
    CaseEvent,
    CaseState,
    HandoverEvent,
    HandoverState,
    PlaceEvent,
    PlaceState,
    StepState,
)
from vault.domain.event import stamp
from vault.domain.lifecycle import Lifecycle
from vault.domain.policy import Permission
from vault.domain.told import Told, told

__all__ = [
    "CASE", "HANDOVER", "MEMBERS", "PLACE", "TEXT_MAX", "CaseEvent", "CaseFile", "CaseKind", "CaseState", "Done",
    "Field", "Form", "HandoverEvent", "HandoverState", "Place", "PlaceEvent", "PlaceState", "Plan", "Scene", "Seen",
    "Step", "StepState", "always", "in_order", "members", "payers",
]  # fmt: skip

TEXT_MAX: Final = 500
"""The longest piece of evidence, in characters."""
MEMBERS: Final = "members:"
"""Before the name of a step: each member of the case has to have it settled before its payer goes on."""


class CaseKind(StrEnum):
    """What a case is about."""

    ONBOARDING = "onboarding"
    HANDOVER = "handover"
    CLOSURE = "closure"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case. `state` is of `HANDOVER` for a handover, else of `CASE`; times are aware and in UTC.

    `cause` names what it grew out of for who opened it: an order of a workflow, another case; empty where none is
    named.
    """

    id: str
    kind: CaseKind
    customer_id: str
    ticket: str
    state: str
    opened_by: str
    opened_at: datetime
    changed_at: datetime
    cause: str = ""
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Say whether anything is left to do."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Place:
    """One account in its case.

    `day` is when its work is planned, `was` the custody that it had before its work began.
    """

    case_id: str
    account_id: str
    position: int
    state: PlaceState
    changed_at: datetime
    day: datetime | None = None
    was: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What is known of one step; `account_id` is empty for a step of the whole case.

    `evidence` is what was given, by field. `by_vault` tells what the vault did at AWS from what a person says.
    `second_by` is the other one of two people. `words` is what AWS answered, or why a step was waived.
    """

    case_id: str
    account_id: str
    step: str
    state: StepState
    at: datetime
    by: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    second_by: str | None = None
    by_vault: bool = False
    words: str = ""
    waiving: bool = False
    """While it is asked: that it be waived, not that it is done."""

    @property
    def settled(self) -> bool:
        """Say whether the step is out of the way of others."""
        return self.state in {StepState.DONE, StepState.WAIVED}


@told.register(CaseFile)
def _(thing: CaseFile) -> Told:
    return "case", thing.id, {
        "": thing.state,
        "of": f"{thing.kind} {thing.customer_id}",
        "ticket": thing.ticket,
    }  # fmt: skip


@told.register(Place)
def _(thing: Place) -> Told:
    return "case_account", f"{thing.case_id}/{thing.account_id}", {
        "": thing.state.value,
        "day": "" if thing.day is None else stamp(thing.day),
        "was": thing.was,
    }  # fmt: skip


@told.register(Done)
def _(thing: Done) -> Told:
    given = json.dumps(dict(thing.evidence), sort_keys=True, separators=(",", ":"))
    return "case_step", f"{thing.case_id}/{thing.account_id}/{thing.step}", {
        "": f"{thing.state} waiving" if thing.waiving else thing.state.value,
        "at": stamp(thing.at),
        "by": f"{thing.by} {thing.second_by or ''}".strip(),
        "evidence": hashlib.sha256(f"{given}\n{thing.words}".encode()).hexdigest(),
    }  # fmt: skip


class Form(StrEnum):
    """How a piece of evidence is written."""

    TEXT = "text"
    LONG = "long"
    EMAIL = "email"
    DATE = "date"
    CHOICE = "choice"
    CODE = "code"
    """A code that works once: handed on to AWS, never kept, never told."""


@dataclass(frozen=True, slots=True)
class Field:
    """One piece of evidence that a step asks for."""

    name: str
    label: str
    form: Form = Form.TEXT
    optional: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""
    by_hand: bool = False
    """Asked of whoever says that it is done, never of who has the vault do it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a plan's conditions look at; `account` is None for a step of the whole case, `accounts` are all of it."""

    case: CaseFile
    customer: Customer
    account: Account | None
    accounts: Collection[Account]
    done: Mapping[tuple[str, str], Done] = field(default_factory=dict)
    kinds: frozenset[Kind] = frozenset()
    """Of all its accounts."""
    payers: int = 0
    """How many of its accounts are payers."""

    def given(self, step: str, name: str) -> str:
        """Read a piece of evidence of a settled step of the whole case; empty where there is none."""
        found = self.done.get(("", step))
        return "" if found is None or not found.settled else found.evidence.get(name, "")


def always(_: Seen) -> bool:
    """Let a step be for every case and account."""
    return True


def payers(seen: Seen) -> bool:
    """Let a step be for payers."""
    return seen.account is not None and seen.account.kind is Kind.PAYER


def members(seen: Seen) -> bool:
    """Let a step be for members."""
    return seen.account is not None and seen.account.kind is Kind.MEMBER


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan.

    `by` is who says that it is done, or has the vault do it; `second` who says the second word, where it takes two.
    `needs` are names of steps before it: of the same account, or of the whole case; a step of the whole case needs it
    of every account. With `members:` before the name, the payer needs it of every member of the case that is not said
    to be another's. `acts`: the vault can do it at AWS; `again`: and again while nothing rests on it, such as a code
    that is mailed anew; `looked`: where the vault can look, a person's word that it is done is held against what AWS
    has, and takes two people where AWS does not say.
    `daily`: it counts on the day on which it was said only, until all that needs it is done (H4). `on_day`: it waits
    for the day that is planned. `second_with`: it takes the second person only where this piece of evidence is given.
    `informs`: it is information and confirms nothing, so that whoever opens a case may give it along.
    `waivable`: two people may let it go; the second needs `case.agree`. `holds`: it changes whose the accounts are, so
    the customer's row and all of theirs are held first. `section` is the heading under which a page
    shows it.
    """

    name: str
    title: str
    rule: str
    by: Permission
    per_account: bool = True
    second: Permission | None = None
    needs: tuple[str, ...] = ()
    evidence: tuple[Field, ...] = ()
    second_with: str = ""
    acts: bool = False
    looked: bool = False
    again: bool = False
    informs: bool = False
    reversible: bool = True
    waivable: bool = False
    daily: bool = False
    on_day: bool = False
    holds: bool = False
    applies: Callable[[Seen], bool] = always
    known: Callable[[Seen], bool] | None = None
    """Reads from the account itself whether it is done: nobody says so, and no evidence is asked."""
    help: str = ""
    section: str = ""

    def takes_two(self, evidence: Mapping[str, str]) -> bool:
        """Say whether another person has to say the second word to this."""
        return self.second is not None and (not self.second_with or self.second_with in evidence)


@dataclass(frozen=True)
class Plan:
    """What has to be done in cases of a kind: steps in the order in which a page shows them."""

    kind: CaseKind
    steps: tuple[Step, ...]
    states: Lifecycle[HandoverState, HandoverEvent] | Lifecycle[CaseState, CaseEvent] = CASE
    under: tuple[str, str] | None = None
    """The step, and its piece of evidence, that say under which payer a member is; a payer waits for its own alone."""

    def step(self, name: str) -> Step | None:
        """Find a step by name."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> Mapping[str, Step]:
        return {step.name: step for step in self.steps}


@dataclass(frozen=True)
class Scene:
    """One case as it stands: its accounts in their order, members before their payer, and what was done."""

    case: CaseFile
    customer: Customer
    places: tuple[Place, ...]
    accounts: Mapping[str, Account]
    done: Mapping[tuple[str, str], Done]
    near: str = ""
    """The one account whose steps, beside those of the whole case, were looked up; empty: those of all."""
    kinds: Mapping[str, Kind] | None = None
    """The kind of each account by number; None: as `accounts` say, of which near one others are read when asked for."""

    @cached_property
    def kind_of(self) -> Mapping[str, Kind]:
        """Give each account's kind by number."""
        if self.kinds is not None:
            return self.kinds
        return {number: account.kind for number, account in self.accounts.items()}

    @cached_property
    def live(self) -> Mapping[str, Place]:
        """Give the accounts that were not taken out of the case, in order, by number."""
        return {each.account_id: each for each in self.places if each.state is not PlaceState.CANCELLED}

    @cached_property
    def _kinds(self) -> frozenset[Kind]:
        return frozenset(self.kind_of.values())

    @cached_property
    def _payers(self) -> int:
        return sum(kind is Kind.PAYER for kind in self.kind_of.values())

    @cached_property
    def _seen(self) -> dict[str, Seen]:
        return {}

    def place(self, account_id: str) -> Place | None:
        """Find an account of the case that was not taken out."""
        return self.live.get(account_id)

    def of(self, account_id: str, step: str) -> Done | None:
        """Find what is known of a step of an account, or with an empty number of the whole case.

        Raises `LookupError` for an account whose steps were not looked up.
        """
        if self.near and account_id not in {"", self.near}:
            message = f"the steps of {account_id} were not looked up"
            raise LookupError(message)
        return self.done.get((account_id, step))

    def given(self, account_id: str, step: str, name: str) -> str:
        """Read a piece of evidence of a settled step; empty where there is none."""
        found = self.of(account_id, step)
        return "" if found is None or not found.settled else found.evidence.get(name, "")

    def seen(self, account_id: str = "") -> Seen:
        """Give what conditions look at."""
        found = self._seen.get(account_id)
        if found is None:
            account = self.accounts[account_id] if account_id else None
            everybody = self.accounts.values()
            found = Seen(self.case, self.customer, account, everybody, self.done, self._kinds, self._payers)
            self._seen[account_id] = found
        return found


def in_order(accounts: Iterable[Account]) -> tuple[Account, ...]:
    """Put accounts in the order of their work: members, then those that stand alone, payers last."""
    rank = {Kind.MEMBER: 0, Kind.STANDALONE: 1, Kind.PAYER: 2}
    return tuple(sorted(accounts, key=lambda account: (rank[account.kind], account.id)))
