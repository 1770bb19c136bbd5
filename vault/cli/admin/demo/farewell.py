"""A customer leaves: a payer and its two members are handed over, and afterwards nobody here can open them (H1-H9).

Told in the recent past, on the last day on which a payer could be handed over. AWS is simulated over HTTP (`aws`):
roles and topics of ours are truly gone at the end, and everything of the customer's is still there.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.adapters.db.copying import copy_database
from vault.cli.admin.backup import record
from vault.cli.admin.demo.aws.ground import furnish, let_in, live_in
from vault.cli.admin.demo.aws.server import serving
from vault.cli.admin.demo.casework import Paper
from vault.cli.admin.demo.cast import machine
from vault.cli.admin.demo.months import pass_days
from vault.cli.admin.demo.stage import refused
from vault.cli.admin.demo.world import ACCOUNTS, DOMAIN, EVERY, HARBOR, LEFT, LEFT_PAYER, MACHINE, WESTLAKE
from vault.domain.account import Kind
from vault.domain.actor import Role
from vault.domain.plans import handover as plan
from vault.domain.plans.release import RELEASE, RESET
from vault.services.handing_over import Handing, HandoverWish, Information

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from vault.cli.admin.demo.aws.state import Cloud
    from vault.cli.admin.demo.cast import Player
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.world import Ground
    from vault.domain.hygiene import Wanted
    from vault.ports.calendar import Calendars
    from vault.settings import Settings

ROLE: Final = "RootVault"
"""The role through which the vault works in each account."""
BACKUP: Final = "backup-before-the-handover.db"
SIGNS: Final = "Rosa Castellanos"
THEIRS: Final = "westlake.example"
ORDER: Final = "order-2071"
CONTACT: Final = {
    "full_name": SIGNS,
    "company": "Westlake Retail",
    "address": "12 Harbor Street",
    "city": "Duluth",
    "state": "MN",
    "postal_code": "55802",
    "country": "US",
    "phone": "+1 218 555 0142",
}
EARLY: Final = timedelta(days=3)
"""So long before the day the workflow opens the handover."""
RECORDED: Final = 16 * 60
"""Seconds until AWS's record of what somebody did is believed."""


def last_day(calendars: Calendars, before: datetime) -> datetime:
    """Give the opening of the last day before a moment on which a payer could be handed over (H2, H5)."""
    calendar = calendars.around(before)
    day = calendar.day(before)
    while True:
        opening = calendar.opening(day)
        if opening is not None and day.day > 15 and opening + timedelta(hours=9) <= before:  # noqa: PLR2004 - the 15th of rule H5
            return opening
        day -= timedelta(days=1)


@contextmanager
def reached(cloud: Cloud) -> Iterator[str]:
    """Serve the small AWS on this machine, and let this process be the vault's own user there; give its address."""
    before = {name: os.environ.get(name) for name in cloud.environment()}
    os.environ.update(cloud.environment())
    try:
        with serving(cloud) as address:
            yield address
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


def leave(
    act: Act, cloud: Cloud, settings: Settings, directory: Path, day: datetime
) -> tuple[Farewell, Path]:
    """Play the chapter up to the release of all three; give the case, and a backup of before."""
    act.stage.scene("A customer comes, and leaves")
    take_on(act)
    backup = back_up(act, settings, directory)
    goodbye = open_handover(act, cloud, day)
    pass_days(act, day + timedelta(hours=1, minutes=5))
    act.stage.scene("The day")
    the_day(goodbye)
    return goodbye, backup


def back_up(act: Act, settings: Settings, directory: Path) -> Path:
    """Take the nightly backup, while the three roots are still ours."""
    file = directory / BACKUP
    with act.stage.step("A backup is taken, as every night") as told:
        size = copy_database(settings.database_url, file)
        record(act.vault, file, size)
        told(f"{size // 1024} KiB, with the sealed credentials of the three accounts in it")
    return file


def furnish_all(cloud: Cloud, wanted: Wanted) -> None:
    """Let the small AWS have every account of ours, with what onboarding applied and what the customer has."""
    payers = {each.company: each.number for each in EVERY if each.kind is Kind.PAYER}
    for ground in (*LEFT, *ACCOUNTS, *HARBOR):
        alone = ground.kind is Kind.STANDALONE
        payer = "" if alone else payers[ground.company]
        account = cloud.add(ground.number, ground.name, ground.root_email, payer)
        furnish(account, wanted)
        live_in(account, DOMAIN)
        let_in(account, ROLE, cloud.vault)
        account.root.devices.append(f"arn:aws:iam::{ground.number}:mfa/root")


@dataclass(frozen=True, slots=True)
class Farewell(Paper):
    """The handover's case, and whoever works on it."""

    cloud: Cloud
    csm: Player
    operator: Player
    approver: Player

    def agreed(self, step: str, ground: Ground) -> None:
        """Say both words, the operator's and the approver's."""
        self.both(self.operator, self.approver, step, ground)

    def done(self, step: str, ground: Ground, given: Mapping[str, str] | None = None) -> None:
        """Have the vault do a step at AWS, as the operator asks."""
        self.run(self.operator, step, ground, given)


