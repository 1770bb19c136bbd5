"""A handover that has only begun: opened by the workflow with half of what it needs, it waits for people (H1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.cli.admin.demo.casework import Paper
from vault.cli.admin.demo.cast import machine
from vault.cli.admin.demo.world import HARBORVIEW, LEAVING, MACHINE
from vault.domain.actor import Role
from vault.domain.plans import handover as plan
from vault.services.handing_over import Handing, HandoverWish, Information

if TYPE_CHECKING:
    from vault.cli.admin.demo.scenes import Act

SIGNS: Final = "Paul Anders"
TICKET: Final = "RV-2083"


def begin(act: Act) -> None:
    """Let the workflow open it, and the success manager say who signs; the rest is for whoever looks at it."""
    vault, stage, csm = act.vault, act.stage, act.cast.of(Role.CSM)
    with stage.step(f"{MACHINE} opens the handover of {LEAVING.name}") as told:
        ends = vault.calendars.around(act.clock.now()).day(act.clock.now()) + timedelta(days=40)
        known = Information(
            accounts=(Handing(LEAVING.number, "root.archive@harborview.example"),),
            contract_end=ends.isoformat(),
        )
        wish = HandoverWish(act.customer(HARBORVIEW).id, TICKET, known, "order-2083")
        paper = Paper(act, vault.cases.handovers.open(machine(vault, act.cast), wish))
        told(f"{paper.case.state}; the contract ends on {ends:%d %B}")
    with stage.step(f"{csm.part.name} says who signs for the customer") as told:
        signs = {"name": SIGNS, "email": "paul@harborview.example", "channel": "+1 207 555 0117"}
        paper.say(csm, plan.SIGNATORY, None, signs)
        told(f"{paper.state(csm)}; it waits for the rest")
