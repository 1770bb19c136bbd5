"""What it costs to hand over many accounts in one case to its end, how that grows with them, and to go on after a kill.

For a few accounts AWS is the demonstration's small one, over HTTP on this machine, so that the acts really run and its
calls are counted. For many it answers at once, in memory, so that what is measured is ours. What is timed by processor
is the thread that works. Each step is done for all accounts before the next, words of two people a hundred at a time.
One person's work is timed: in life an account waits for its customer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.bench.measure import Aim, Result, Table
from tests.bench.places import TINY
from tests.support.handover_day import ROLE, handy, reaching
from tests.support.handovers import CONTACT, END, PAYER, PAYER_DAY, SIGNATORY, Handover, email_of, handing
from tests.support.prepared import prepare
from vault.bootstrap.inspection import read_defaults
from vault.cli.admin.demo.aws.ground import furnish, let_in, live_in
from vault.cli.admin.demo.aws.server import serving
from vault.cli.admin.demo.aws.state import Cloud
from vault.domain.account import Kind
from vault.domain.actor import Reach
from vault.domain.case import CaseKind
from vault.domain.plans import handover as plan
from vault.domain.plans.release import ACKNOWLEDGE, CONFIRMED_ON, RELEASE, RESET, SIGNED, WHERE
from vault.errors import Unavailable
from vault.ports.store import EntryFilter, Slice
from vault.services.case_words import MOST, Outcome
from vault.services.handing_over import HandoverWish, Information

if TYPE_CHECKING:
    from tests.bench.places import Place, Size
    from tests.support.world import World
    from vault.domain.case import CaseFile

AT_AWS: Final = 5
ACCOUNTS: Final = (50, 500)
FEW: Final = (2, 3)
GROWS: Final = 1.0
"""By so much an account may cost more in the large case than in the small one: places of all are read at each step."""
TURNS: Final = 5
BEFORE: Final = (plan.BEGIN, plan.CONTACTS, plan.ALTERNATES, plan.PAYMENT, plan.SUPPORT)
GIVING: Final = (
    plan.EMAIL_START, plan.EMAIL_ACCEPT, plan.ROOT_DELETED, plan.RECOVERY, plan.INSTRUCTIONS, RESET, plan.CUSTOMER_IN,
    plan.LEAVE, plan.TOPICS, plan.DISPATCHER, plan.ROLES, plan.LAST_ROLE,
)  # fmt: skip
OURS_OF_PAYER: Final = (plan.PAYMENT_LAST, plan.TOPICS, plan.DISPATCHER, plan.ROLES, plan.LAST_ROLE)
PARTS: Final = (
    "open", "plan", "read", "before", "go", "first half", "after a kill", "second half", "release", "payer", "destroy",
    "pack", "certificates",
)  # fmt: skip
DAY: Final = ("before", "go", "first half", "second half", "release")
"""What is done of every member on the day."""
NOTE: Final = {"note": "done as ticket T-1 says"}


@dataclass(frozen=True, slots=True)
class Found:
    """What one size cost: seconds of each part by the clock and by the working thread, AWS's calls, entries."""

    accounts: int
    seconds: Mapping[str, float]
    cpu: Mapping[str, float]
    calls: int
    entries: int


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database."""
    scales = FEW if size is TINY else ACCOUNTS
    tables: list[Table] = []
    aims: list[Aim] = []
    for place in places[:1] if size is TINY else places:
        beside = measure(place, FEW[0] if size is TINY else AT_AWS, over_http=True)
        found = {scale: measure(place, scale) for scale in scales}
        rows: list[tuple[str | int | float, ...]] = [
            (
                f"{scale:,}" + (" by HTTP" if each.calls else ""),
                *(round(each.seconds[part], 2) for part in PARTS),
                round(1_000 * sum(each.cpu[part] for part in DAY) / scale, 1),
                round(each.calls / scale),
                round(each.entries / scale),
            )
            for scale, each in (*found.items(), (beside.accounts, beside))
        ]
        columns = (
            "members", *(f"{part} s" for part in PARTS), "CPU ms an account", "AWS calls an account",
            "entries an account",
        )  # fmt: skip
        tables.append(Table(f"{place.name}: members and their payer, in one case", columns, tuple(rows)))
        aims.append(_aim(place.name, found))
    return Result("handover", tuple(tables), tuple(aims))


def measure(place: Place, accounts: int, *, over_http: bool = False) -> Found:
    """Hand so many members over, killed in the middle of one."""
    room = place.room(f"handover-{accounts}-{over_http}")
    world = prepare(room.url(), room.directory)
    numbers = tuple(f"{400_000_000_000 + at}" for at in range(accounts))
    people = Handover(world)
    people.account(PAYER, Kind.PAYER)
    for number in numbers:
        people.account(number, Kind.MEMBER)
    cloud = Cloud()
    _furnish(cloud, world, numbers)
    timed = Timed({}, {})
    with _as_its_user(cloud), serving(cloud) as url:
        with_hands = partial(reaching, world, url) if over_http else partial(handy, world, cloud)
        work = Work(_wide(with_hands(), accounts), people, cloud)
        with timed.act("open"):
            case_id = work.open(numbers)
        with timed.act("plan"):
            for number in (*numbers, PAYER):
                work.plan(case_id, number)
        with timed.act("read"):
            view = work.world.vault.cases.work.get(people.chris.actor, case_id)
        assert len(view.scene.accounts) == accounts + 1
        people.until(PAYER_DAY)
        work.say(case_id, plan.BALANCE, "", prepares=True)
        half = accounts // 2
        before = len(cloud.calls)
        with timed.act("before"):
            work.each(case_id, BEFORE, numbers)
        with timed.act("go"):
            work.both(case_id, plan.GO, numbers)
        with timed.act("first half"):
            work.each(case_id, GIVING, numbers[:half])
        work.each(case_id, GIVING[:3], numbers[half : half + 1])  # and here the process is killed
        work = Work(_wide(with_hands(), accounts), people, cloud)
        with timed.act("after a kill"):
            left = work.left(case_id, plan.LAST_ROLE) - {PAYER}
        assert left == set(numbers[half:])
        with timed.act("second half"):
            work.each(case_id, GIVING, tuple(sorted(left)))
        calls = len(cloud.calls) - before
        with timed.act("release"):
            work.both(case_id, RELEASE, numbers)
        with timed.act("payer"):
            work.payer(view.scene.case)
        _end(work, timed, case_id, numbers)
    with world.vault.units.read() as unit:
        (newest,) = unit.log.page(EntryFilter(), Reach(everything=True), Slice(limit=1)).items
        released = sum(each.ended_at is not None for each in unit.cases.scene(view.scene.case).places)
    assert released == accounts + 1
    assert not over_http or not any(ROLE in cloud.accounts[number].roles for number in numbers)
    world.close()
    return Found(accounts, timed.seconds, timed.cpu, calls, newest.index)


def _end(work: Work, timed: Timed, case_id: str, numbers: tuple[str, ...]) -> None:
    """Have it acknowledged and destroyed, and read what proves it."""
    vault, actor = work.world.vault, work.people.chris.actor
    with timed.act("destroy"):
        work.say(case_id, ACKNOWLEDGE, "", work.letter(), prepares=True)
        closed = vault.releases.handed_over.once().closed
    assert closed == 1
    with timed.act("pack"):
        pack = vault.releases.packs.get(actor, case_id)
    assert len(pack.accounts) == len(numbers) + 1
    with timed.act("certificates"):
        for number in numbers:
            vault.certificates.get(actor, number)


@dataclass(frozen=True, slots=True)
class Timed:
    """How long acts took, by the clock and by this thread's own processor time."""

    seconds: dict[str, float]
    cpu: dict[str, float]

    @contextmanager
    def act(self, name: str) -> Iterator[None]:
        """Time one."""
        began, worked = time.perf_counter(), time.thread_time()
        yield
        self.seconds[name], self.cpu[name] = time.perf_counter() - began, time.thread_time() - worked


