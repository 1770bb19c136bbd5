"""A made-up kind of case, with one step of every sort, and an act: what cases have in common is tried on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from vault.bootstrap.cases import CaseParts, CaseRooms, case_rooms
from vault.domain.account import Custody
from vault.domain.actor import Role
from vault.domain.case import (
    CaseEvent,
    CaseKind,
    Done,
    Field,
    Form,
    PlaceEvent,
    Plan,
    Scene,
    Seen,
    Step,
)
from vault.domain.policy import Permission
from vault.errors import Conflict, Unavailable, VaultError
from vault.services.case_kinds import Carried, Given, Preview, Work, move_case, move_place
from vault.services.case_opening import Opening

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.world import World
    from vault.domain.account import Account, Customer
    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile
    from vault.domain.event import Change
    from vault.ports.store import Unit

KIND = CaseKind.MOVE


def is_held(seen: Seen) -> bool:
    """Read from the account whether it is held."""
    return seen.account is not None and seen.account.custody is Custody.HELD


PLAN = Plan(
    KIND,
    (
        Step(
            "who",
            "Who signs",
            "H1",
            Permission.HANDOVER_OPEN,
            per_account=False,
            evidence=(Field("name", "Name"), Field("email", "E-mail", Form.EMAIL)),
        ),
        Step("held", "The account is held", "C4", Permission.HANDOVER_PREPARE, known=is_held),
        Step("balance", "Nothing is owed", "H4", Permission.HANDOVER_PREPARE, daily=True),
        Step(
            "begin", "The day begins", "H2", Permission.HANDOVER_CARRY_OUT, needs=("who", "held", "balance")
        ),
        Step(
            "no_return",
            "From here nobody goes back",
            "H4",
            Permission.HANDOVER_CARRY_OUT,
            second=Permission.CASE_AGREE,
            needs=("begin",),
            reversible=False,
        ),
        Step(
            "remove",
            "Things are removed",
            "H7",
            Permission.HANDOVER_CARRY_OUT,
            needs=("no_return", "members:remove"),
            evidence=(Field("code", "The code", Form.CODE, optional=True),),
            acts=True,
            looked=True,
            reversible=False,
        ),
        Step("letter", "A letter", "H8", Permission.HANDOVER_PREPARE, needs=("remove",), waivable=True),
        Step("end", "All is done", "H9", Permission.HANDOVER_PREPARE, per_account=False, needs=("letter",)),
    ),
)


@dataclass
class Toy:
    """The kind; `against` is what it has against every step."""

    plan: Plan = PLAN
    opens: ClassVar[Permission] = Permission.HANDOVER_OPEN
    against: VaultError | None = None

    def joins(self, unit: Unit, actor: Actor, customer: Customer, account: Account) -> VaultError | None:
        """Let in what is held."""
        if account.custody is not Custody.HELD:
            return Conflict("case.account", f"Account {account.id} is {account.custody}.")
        return None

    def check(self, unit: Unit, actor: Actor, scene: Scene, given: Given, now: datetime) -> VaultError | None:
        """Say what a test wants said."""
        return self.against

    def follows(
        self, unit: Unit, actor: Actor, scene: Scene, done: Done, now: datetime
    ) -> tuple[Change, ...]:
        """Move the account at its begin, and the case at its end."""
        if done.step == "begin":
            place = scene.place(done.account_id)
            assert place is not None
            return move_place(unit, place, PlaceEvent.BEGUN, now)[1]
        if done.step == "end":
            told = [
                change
                for place in scene.places
                for change in move_place(unit, place, PlaceEvent.FINISHED, now)[1]
            ]
            return (*move_case(unit, self.plan, scene.case, CaseEvent.FINISHED, now)[1], *told)
        return ()

    def cancelled(self, unit: Unit, actor: Actor, scene: Scene, now: datetime) -> tuple[Change, ...]:
        """Let nothing follow."""
        return ()


@dataclass
class Shed:
    """A place with things in it, as AWS has; `stops` ends removals, `keeps` are refused, `shut`: nobody may look."""

    things: dict[str, set[str]] = field(default_factory=dict)
    keeps: set[str] = field(default_factory=set)
    stops: int | None = None
    shut: str = ""
    removed: int = 0
    codes: list[str] = field(default_factory=list)

    def preview(self, work: Work) -> Preview:
        """Name what is there."""
        if self.shut:
            raise Unavailable("case.unavailable", self.shut, cause="unseen")
        here = self.things.get(work.account_id, set())
        return Preview(tuple(sorted(here - self.keeps)), tuple(sorted(here & self.keeps)))

    def carry_out(self, work: Work) -> Carried:
        """Remove one thing after another."""
        self.codes.append(work.evidence.get("code", ""))
        gone = []
        for thing in sorted(self.things.get(work.account_id, set()) - self.keeps):
            if self.stops is not None and self.removed >= self.stops:
                raise Unavailable("case.unavailable", "The shed is locked; try again.", cause="locked")
            self.things[work.account_id].discard(thing)
            self.removed += 1
            gone.append(thing)
        left = tuple(f"{each}: refused" for each in sorted(self.things.get(work.account_id, set())))
        return Carried(tuple(gone), left)


@dataclass
class Bench:
    """The rooms of cases with the made-up kind, and the people whom it takes."""

    world: World
    toy: Toy
    shed: Shed
    rooms: CaseRooms

    def opening(self, *accounts: str, cause: str = "", who: bool = True) -> Opening:
        """Say what is opened."""
        with self.world.vault.units.read() as unit:
            customer = unit.customers.by_ddi("900001")
        assert customer is not None
        given = {("", "who"): {"name": "Sam Signs", "email": "sam@customer.example"}} if who else {}
        return Opening(KIND, customer.id, accounts, "T-77", cause, given)

    def open(self, *accounts: str, cause: str = "", who: bool = True) -> CaseFile:
        """Open one as the customer's success manager."""
        return self.rooms.opening.open(self.csm, self.opening(*accounts, cause=cause, who=who))

    @property
    def csm(self) -> Actor:
        """Who opens and prepares."""
        return self.world.human("chris", Role.CSM).actor

    @property
    def operator(self) -> Actor:
        """Who does the day's work."""
        return self.world.human("olga", Role.OPERATOR).actor

    def begin(self, case: CaseFile, account: str) -> None:
        """Bring an account to where it takes two people."""
        self.rooms.work.attest(self.csm, case.id, "balance", account, {"note": "the bill of today is paid"})
        self.rooms.work.attest(self.operator, case.id, "begin", account, {"note": "we begin"})

    def no_return(self, case: CaseFile, account: str) -> None:
        """Say both words."""
        olga, ada = self.world.human("olga", Role.OPERATOR), self.world.human("ada", Role.APPROVER)
        note = {"note": "all was looked at"}
        self.rooms.work.attest(olga.actor, case.id, "no_return", account, note, olga.otp())
        self.rooms.work.agree(ada.actor, case.id, "no_return", account, ada.otp())


def bench_of(world: World) -> Bench:
    """Put cases of the made-up kind together on a world's vault."""
    vault = world.vault
    toy, shed = Toy(), Shed()
    factors = vault.proposals.factors
    parts = CaseParts(vault.units, vault.gate, factors, vault.clock, vault.calendars)
    return Bench(world, toy, shed, case_rooms(parts, {KIND: toy}, {(KIND, "remove"): shed}))
