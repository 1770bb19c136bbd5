"""A whole handover against a small AWS over HTTP, done by whoever is next; it may be stopped anywhere.

The driver reads where the case waits and does that, so that whoever starts it again goes on from whatever is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.support.handovers import ONE, PAYER, PAYER_DAY, Handover
from tests.support.world import World, hasher
from vault.adapters.central_root import AwsCentralRoot
from vault.adapters.offboarding.acts import AwsOffboarding
from vault.bootstrap.compose import Ground, compose
from vault.bootstrap.inspection import read_defaults
from vault.cli.admin.demo.aws.ground import furnish, let_in, live_in
from vault.domain.actor import Reach
from vault.domain.case import CaseKind
from vault.domain.ids import new_id
from vault.domain.keyless import RootFound, Task
from vault.domain.offboarding import Deed, Ours, Outcome, Preview, Target
from vault.domain.outlook import Item, Standing
from vault.domain.plans import handover as plan
from vault.domain.plans.release import ACKNOWLEDGE, CONFIRMED_BY, CONFIRMED_ON, RESET, SIGNED, WHERE
from vault.ports.store import CheckoutFilter, Slice

if TYPE_CHECKING:
    from tests.support.world import Human
    from vault.cli.admin.demo.aws.state import Cloud, Root
    from vault.ports.central_root import RootSession
    from vault.ports.store import Units

ROLE: Final = "RootVault"
ORDER: Final = "order-1"
TURNS: Final = 400
NOTE: Final = {"note": "done as ticket T-1 says"}


def furnished(cloud: Cloud, world: World) -> None:
    """Let that AWS have a payer and a member, with what onboarding applied and what the customer has."""
    wanted = read_defaults(world.vault.settings)
    for number in (PAYER, ONE):
        account = cloud.add(number, f"account {number}", f"root+{number}@msp.example", PAYER)
        furnish(account, wanted)
        live_in(account, "msp.example")
        let_in(account, ROLE, cloud.vault)
        account.standalone = True
        account.root.devices.append(f"arn:aws:iam::{number}:mfa/root")


def reaching(world: World, url: str, units: Units | None = None) -> World:
    """Give the same vault with hands at that AWS, as another process would be."""
    vault = world.vault
    ours = Ours.of(read_defaults(vault.settings), addresses=("@msp.example",))
    ground = Ground(
        vault.settings,
        vault.policy,
        vault.clock,
        units or vault.units,
        vault.keys,
        vault.server_key,
        vault.origin,
        vault.vkey,
        hasher(),
        central_root=AwsCentralRoot(ROLE, "", "us-east-1", url),
        offboarding=AwsOffboarding(ROLE, "", ours, url),
    )
    return World(compose(ground), world.clock, world.people)


@dataclass(frozen=True)
class AtOnce:
    """Hands at an AWS that does everything at once and never fails: for what is measured of the vault alone."""

    cloud: Cloud

    def preview(self, deed: Deed, target: Target) -> Preview:
        """Show nothing."""
        return Preview()

    def carry_out(self, deed: Deed, target: Target) -> Outcome:
        """Do it."""
        account = self.cloud.accounts[target.account_id]
        if deed is Deed.EMAIL_START:
            self.cloud.mailed.append((target.email, "123456"))
        if deed is Deed.EMAIL_ACCEPT:
            account.email = target.email
        return Outcome((deed.value,))

    def root_email(self, target: Target) -> str:
        """Give it as it is."""
        return self.cloud.accounts[target.account_id].email

    def open(self, payer_id: str, member_id: str, task: Task, source: str) -> RootSession:
        """Open a session on a member's root."""
        return AtOnceRoot(self.cloud.accounts[member_id].root)


@dataclass(frozen=True)
class AtOnceRoot:
    """A session on such a root."""

    root: Root
    access_key: str = field(default_factory=lambda: f"ASIA{new_id()}")
    request_id: str = "-"

    def look(self) -> RootFound:
        """List what the root has."""
        return RootFound(self.root.password, tuple(self.root.devices), (), ())

    def remove(self, found: RootFound) -> None:
        """Delete it."""
        self.root.password = False
        self.root.devices.clear()

    def allow_recovery(self) -> None:
        """Allow it."""
        self.root.recoverable = True