def take_on(act: Act) -> None:
    """Register the customer who will leave, and take the three roots in."""
    act.enlist((WESTLAKE,))
    act.register(LEFT)
    for ground in LEFT:
        act.take_in(ground)


def open_handover(act: Act, cloud: Cloud, day: datetime) -> Farewell:
    """Let the workflow open the handover, twice, and the success manager complete it."""
    vault, stage = act.vault, act.stage
    csm, operator = act.cast.of(Role.CSM), act.cast.of(Role.OPERATOR)
    with stage.step(f"{MACHINE} opens the handover of {len(LEFT)} accounts, twice") as told:
        ends = vault.calendars.around(day).day(day) + timedelta(days=5)
        known = Information(
            accounts=tuple(Handing(each.number, _new_email(each), SIGNS, SIGNS) for each in LEFT),
            signatory={"name": SIGNS, "email": f"rosa@{THEIRS}", "channel": CONTACT["phone"]},
            contract_end=ends.isoformat(),
            contact=CONTACT,
        )
        wish = HandoverWish(act.customer(WESTLAKE).id, "RV-2071", known, ORDER)
        case = vault.cases.handovers.open(machine(vault, act.cast), wish)
        again = vault.cases.handovers.open(machine(vault, act.cast), wish)
        if again.id != case.id:
            raise AssertionError("the same order twice is one handover")
        told(f"one handover, {case.state}; the contract ends on {ends:%d %B}")
    goodbye = Farewell(act, case, cloud, csm, operator, act.cast.of(Role.APPROVER))
    with stage.step(f"{csm.part.name} asks for the payer on the 10th, and is refused") as told:
        month = (day.replace(day=1) + timedelta(days=40)).replace(day=10, hour=16, minute=0)
        given = {plan.AT: f"{month:%Y-%m-%dT%H:%M}Z"}
        words = refused("case.rule", lambda: goodbye.say(csm, plan.DAY, LEFT_PAYER, given))
        told(words.split(". ")[0])
    with stage.step(f"{csm.part.name} plans the day of each account, members first") as told:
        for ground in LEFT:
            goodbye.say(csm, plan.DAY, ground, {plan.AT: f"{day + timedelta(hours=1):%Y-%m-%dT%H:%M}Z"})
        told(f"{day:%A, %d %B}; {goodbye.state(csm)}")
    with stage.step("Billing access of the members is amended, so that they can pay (H6)"):
        for ground in LEFT[:2]:
            _by_hand(goodbye, plan.BILLING, ground)
    return goodbye


def the_day(goodbye: Farewell) -> None:
    """Work through the day: members first, the payer last."""
    act, stage = goodbye.act, goodbye.act.stage
    with stage.step(f"{goodbye.csm.part.name} confirms that nothing is owed today (H4)"):
        note = {"note": "The ledger of this morning shows nothing open."}
        goodbye.say(goodbye.csm, plan.BALANCE, None, note)
    for ground in LEFT:
        _begin(goodbye, ground)
        if ground.kind is Kind.MEMBER:
            _give_member(goodbye, ground)
        else:
            _give_payer(goodbye, ground)
        _prove_dead(goodbye, ground)
        _take_ours(goodbye, ground)
        with stage.step(f"{goodbye.approver.part.name} agrees: {ground.name} is released") as told:
            goodbye.agreed(RELEASE, ground)
            told(act.vault.accounts.get(goodbye.operator.actor(act.vault), ground.number).account.custody)
    with stage.step("AWS is told by an APN case"):
        goodbye.say(goodbye.operator, plan.APN, None, {"case": "APN-55120"})
    with stage.step("Of ours nothing is left at AWS, of the customer's everything is there") as told:
        ours = [thing for each in LEFT for thing in _ours(goodbye, each)]
        kept = [thing for each in LEFT for thing in goodbye.cloud.accounts[each.number].everything()]
        if ours or not any("web-server" in thing for thing in kept):
            raise AssertionError(f"left of ours: {ours}")
        told(f"{len(kept)} roles, topics, rules and buckets of theirs; RackspaceDefaultEC2Role stays")


def _begin(goodbye: Farewell, ground: Ground) -> None:
    act, stage = goodbye.act, goodbye.act.stage
    with stage.step(f"{goodbye.operator.part.name} begins with {ground.name}") as told:
        goodbye.say(goodbye.operator, plan.BEGIN, ground, {})
        goodbye.done(plan.CONTACTS, ground)
        goodbye.done(plan.ALTERNATES, ground)
        if ground.kind is Kind.MEMBER:
            _by_hand(goodbye, plan.PAYMENT, ground)
            goodbye.cloud.accounts[ground.number].standalone = True
        _by_hand(goodbye, plan.SUPPORT, ground)
        view = act.vault.accounts.get(goodbye.operator.actor(act.vault), ground.number)
        told(f"{view.account.custody}; contacts and phone are the customer's")
    with stage.step("Two people say that it goes on: the point of no return") as told:
        goodbye.agreed(plan.GO, ground)
        told(f"{goodbye.operator.part.name} and {goodbye.approver.part.name}, each with a fresh code")


