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
from vault.domain.offboarding import Ours
from vault.domain.outlook import Item, Standing
from vault.domain.plans import handover as plan
from vault.domain.plans.release import ACKNOWLEDGE, CONFIRMED_BY, CONFIRMED_ON, RESET, SIGNED, WHERE
from vault.ports.store import CheckoutFilter, Slice

if TYPE_CHECKING:
    from tests.support.world import Human
    from vault.cli.admin.demo.aws.state import Cloud
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


@dataclass
class Day:
    """The handover of the given accounts, and whoever says what."""

    world: World
    cloud: Cloud
    numbers: tuple[str, ...] = (PAYER, ONE)
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
            return {CONFIRMED_BY: "Sam Signatory", CONFIRMED_ON: today, WHERE: "ticket T-1"}
        if step == ACKNOWLEDGE:
            return {SIGNED: "Sam Signatory", CONFIRMED_ON: today, WHERE: "a letter in ticket T-1"}
        if step == plan.APN:
            return {"case": "APN-1"}
        return dict(NOTE)