@dataclass(frozen=True, slots=True)
class Work:
    """One process's hands, and the people."""

    world: World
    people: Handover
    cloud: Cloud

    def open(self, numbers: tuple[str, ...]) -> str:
        """Open it with all that is known."""
        known = Information(
            tuple(handing(number) for number in (*numbers, PAYER)),
            signatory=SIGNATORY,
            contract_end=END,
            contact=CONTACT,
        )
        wish = HandoverWish(self.people.customer.id, "T-1", known)
        return self.world.vault.cases.handovers.open(self.people.chris.actor, wish).id

    def plan(self, case_id: str, number: str) -> None:
        """Give an account its day and what comes before it."""
        self.say(case_id, plan.DAY, number, {plan.AT: PAYER_DAY.isoformat()}, prepares=True)
        if number != PAYER:
            self.say(case_id, plan.BILLING, number)

    def each(self, case_id: str, steps: tuple[str, ...], numbers: tuple[str, ...]) -> None:
        """Do steps of accounts from wherever they stand, each step of all of them before the next."""
        for step in steps:
            for number in numbers:
                self.do(case_id, step, number)

    def left(self, case_id: str, step: str) -> set[str]:
        """Name the accounts of which a step is not done."""
        items = self.world.vault.cases.work.get(self.people.chris.actor, case_id).items
        return {each.account_id for each in items if each.step.name == step and each.done is None}

    def both(self, case_id: str, step: str, numbers: tuple[str, ...]) -> None:
        """Say both words of a step, a hundred accounts with one code."""
        many, olga, ada = self.world.vault.cases.many, self.people.olga, self.people.ada
        for start in range(0, len(numbers), MOST):
            part = numbers[start : start + MOST]
            said = many.attest(olga.actor, case_id, step, part, NOTE, olga.otp())
            seen = {each.account_id: each.item.done.at for each in said if each.item and each.item.done}
            agreed = many.agree(ada.actor, case_id, step, seen, ada.otp())
            assert [each.outcome for each in agreed] == [Outcome.SAID] * len(part), agreed

    def payer(self, case: CaseFile) -> None:
        """Hand the payer over, when its members are released: by hand in the console, and by the vault."""
        self.each(case.id, tuple(step for step in BEFORE if step != plan.PAYMENT), (PAYER,))
        self.both(case.id, plan.GO, (PAYER,))
        self.say(case.id, plan.BILLING_LAST, PAYER)
        self.people.lease(PAYER)
        self.each(case.id, (plan.ROOT_EMAIL, plan.ROOT_MFA, plan.INSTRUCTIONS), (PAYER,))
        self.people.reset(case, PAYER)
        self.each(case.id, OURS_OF_PAYER, (PAYER,))
        self.both(case.id, RELEASE, (PAYER,))

    def letter(self) -> dict[str, str]:
        """Give what stands in the signatory's letter."""
        today = self.world.clock.now().date().isoformat()
        return {SIGNED: SIGNATORY["name"], CONFIRMED_ON: today, WHERE: "ticket T-1"}

    def do(self, case_id: str, step: str, number: str) -> None:
        """Do one step, by whatever way there is; done before, it is done."""
        cases = self.world.vault.cases
        if cases.acts.able(CaseKind.HANDOVER, step):
            mailed = dict(self.cloud.mailed)
            code = {"code": mailed[email_of(number)]} if step == plan.EMAIL_ACCEPT else None
            if step == plan.EMAIL_START and self.cloud.accounts[number].email == email_of(number):
                return  # a code for it would be mailed anew
            self._run(case_id, step, number, code)
        else:
            self.say(case_id, step, number)

    def _run(self, case_id: str, step: str, number: str, code: dict[str, str] | None) -> None:
        """Have the vault do it; what a loaded machine did not answer in time is done again, as people would."""
        for turn in range(TURNS):
            try:
                self.world.vault.cases.acts.run(self.people.olga.actor, case_id, step, number, code)
            except Unavailable:
                if turn == TURNS - 1:
                    raise
            else:
                return

    def say(
        self,
        case_id: str,
        step: str,
        number: str,
        given: Mapping[str, str] = NOTE,
        *,
        prepares: bool = False,
    ) -> None:
        """Say one step."""
        who = self.people.chris if prepares else self.people.olga
        self.world.vault.cases.work.attest(who.actor, case_id, step, number, given)