def handy(world: World, cloud: Cloud) -> World:
    """Give the same vault with hands at an AWS that does everything at once."""
    vault, hands = world.vault, AtOnce(cloud)
    ground = Ground(
        vault.settings,
        vault.policy,
        vault.clock,
        vault.units,
        vault.keys,
        vault.server_key,
        vault.origin,
        vault.vkey,
        hasher(),
        central_root=hands,
        offboarding=hands,
    )
    return World(compose(ground), world.clock, world.people)


@dataclass
class Day:
    """The handover of the given accounts, and whoever says what."""

    world: World
    cloud: Cloud
    numbers: tuple[str, ...] = (PAYER, ONE)
    signatory: str = "Sam Signatory"
    people: Handover = field(init=False)

    def __post_init__(self) -> None:
        """Know the people."""
        self.people = Handover(self.world)

    def open(self) -> str:
        """Open it; the same order again is the same handover."""
        wish = self.people.wish(*self.numbers, order=ORDER)
        return self.world.vault.cases.handovers.open(self.people.chris.actor, wish).id

    def finish(self, most: int = TURNS) -> str:
        """Do whatever waits until the case is closed; give its state."""
        case_id = self.open()
        work, vault = self.world.vault.cases.work, self.world.vault
        for _ in range(most):
            view = work.get(self.people.chris.actor, case_id)
            if not view.scene.case.is_open:
                break
            waits = [each for each in view.waits if not (each.step.waivable and each.step.name == RESET)]
            if not waits:
                vault.releases.handed_over.once()
                if work.get(self.people.chris.actor, case_id).scene.case.is_open:
                    self.people.until(PAYER_DAY)
                continue
            self._do(case_id, waits[0])
        return work.get(self.people.chris.actor, case_id).scene.case.state

    def carry(self, case_id: str, *numbers: str, short_of: str) -> None:
        """Do what waits of these accounts (the whole case: an empty number), but for one step."""
        work = self.world.vault.cases.work
        for _ in range(TURNS):
            found = work.get(self.people.chris.actor, case_id).waits
            waits = [each for each in found if each.account_id in numbers and each.step.name != short_of]
            if not waits:
                return
            self._do(case_id, waits[0])

    def _do(self, case_id: str, item: Item) -> None:
        """Do one thing that waits, as whoever it waits for."""
        cases, step, number = self.world.vault.cases, item.step, item.account_id
        who = self._who(item)
        if item.standing is Standing.ASKED:
            cases.work.agree(self.people.ada.actor, case_id, step.name, number, self.people.ada.otp())
            return
        if step.name in plan.FOR_ROOT:
            self._lease(number)
        alone = step.name == RESET and self.cloud.accounts[number].root.password
        if cases.acts.able(CaseKind.HANDOVER, step.name) and not alone:
            code = {"code": self.cloud.mailed[-1][1]} if step.name == plan.EMAIL_ACCEPT else None
            cases.acts.run(who.actor, case_id, step.name, number, code)
            return
        evidence = self._evidence(step.name)
        otp = who.otp() if step.takes_two(evidence) else ""
        cases.work.attest(who.actor, case_id, step.name, number, evidence, otp)

    def _lease(self, number: str) -> None:
        """Have had the root out in the handover, as whoever changes it in the console has."""
        with self.world.vault.units.read() as unit:
            account = unit.accounts.get(number)
        if account is not None and number not in self._leased():
            self.people.lease(number)

    def _leased(self) -> set[str]:
        with self.world.vault.units.read() as unit:
            page = unit.checkouts.page(Reach(everything=True), CheckoutFilter(), Slice(limit=50))
        return {each.account_id for each in page.items if each.reason == "HANDOVER"}

    def _who(self, item: Item) -> Human:
        mine = item.step.by.value.startswith(("handover.prepare", "handover.open"))
        return self.people.chris if mine else self.people.olga

    def _evidence(self, step: str) -> dict[str, str]:
        today = self.world.clock.now().date().isoformat()
        if step == plan.DAY:
            return {plan.AT: PAYER_DAY.isoformat()}
        if step == RESET:
            return {CONFIRMED_BY: self.signatory, CONFIRMED_ON: today, WHERE: "ticket T-1"}
        if step == ACKNOWLEDGE:
            return {SIGNED: self.signatory, CONFIRMED_ON: today, WHERE: "a letter in ticket T-1"}
        if step == plan.APN:
            return {"case": "APN-1"}
        return dict(NOTE)
