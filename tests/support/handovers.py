"""A handover as people do it: a payer with two members, and each step by hand, by who has to say it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vault.crypto import totp
from vault.domain.account import CUSTODY, Custodian, CustodyEvent, Kind, Model
from vault.domain.actor import ActorKind, Role, Scope, system_actor
from vault.domain.checkout import Decision
from vault.domain.event import Event, EventType
from vault.domain.plans import handover as plan
from vault.domain.plans.release import RELEASE, RESET
from vault.domain.policy import Permission
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.services.accounts import AccountFacts
from vault.services.approvals import Word
from vault.services.custody import Existing
from vault.services.customers import CustomerFacts
from vault.services.handing_over import Handing, HandoverWish, Information

if TYPE_CHECKING:
    from tests.support.world import Human, World
    from vault.domain.account import Account, Customer
    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile
    from vault.domain.outlook import Item, Standing

PAYER: Final = "999900001111"
ONE: Final = "111122223333"
TWO: Final = "222233334444"
DDI: Final = "900001"
END: Final = "2026-12-31"
MEMBERS_DAY: Final = datetime(2026, 12, 15, 15, 0, tzinfo=UTC)
PAYER_DAY: Final = datetime(2026, 12, 16, 15, 0, tzinfo=UTC)
"""A Tuesday and a Wednesday, at nine in the morning in Chicago."""
SIGNATORY: Final = {"name": "Sam Signatory", "email": "sam@customer.example", "channel": "+1 555 0100"}
CONTACT: Final = {
    "full_name": "Sam Signatory", "address": "1 Main Street", "city": "Springfield", "postal_code": "12345",
    "country": "US", "phone": "+15550100",
}  # fmt: skip
NOTE: Final = {"note": "done as ticket T-1 says"}
SIGNED: Final = {"reference": "CTA-7", "signed_customer": "2026-11-20", "signed_us": "2026-11-21"}


def email_of(number: str) -> str:
    """Give the customer's address for the root of an account."""
    return f"aws-{number}@customer.example"


def handing(number: str) -> Handing:
    """Ask for an account with all that is known of it."""
    return Handing(number, email_of(number), "Mia of IT", "Pat, +1 555 0100")


