"""Accounts that are closed: one by its root, which is dead by now, one by the vault, whose ninety days run (L1-L4)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.cli.admin.demo.casework import Paper
from vault.cli.admin.demo.stage import refused
from vault.cli.admin.demo.world import CLOSED, DEAD, LAST
from vault.domain.account import Custody
from vault.domain.actor import Role
from vault.domain.plans import closure as plan
from vault.services.closures import REASON

if TYPE_CHECKING:
    from datetime import date

    from vault.cli.admin.demo.aws.state import Cloud
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.world import Ground

WHERE: Final = "Confirmed by the customer in a comment on the ticket."


def close_as_root(act: Act, cloud: Cloud) -> None:
    """Close an account that stands alone: two people say so, and its root does it in the console."""
    operator, stage = act.cast.of(Role.OPERATOR), act.stage
    paper = _begin(act, DEAD, "RV-1904")
    approvers = (act.cast.of(Role.APPROVER), act.cast.of(Role.APPROVER, 1))
    checkout = act.lease(operator, DEAD, REASON, "Close it, as its customer asked.", *approvers)
    act.use(operator, DEAD, checkout)
    with stage.step(f"As root in the console {DEAD.name} is closed") as told:
        cloud.accounts[DEAD.number].state = "SUSPENDED"
        given = {
            plan.ON: _today(act).isoformat(),
            plan.NOTE: "Closed by its root; AWS's mail is on the ticket.",
        }
        paper.say(operator, plan.CLOSE, DEAD, given)
        told(f"{_custody(act, DEAD)}; the lease ended with it, its credentials stay sealed")
    act.clock.advance(60)


def see_dead(act: Act) -> None:
    """See that the account whose ninety days are over is dead, and that nobody opens it again."""
    custodian = act.cast.of(Role.CUSTODIAN)
    with act.stage.step(f"Ninety days later {DEAD.name} is dead, and nothing reopens it (L2)") as told:
        last = act.vault.cases.closures.of_account(custodian.actor(act.vault), DEAD.number).last
        if _custody(act, DEAD) != Custody.DEAD or last is None or last.ended_at is None:
            raise AssertionError(f"{DEAD.name} is {_custody(act, DEAD)}")
        given = {"on": _today(act).isoformat(), "where": "A case with AWS Support."}
        reopen = act.vault.cases.closures.reopen
        refused("custody.state", lambda: reopen(custodian.actor(act.vault), DEAD.number, given, ""))
        told(f"since {last.ended_at:%d %B}; its root e-mail serves no other account, ever (L3)")


def close_by_vault(act: Act, cloud: Cloud) -> None:
    """Close a member by its payer, as the vault does it at AWS; the payer waits for the end of its notice."""
    operator, custodian, stage = act.cast.of(Role.OPERATOR), act.cast.of(Role.CUSTODIAN), act.stage
    paper = _begin(act, CLOSED, "RV-2068", LAST)
    with stage.step(f"What would happen to {CLOSED.name} is looked at first: a dry run") as told:
        actor = operator.actor(act.vault)
        seen = act.vault.cases.acts.preview(actor, paper.case.id, plan.CLOSE, CLOSED.number)
        told(f"goes: {seen.goes[0]}")
    with stage.step(f"The vault closes {CLOSED.name} by its payer") as told:
        paper.run(operator, plan.CLOSE, CLOSED)
        state = cloud.accounts[CLOSED.number].state
        asked = cloud.calls.count(f"{LAST.number} organizations:CloseAccount")
        if (asked, state, _custody(act, CLOSED)) != (1, "PENDING_CLOSURE", Custody.CLOSED):
            raise AssertionError(f"AWS was asked {asked} times, and has it as {state}")
        last = act.vault.cases.closures.of_account(actor, CLOSED.number).last
        until = "" if last is None else f"; AWS reopens it until {last.dead_at:%d %B}"
        told(f"organizations:CloseAccount, and AWS has it as {state}{until}")
    with stage.step(f"{LAST.name} goes last, and waits for the end of its notice (L4)"):
        for step in (plan.BACKUPS, plan.RESOURCES):
            paper.say(custodian, step, LAST, {"where": WHERE})


def _begin(act: Act, ground: Ground, ticket: str, *others: Ground) -> Paper:
    """Open a closure, and bring one of its accounts to where it can be closed."""
    custodian, approver = act.cast.of(Role.CUSTODIAN), act.cast.of(Role.APPROVER)
    with act.stage.step(f"{custodian.part.name} opens the closure of {ground.name}") as told:
        numbers = tuple(each.number for each in others)
        actor = custodian.actor(act.vault)
        paper = Paper(act, act.vault.cases.closures.open(actor, ground.number, ticket, numbers))
        ended = _today(act) - timedelta(days=1)
        paper.say(custodian, plan.NOTICE, ground, {plan.ENDS: ended.isoformat(), "where": WHERE})
        for step in (plan.BACKUPS, plan.RESOURCES, plan.COMMITMENTS):
            paper.say(custodian, step, ground, {"where": WHERE})
        told("notice over, content kept elsewhere, resources ended, commitments settled: each with evidence")
    with act.stage.step("Two people say that it is closed (L1)") as told:
        paper.both(custodian, approver, plan.BEGIN, ground)
        told(f"{_custody(act, ground)}: its root opens for the closing alone")
    return paper


def _custody(act: Act, ground: Ground) -> Custody:
    reader = act.cast.of(Role.CUSTODIAN).actor(act.vault)
    return act.vault.accounts.get(reader, ground.number).account.custody


def _today(act: Act) -> date:
    return act.vault.calendars.around(act.clock.now()).day(act.clock.now())