def _furnish(cloud: Cloud, world: World, numbers: tuple[str, ...]) -> None:
    wanted = read_defaults(world.vault.settings)
    for number in (PAYER, *numbers):
        account = cloud.add(number, f"account {number}", f"root+{number}@msp.example", PAYER)
        furnish(account, wanted)
        live_in(account, "msp.example")
        let_in(account, ROLE, cloud.vault)
        account.standalone = True
        account.root.devices.append(f"arn:aws:iam::{number}:mfa/root")


def _wide(world: World, accounts: int) -> World:
    """Let a day take all of them."""
    kind = world.vault.cases.work.ground.kinds[CaseKind.HANDOVER]
    object.__setattr__(kind.calendars, "_capacity", accounts + 1)  # type: ignore[attr-defined]  # a handover has them
    return world


@contextmanager
def _as_its_user(cloud: Cloud) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in cloud.environment()}
    os.environ.update(cloud.environment())
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


def _aim(place: str, found: Mapping[int, Found]) -> Aim:
    each = {scale: sum(one.cpu[part] for part in DAY) / scale for scale, one in found.items()}
    least, most = (each[scale] for scale in (min(each), max(each)))
    words = f"{most / least - 1:+.0%} an account from the smallest case to the largest, by processor time"
    return Aim(f"{place}: an account costs about the same in a large case", most / least - 1 <= GROWS, words)