def _give_member(goodbye: Farewell, ground: Ground) -> None:
    stage, cloud = goodbye.act.stage, goodbye.cloud
    with stage.step(f"The root e-mail of {ground.name} becomes the customer's") as told:
        goodbye.done(plan.EMAIL_START, ground)
        address, code = cloud.mailed[-1]
        goodbye.done(plan.EMAIL_ACCEPT, ground, {"code": code})
        told(f"AWS mailed a code to {address}, and they read it out; the code is kept nowhere")
    with stage.step("Our root credentials there are deleted, and recovery is allowed") as told:
        goodbye.done(plan.ROOT_DELETED, ground)
        goodbye.done(plan.RECOVERY, ground)
        root = cloud.accounts[ground.number].root
        if root.password or root.devices or not root.recoverable:
            raise AssertionError("AWS still has what was ours")
        told("AWS lists no password and no device of this root any more")
    _by_hand(goodbye, plan.INSTRUCTIONS, ground)


def _give_payer(goodbye: Farewell, ground: Ground) -> None:
    act = goodbye.act
    why = "Give the root e-mail to the customer and take our device off."
    checkout = act.lease(goodbye.operator, ground, "HANDOVER", why, goodbye.approver)
    act.use(goodbye.operator, ground, checkout)
    with act.stage.step("As root in the console: billing access, their e-mail, our device off") as told:
        for step in (plan.BILLING_LAST, plan.ROOT_EMAIL, plan.ROOT_MFA, plan.INSTRUCTIONS):
            if step == plan.ROOT_EMAIL:
                act.console.email_changes(ground.number, act.clock.now())
            _by_hand(goodbye, step, ground)
        told("by hand, each with its evidence")
    act.check_in(goodbye.operator, checkout)


def _prove_dead(goodbye: Farewell, ground: Ground) -> None:
    act = goodbye.act
    if ground.kind is not Kind.MEMBER:
        act.console.customer_resets(ground.number, act.clock.now())
        act.clock.advance(RECORDED)
        act.vault.reconciliation.once()
    with act.stage.step(f"Our password of {ground.name} opens nothing any more (H9)") as told:
        goodbye.done(RESET, ground)
        member = ground.kind is Kind.MEMBER
        told("AWS says that we deleted it" if member else "AWS recorded the customer's own reset")


def _take_ours(goodbye: Farewell, ground: Ground) -> None:
    act = goodbye.act
    if ground.kind is Kind.MEMBER:
        with act.stage.step(
            f"The customer signs in to {ground.name}, and it leaves the Organization"
        ) as told:
            _by_hand(goodbye, plan.CUSTOMER_IN, ground)
            goodbye.done(plan.LEAVE, ground)
            told("only now: while it was in, its payer could have helped")
    with act.stage.step("What would go is looked at first: a dry run") as told:
        actor = goodbye.operator.actor(act.vault)
        seen = act.vault.cases.acts.preview(actor, goodbye.case.id, plan.ROLES, ground.number)
        told(f"{len(seen.goes)} go: {', '.join(seen.goes)[:60]}…; {len(seen.stays)} stay")
    with act.stage.step(f"What is ours in {ground.name} is removed, the last role last") as told:
        before = len(_ours(goodbye, ground))
        if ground.kind is Kind.PAYER:
            _by_hand(goodbye, plan.PAYMENT_LAST, ground)
        for step in (plan.TOPICS, plan.DISPATCHER, plan.ROLES, plan.LAST_ROLE):
            goodbye.done(step, ground)
        told(f"{before} things by exact name, {len(_ours(goodbye, ground))} left")


def _by_hand(goodbye: Farewell, step: str, ground: Ground) -> None:
    note = {"note": "Done by hand; a picture of it is in the ticket."}
    goodbye.say(goodbye.operator, step, ground, note)


def _ours(goodbye: Farewell, ground: Ground) -> list[str]:
    """Name what AWS still has of ours."""
    names = {*OURS, ROLE}
    things = goodbye.cloud.accounts[ground.number].everything()
    return [each for each in things if each.split(" ")[1] in names and not each.startswith("bucket")]


OURS: Final = frozenset(
    {
        "Rackspace", "CloudHealth-Role", "rackspace-dispatcher", "rackspace-cloudtrail", "rackspace-awsconfig",
        "rackspace-support", "rackspace-support-standard", "rackspace-support-urgent", "rackspace-support-emergency",
    }
)  # fmt: skip
"""What H7 takes away, written down a second time, so that it is not the code that is looked at by itself."""


def _new_email(ground: Ground) -> str:
    return f"root+{ground.name}@{THEIRS}"
