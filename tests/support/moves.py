"""Two customers, accounts of the first, and the people who move them to the second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vault.crypto import totp
from vault.domain.account import Kind, Model
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.outlook import Item
from vault.domain.secret import Secret
from vault.services.custody import Existing
from vault.services.customers import CustomerFacts
from vault.services.moves import Wish

if TYPE_CHECKING:
    from tests.support.world import Human, World
    from vault.bootstrap.cases import CaseRooms
    from vault.domain.account import Account, Customer
    from vault.domain.case import CaseFile

OLD, NEW = "900001", "900002"
ASKED: Final = "2026-11-23"
DAY: Final = "2026-12-15"
"""The first day of December's window; the 14th is the first that is 14 business days after the world begins."""
ON_THE_DAY: Final = datetime(2026, 12, 15, 15, 0, tzinfo=UTC)
WORD: Final = {
    "name": "Sam Signs",
    "email": "sam@customer.example",
    "given": ASKED,
    "where": "comment 7 of the ticket",
}


@dataclass(frozen=True, slots=True)
class MoveBench:
    """A world with a custodian who asks for moves, and an administrator who agrees."""

    world: World
    old: Customer
    new: Customer
    manager: Human
    admin: Human

    @property
    def rooms(self) -> CaseRooms:
        """The use cases on cases."""
        return self.world.vault.cases

    def of(self, customer: Customer) -> Scope:
        """Give the scope of a customer."""
        return Scope(ScopeKind.CUSTOMER, customer.id)

    def operator(self, name: str, customer: Customer) -> Human:
        """Make an operator of one customer."""
        return self.world.human(name, Role.OPERATOR, self.of(customer))

    def wish(self, *others: str, to: str = NEW, day: str = DAY, requested: str = ASKED) -> Wish:
        """Give what the customer asked for."""
        return Wish(to, day, requested, "Sam Signs", "T-2002", others)

    def ask(self, number: str, *others: str, **facts: str) -> CaseFile:
        """Open a move as the custodian."""
        return self.rooms.moves.ask(self.manager.actor, number, self.wish(*others, **facts))

    def say(self, case: CaseFile, step: str, **given: str) -> Item:
        """Say that a step is done, as the custodian."""
        otp = self.manager.otp() if step in {"fee", "move"} else ""
        return self.rooms.work.attest(self.manager.actor, case.id, step, given=given, otp=otp)

    def agree(self, case: CaseFile, step: str = "move", who: Human | None = None) -> Item:
        """Say the second word, as the administrator."""
        who = who or self.admin
        return self.rooms.work.agree(who.actor, case.id, step, "", who.otp())

    def prepare(self, case: CaseFile) -> None:
        """Say all that comes before the move, and wait for its day."""
        for step in ("consent", "acceptance"):
            self.say(case, step, **WORD)
        view = self.rooms.work.get(self.manager.actor, case.id)
        if any(each.step.name == "organization" for each in view.items):
            self.say(case, "organization", goes="whole")
        self.world.clock.at = ON_THE_DAY

    def move(self, case: CaseFile) -> Item:
        """Say both words of the move."""
        self.say(case, "move", words="as both customers want it")
        return self.agree(case)

    def account(self, number: str) -> Account:
        """Read an account as it is kept."""
        with self.world.vault.units.read() as unit:
            found = unit.accounts.get(number)
        assert found is not None
        return found

    def held(self, number: str, kind: Kind) -> Account:
        """Take an account of the old customer into custody."""
        account = self.world.account(number, kind)
        seed = totp.generate_seed().secret
        existing = Existing(account.root_email, Secret("Correct-Horse-7-Battery"), seed, attested=True)
        return self.world.vault.custodies.take_in(self.manager.actor, number, existing, self.manager.otp())

    def registered(self, number: str, kind: Kind, model: Model = Model.SPAM) -> Account:
        """Register an account of the old customer, held by nobody."""
        return self.world.account(number, kind, model)


def bench_of(world: World) -> MoveBench:
    """Make the second customer; the first one comes with the world's first account."""
    manager = world.human("carla", Role.CUSTODIAN)
    customers = world.vault.customers
    old = customers.register(manager.actor, OLD, CustomerFacts(name="Example Ltd"))
    new = customers.register(manager.actor, NEW, CustomerFacts(name="Newly Named plc"))
    return MoveBench(world, old, new, manager, world.human("anna", Role.ADMIN))