@dataclass
class Handover:
    """A world with three accounts of one customer, and the people who hand them over."""

    world: World
    chris: Human = field(init=False)
    olga: Human = field(init=False)
    ada: Human = field(init=False)
    customer: Customer = field(init=False)

    def __post_init__(self) -> None:
        """Let people in."""
        self.chris = self.world.human("chris", Role.CSM)
        self.olga = self.world.human("olga", Role.OPERATOR)
        self.ada = self.world.human("ada", Role.APPROVER)
        self.customer = self.belongs(DDI)

    def belongs(self, ddi: str, **facts: bool) -> Customer:
        """Give a customer, made where it is not there."""
        carla = self.world.human("carla", Role.CUSTODIAN).actor
        with self.world.vault.units.read() as unit:
            found = unit.customers.by_ddi(ddi)
        return found or self.world.vault.customers.register(
            carla, ddi, CustomerFacts(name=f"Customer {ddi}", **facts)
        )

    def keyless(self, number: str) -> None:
        """Let a held member have no root credentials any more, by the back door and told."""
        with self.world.vault.units.write() as unit:
            account = unit.accounts.lock(number)
            assert account is not None
            bare = replace(account, custody=CUSTODY.transitions[account.custody, CustodyEvent.ROOT_REMOVED])
            unit.accounts.update(bare)
            told = changes(account, bare)
            event = Event(EventType.ACCOUNT_CHANGED, system_actor("test"), account_id=number, changes=told)
            unit.log.record(event, self.world.clock.now())
            unit.commit()

    def account(
        self, number: str, kind: Kind, model: Model = Model.SPAM, ddi: str = DDI, *, held: bool = True
    ) -> Account:
        """Register an account, and take it into custody."""
        carla = self.world.human("carla", Role.CUSTODIAN)
        facts = AccountFacts(
            f"account {number}", f"root+{number}@msp.example", Custodian.OURS, Custodian.OURS
        )
        made = self.world.vault.accounts.register(
            carla.actor, number, self.belongs(ddi).id, model, kind, facts
        )
        if not held:
            return made
        existing = Existing(
            made.root_email,
            Secret(f"Correct-Horse-7-{number}"),
            Secret(totp.generate_seed().secret.expose()),
            attested=True,
        )
        return self.world.vault.custodies.take_in(carla.actor, number, existing, carla.otp())

    def three(self) -> Handover:
        """Hold a payer and two members."""
        for number, kind in ((PAYER, Kind.PAYER), (ONE, Kind.MEMBER), (TWO, Kind.MEMBER)):
            self.account(number, kind)
        return self

    def machine(self, *permissions: Permission) -> Actor:
        """Give a workflow with a token."""
        scopes = frozenset(
            permissions or {Permission.HANDOVER_OPEN, Permission.CASE_READ, Permission.ACCOUNT_READ}
        )
        return replace(
            self.chris.actor, kind=ActorKind.MACHINE, id="machine-1", name="offboarding", powers=(),
            permissions=scopes, scope=Scope(),
        )  # fmt: skip

    def wish(self, *numbers: str, **facts: object) -> HandoverWish:
        """Ask for a handover with all information."""
        known = Information(
            tuple(handing(number) for number in numbers or (PAYER, ONE, TWO)),
            signatory=SIGNATORY,
            contract_end=END,
            contact=CONTACT,
        )
        names = {each.name for each in fields(Information)} & set(facts)
        known = replace(known, **{name: facts.pop(name) for name in names})  # type: ignore[arg-type]  # theirs
        told = HandoverWish(self.customer.id, "T-1001", known)
        return replace(told, **facts)  # type: ignore[arg-type]  # the callers' own field names

    def open(self, *numbers: str, **facts: object) -> CaseFile:
        """Open one."""
        return self.world.vault.cases.handovers.open(self.chris.actor, self.wish(*numbers, **facts))

    def say(self, who: Human, case: CaseFile, step: str, number: str = "", /, **evidence: str) -> Item:
        """Say one step."""
        return self.world.vault.cases.work.attest(who.actor, case.id, step, number, evidence or NOTE, "")

    def plan(self, case: CaseFile, number: str, at: datetime, /, **more: str) -> Item:
        """Choose an account's day."""
        return self.say(self.chris, case, plan.DAY, number, at=at.isoformat(), **more)

    def planned(self, *numbers: str, **facts: object) -> CaseFile:
        """Open one with days, and with every gate but the balance."""
        case = self.open(*numbers, **facts)
        with self.world.vault.units.read() as unit:
            accounts = unit.cases.scene(case).accounts
        for number, account in accounts.items():
            self.plan(case, number, PAYER_DAY if account.kind is Kind.PAYER else MEMBERS_DAY)
            if account.kind is not Kind.PAYER:
                self.say(self.olga, case, plan.BILLING, number)
        return case

    def until(self, at: datetime) -> None:
        """Wait until a moment."""
        self.world.clock.advance(seconds=max(0.0, (at - self.world.clock.now()).total_seconds()))

    def begin(self, case: CaseFile, number: str) -> Item:
        """Confirm the balance of the day, and begin."""
        self.say(self.chris, case, plan.BALANCE)
        return self.world.vault.cases.work.attest(self.olga.actor, case.id, plan.BEGIN, number)

    def go(self, case: CaseFile, number: str) -> Item:
        """Two people pass the point of no return."""
        self.say(self.olga, case, plan.CONTACTS, number)
        work = self.world.vault.cases.work
        work.attest(self.olga.actor, case.id, plan.GO, number, {}, self.olga.otp())
        return work.agree(self.ada.actor, case.id, plan.GO, number, self.ada.otp())

    def lease(self, number: str) -> str:
        """Take the account's root out for the handover, and give it back."""
        vault, now = self.world.vault, self.world.clock
        asked = self.world.ask(self.olga, number, "HANDOVER")
        vault.approvals.decide(self.ada.actor, asked.id, Word(Decision.APPROVE), self.ada.otp())
        vault.checkouts.step_up(self.olga.actor, asked.id, self.olga.otp())
        now.advance(minutes=5)
        vault.checkouts.check_in(self.olga.actor, asked.id)
        return asked.id

    def give(self, case: CaseFile, number: str, *, payer: bool = False) -> None:
        """Make the account the customer's, from the point of no return up to its release."""
        if payer:
            self.say(self.olga, case, plan.BILLING_LAST, number)
            self.lease(number)
            steps: tuple[str, ...] = (plan.ROOT_EMAIL, plan.ROOT_MFA)
        else:
            steps = (plan.EMAIL_START, plan.EMAIL_ACCEPT, plan.ROOT_DELETED, plan.RECOVERY)
        for step in (*steps, plan.INSTRUCTIONS):
            self.say(self.olga, case, step, number)
        self.reset(case, number)
        last = (plan.PAYMENT_LAST,) if payer else (plan.CUSTOMER_IN, plan.PAYMENT, plan.LEAVE)
        ours = (plan.TOPICS, plan.DISPATCHER, plan.ROLES, plan.ALTERNATES, plan.LAST_ROLE, plan.SUPPORT)
        for step in (*last, *ours):
            self.say(self.olga, case, step, number)

    def reset(self, case: CaseFile, number: str) -> None:
        """Have the signatory confirm that they set a password of their own; two people saw it."""
        work, today = self.world.vault.cases.work, self.world.clock.now().date().isoformat()
        told = {"confirmed_by": SIGNATORY["name"], "confirmed_on": today, "where": "ticket T-1001"}
        work.attest(self.olga.actor, case.id, RESET, number, told, self.olga.otp())
        work.agree(self.ada.actor, case.id, RESET, number, self.ada.otp())

    def release(self, case: CaseFile, number: str) -> Item:
        """Two people release it."""
        work = self.world.vault.cases.work
        work.attest(self.olga.actor, case.id, RELEASE, number, {}, self.olga.otp())
        return work.agree(self.ada.actor, case.id, RELEASE, number, self.ada.otp())

    def standing(self, case: CaseFile, step: str, number: str = "") -> Standing:
        """Read how a step stands."""
        view = self.world.vault.cases.work.get(self.chris.actor, case.id)
        return next(
            each.standing for each in view.items if (each.step.name, each.account_id) == (step, number)
        )

    def custody(self, number: str) -> str:
        """Read an account's custody."""
        with self.world.vault.units.read() as unit:
            account = unit.accounts.get(number)
        assert account is not None
        return account.custody.value

    def state(self, case: CaseFile) -> str:
        """Read where the handover stands."""
        return self.world.vault.cases.work.get(self.chris.actor, case.id).scene.case.state
