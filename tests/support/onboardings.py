"""A reception desk for onboardings: a custodian, an inspector and a ticket system of paper."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tests.support.inspected import PaperInspector, inspected
from vault.crypto import totp
from vault.domain.account import Kind, Model
from vault.domain.actor import Role
from vault.domain.inspection import Known, Membership, Place
from vault.domain.plans import onboarding as steps
from vault.domain.root_email import AddressPattern
from vault.domain.secret import Secret
from vault.ports.feeds import Delivery
from vault.services.case_acts import CaseActs
from vault.services.custody import Existing
from vault.services.customers import CustomerFacts
from vault.services.onboarding_acts import acts
from vault.services.onboarding_desk import Joining, Onboardings, Welcome

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile
    from vault.domain.outlook import Item, Standing
    from vault.domain.ticket import Ticket
    from vault.services.case_ground import CaseView

A, B, C, P = "111122223333", "222233334444", "333344445555", "999900001111"
INFORMATION = {
    "company": "Example Ltd",
    "company_address": "1 Example Street\nExampletown",
    "signatory": "Sam Signs",
    "signatory_email": "sam@customer.example",
    "path": "standalone",
}
OPENING: Final[dict[str, Any]] = {
    "customer_id": "900001",
    "ticket": "T-77",
    "information": INFORMATION,
    "accounts": [
        {
            "account_id": A,
            "name": "theirs",
            "model": "SPAM",
            "kind": "standalone",
            "root_email": "aws@customer.example",
        }
    ],
}
"""An onboarding as a program sends it."""
SEEN = {"seen": "the customer showed the security page of root in a call"}
APPROVAL = {
    "approved": "2026-11-20",
    "reference": "APN case 123",
    "terms": "none, says the letter of that day",
}
CUSTODIANS = {"mailbox": "the vault's mailbox", "phone": "ours", "phone_holder": "the night desk"}


@dataclass
class PaperTickets:
    """Keeps notes by their key; `error` is what it answers instead."""

    notes: dict[str, tuple[str, str]] = field(default_factory=dict)
    error: str | None = None
    takes_notes: bool = True
    makes_tickets: bool = False

    def find(self, number: str) -> Ticket | None:
        """Know of no ticket."""

    def create(self, subject: str, words: str, key: str) -> tuple[str, Delivery]:
        """Make no ticket."""
        return "", Delivery(0, f"no tickets are made here, not {key}")

    def note(self, number: str, words: str, key: str) -> Delivery:
        """Keep a note."""
        if self.error is not None:
            return Delivery(0, self.error)
        self.notes[key] = (number, words)
        return Delivery(1)


@dataclass
class Reception:
    """Everything that a test of onboardings holds in its hands."""

    world: World
    customer_id: str
    desk: Onboardings
    acts: CaseActs
    paper: PaperInspector
    tickets: PaperTickets

    @property
    def carla(self) -> Actor:
        """Who opens and manages."""
        return self.world.human("carla", Role.CUSTODIAN).actor

    def joining(self, number: str, kind: Kind = Kind.STANDALONE, **facts: object) -> Joining:
        """Describe an account that is not registered yet."""
        made = Joining(number, f"account {number}", Model.SPAM, kind, f"aws-{number}@customer.example")
        return replace(made, **facts)  # type: ignore[arg-type]  # a test names what it changes

    def welcome(self, *joining: Joining, path: str = "standalone", cause: str = "") -> Welcome:
        """Say what is opened."""
        return Welcome(self.customer_id, joining, "T-77", cause, INFORMATION | {"path": path})

    def open(self, *joining: Joining, path: str = "standalone", cause: str = "") -> CaseFile:
        """Open one."""
        return self.desk.open(self.carla, self.welcome(*joining, path=path, cause=cause))

    def view(self, case: CaseFile) -> CaseView:
        """Read it."""
        return self.world.vault.cases.work.get(self.carla, case.id)

    def standing(self, case: CaseFile, account: str = A) -> dict[str, Standing]:
        """Give how the steps of the case, and of one account, stand."""
        return {
            each.step.name: each.standing
            for each in self.view(case).items
            if each.account_id in {"", account}
        }

    def say(self, case: CaseFile, step: str, account: str = "", **given: str) -> Item:
        """Say that a step is done."""
        return self.world.vault.cases.work.attest(self.carla, case.id, step, account, given)

    def run(self, case: CaseFile, step: str, account: str = "") -> Item:
        """Have the vault do a step, a minute later."""
        self.world.clock.advance(minutes=1)
        return self.acts.run(self.carla, case.id, step, account)

    def address(self, case: CaseFile, account: str = A) -> str:
        """Give the address that an account will have."""
        return self.view(case).scene.given(account, steps.ADDRESS, "address")

    def until_approval(self, case: CaseFile, *accounts: str) -> None:
        """Go as far as AWS's approval, as the vault sees it."""
        self.run(case, steps.INSTRUCTIONS)
        for account in accounts or (A,):
            for step in (steps.KEYS, steps.ALONE):
                self.run(case, step, account)
        self.say(case, steps.APPROVAL, **APPROVAL)

    def take_over(self, account: str = A) -> None:
        """Take both parts into custody."""
        human = self.world.human("carla", Role.CUSTODIAN)
        with self.world.vault.units.read() as unit:
            found = unit.accounts.get(account)
        assert found is not None
        existing = Existing(
            found.root_email,
            Secret("Correct-Horse-7-Battery"),
            Secret(totp.generate_seed().secret.expose()),
            attested=True,
        )
        self.world.vault.custodies.take_in(human.actor, account, existing, human.otp())

    def until_held(self, case: CaseFile, account: str = A) -> None:
        """Go on until the account is held, and only the look at MFA and defaults is left."""
        self.say(case, steps.EMAIL, account, **SEEN)
        self.say(case, steps.CUSTODIANS, account, **CUSTODIANS)
        self.take_over(account)


def reception_of(world: World) -> Reception:
    """Put a desk together on a world's vault, with a customer that has nothing yet."""
    vault = world.vault
    custodian = world.human("carla", Role.CUSTODIAN).actor
    customer = vault.customers.register(custodian, "900001", CustomerFacts(name="Example Ltd"))
    paper, tickets = inspected(vault), PaperTickets()
    desk = replace(vault.onboardings, pattern=AddressPattern("aws+{account}-{random}@roots.example"))
    made = acts(vault.inspecting, desk.letters, tickets)
    return Reception(world, customer.id, desk, replace(vault.cases.acts, acts=made), paper, tickets)


def payer_at(number: str) -> dict[str, object]:
    """Write what is seen of a payer."""
    return {"membership": Known(Membership(Place.PAYER, "o-example", number))}


def member_of(number: str) -> dict[str, object]:
    """Write what is seen of a member."""
    return {"membership": Known(Membership(Place.MEMBER, "o-example", number))}
