"""Accounts come to us: one from the request to custody, one that waits for its customer (A1-A5, C3-C5).

Told in two parts, because the customer and AWS take their weeks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.cli.admin.demo.aws.ground import furnish, let_in, live_in
from vault.cli.admin.demo.casework import Paper
from vault.cli.admin.demo.farewell import ROLE
from vault.cli.admin.demo.stage import refused
from vault.cli.admin.demo.world import AWAITED, HARBORVIEW, LUMEN, WELCOMED
from vault.domain.account import Custody
from vault.domain.actor import Role
from vault.domain.plans import onboarding as plan
from vault.services.onboarding_desk import Joining, Welcome

if TYPE_CHECKING:
    from vault.cli.admin.demo.aws.state import Cloud
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.world import Ground
    from vault.domain.hygiene import Wanted

SIGNATORIES: Final = {HARBORVIEW.ddi: "Paul Anders", LUMEN.ddi: "Iris Lindholm"}
LOOKED: Final = (plan.KEYS, plan.ALONE)
"""What the vault looks at before AWS is asked to approve."""


def ask_for(act: Act, cloud: Cloud, ground: Ground, ticket: str) -> Paper:
    """Open an account's onboarding, and send the customer what they have to do."""
    custodian, stage = act.cast.of(Role.CUSTODIAN), act.stage
    domain, signs = f"{ground.company.name.split()[0].lower()}.example", SIGNATORIES[ground.company.ddi]
    account = cloud.add(ground.number, ground.name, f"root@{domain}")
    live_in(account, domain)
    with stage.step(f"{custodian.part.name} opens the onboarding of {ground.name}") as told:
        information = {
            "company": ground.company.name,
            "company_address": "4 Quay Street, Portland, ME 04101",
            "signatory": signs,
            "signatory_email": f"{signs.split()[0].lower()}@{domain}",
            "path": plan.STANDALONE,
        }
        joining = Joining(ground.number, ground.name, ground.model, ground.kind, account.email)
        welcome = Welcome(act.customer(ground.company).id, (joining,), ticket, information=information)
        case = act.vault.onboardings.open(custodian.actor(act.vault), welcome)
        told("it is registered with the case, and gets a root address that nobody can guess (C4, L3)")
    paper = Paper(act, case)
    with stage.step("The customer gets the instructions of their way in (A3)") as told:
        text = act.vault.onboardings.text(custodian.actor(act.vault), case.id)
        paper.say(custodian, plan.INSTRUCTIONS, None, {"sent": f"Today, as a comment on ticket {ticket}."})
        told(f"{len(text.splitlines())} lines, with the role that they make for us")
    return paper


def take_over(paper: Paper, cloud: Cloud, wanted: Wanted) -> None:
    """Bring the account from the customer's answer into custody."""
    act, ground, account = paper.act, WELCOMED, cloud.accounts[WELCOMED.number]
    custodian, stage = act.cast.of(Role.CUSTODIAN), act.stage
    let_in(account, ROLE, cloud.vault)
    with stage.step("The customer made the role, and the vault looks through it (A2)") as told:
        for step in LOOKED:
            paper.run(custodian, step, ground)
        told("no root access keys, in no Organization: AWS says so itself")
    with stage.step("AWS's approval is noted, and its root has our address (A3, C4)") as told:
        today = act.vault.calendars.around(act.clock.now()).day(act.clock.now())
        approved = {"approved": today.isoformat(), "reference": "APN-51407", "terms": "There are none."}
        paper.say(custodian, plan.APPROVAL, None, approved)
        paper.say(custodian, plan.EMAIL, ground, {"seen": "The customer changed it; AWS's mail came to us."})
        account.email = act.vault.accounts.get(custodian.actor(act.vault), ground.number).account.root_email
        holders = {"mailbox": "The mail team", "phone": "ours", "phone_holder": "The service desk"}
        paper.say(custodian, plan.CUSTODIANS, ground, holders)
        told("mailbox and phone are known as ours: both together are past any MFA (C5)")
    act.take_over(act.cast.of(Role.OPERATOR), act.cast.of(Role.OPERATOR, 1), ground)
    account.root.devices.append(f"arn:aws:iam::{ground.number}:mfa/root")
    furnish(account, wanted)
    let_in(account, ROLE, cloud.vault)
    with stage.step("The vault looks once more: root has MFA, and our defaults are there (C3, A5)") as told:
        paper.run(custodian, plan.MFA, ground)
        paper.run(custodian, plan.DEFAULTS, ground)
        custody = act.vault.accounts.get(custodian.actor(act.vault), ground.number).account.custody
        if (custody, paper.state(custodian)) != (Custody.HELD, "done"):
            raise AssertionError(f"{ground.name} is {custody}, its case {paper.state(custodian)}")
        told("held; the onboarding is done")


def wait_for_the_customer(act: Act, cloud: Cloud) -> None:
    """Open an onboarding whose customer did nothing yet: the vault is not let in, and says so."""
    paper = ask_for(act, cloud, AWAITED, "RV-2064")
    custodian = act.cast.of(Role.CUSTODIAN)
    with act.stage.step("The vault looks at it, and is not let in yet: what was not seen is no pass") as told:
        words = refused("case.unavailable", lambda: paper.run(custodian, plan.KEYS, AWAITED))
        told(words.split("; ", maxsplit=1)[0])
