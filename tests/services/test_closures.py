"""Closures: a checklist, two people, the closing, 90 days, and never the address again (L1-L4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.replay import check_replay
from vault.crypto import totp
from vault.domain.account import Custody, Kind
from vault.domain.actor import Reach, Role, system_actor
from vault.domain.checkout import CheckoutState, Decision
from vault.domain.closure import REOPENABLE, ClosureState
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.event import Event, EventType
from vault.domain.health import Next
from vault.domain.outlook import Standing
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, Invalid, VaultError
from vault.ports.store import EntryFilter, Slice
from vault.services.accounts import AccountFacts
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.custody import Existing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.world import Human, World
    from vault.domain.account import Account
    from vault.domain.case import CaseFile
    from vault.domain.checkout import Checkout
    from vault.domain.outlook import Item

A, M, P = "111122223333", "222233334444", "999900001111"
WHERE: Final = {"where": "comment 3 of the ticket, by the customer"}
AGAIN: Final = {"on": "2026-11-30", "where": "case 4711 with AWS Support"}


@dataclass(frozen=True, slots=True)
class Bench:
    """A world with a custodian who closes, an approver who agrees, and operators."""

    world: World
    carla: Human
    ada: Human
    olga: Human

    def open(self, number: str, *others: str) -> CaseFile:
        """Open a closure."""
        return self.world.vault.cases.closures.open(self.carla.actor, number, "T-9", others)

    def say(
        self,
        case: CaseFile,
        step: str,
        number: str = A,
        who: Human | None = None,
        given: Mapping[str, str] | None = None,
    ) -> Item:
        """Say that a step is done."""
        who = who or self.carla
        otp = who.otp() if step == "begin" else ""
        return self.world.vault.cases.work.attest(who.actor, case.id, step, number, given, otp)

    def agree(self, case: CaseFile, number: str = A, who: Human | None = None) -> Item:
        """Say the second word."""
        who = who or self.ada
        return self.world.vault.cases.work.agree(who.actor, case.id, "begin", number, who.otp())

    def checklist(self, case: CaseFile, number: str = A, ends: str = "2026-11-20") -> None:
        """Say all that L4 names."""
        self.say(case, "notice", number, given={"ends": ends} | WHERE)
        for step in ("backups", "resources", "commitments"):
            self.say(case, step, number, given=WHERE)

    def begun(self, case: CaseFile, number: str = A) -> None:
        """Take an account into closing."""
        self.checklist(case, number)
        self.say(case, "begin", number)
        self.agree(case, number)

    def lease(self, number: str = A) -> Checkout:
        """Take the account out for its closing: two others agree."""
        vault = self.world.vault
        asked = vault.asking.ask(self.olga.actor, Ask(number, "ACCT_CLOSE", "T-9", "close it in the console"))
        for name in ("arno", "bea"):
            approver = self.world.human(name, Role.APPROVER)
            vault.approvals.decide(approver.actor, asked.id, Word(Decision.APPROVE), approver.otp())
        return vault.checkouts.step_up(self.olga.actor, asked.id, self.olga.otp())[0]

    def closed(self, case: CaseFile, number: str = A) -> Item:
        """Say that AWS closed it today."""
        today = f"{self.world.clock.now():%Y-%m-%d}"
        return self.say(case, "close", number, self.olga, {"on": today, "note": "seen in the console"})

    def account(self, number: str = A) -> Account:
        """Read an account."""
        with self.world.vault.units.read() as unit:
            found = unit.accounts.get(number)
        assert found is not None
        return found

    def done(self) -> CaseFile:
        """Close the one account to its end."""
        case = self.open(A)
        self.begun(case)
        lease = self.lease()
        self.closed(case)
        with self.world.vault.units.read() as unit:
            ended = unit.checkouts.get(lease.id)
        assert ended is not None
        assert ended.state is CheckoutState.REVOKED
        return case


@pytest.fixture
def bench(quick_world: World) -> Bench:
    quick_world.held(A)
    return bench_of(quick_world)


def bench_of(world: World) -> Bench:
    """Make the people."""
    carla, ada, olga = (
        world.human(name, role)
        for name, role in (("carla", Role.CUSTODIAN), ("arno", Role.APPROVER), ("olga", Role.OPERATOR))
    )
    world.human("bea", Role.APPROVER)
    return Bench(world, carla, ada, olga)


def hold(bench: Bench, number: str, kind: Kind) -> None:
    """Take another account of the customer into custody."""
    account = bench.world.account(number, kind)
    seed = totp.generate_seed().secret
    existing = Existing(account.root_email, Secret("Correct-Horse-7-Battery"), seed, attested=True)
    bench.world.vault.custodies.take_in(bench.carla.actor, number, existing, bench.carla.otp())


def told(bench: Bench, type_: EventType) -> int:
    """Count entries of a type."""
    with bench.world.vault.units.read() as unit:
        return len(unit.log.page(EntryFilter(type=type_), Reach(everything=True), Slice(50)).items)


def test_from_the_checklist_to_the_dead_end(world: World) -> None:
    world.held(A)
    bench = bench_of(world)
    case = bench.done()
    assert bench.account().custody is Custody.CLOSED
    view = world.vault.cases.closures.of_account(bench.carla.actor, A)
    assert view.last is not None
    assert (view.last.state, view.last.days_left(world.clock.now()), view.case) == (
        ClosureState.CLOSED,
        90,
        None,
    )
    with world.vault.units.read() as unit:
        found = unit.cases.get(case.id)
        labels = {each.label for kind in PartKind for each in unit.versions.of(A, kind)}
    assert found is not None
    assert (found.state, labels) == ("done", {VersionLabel.CURRENT})
    # nobody can rotate it, so nothing of it is due
    assert world.vault.healths.get(bench.carla.actor, A).health.next is Next.NOTHING
    world.clock.at = view.last.dead_at - timedelta(seconds=1)
    assert world.vault.closures_over.once() == 0
    assert view.last.days_left(world.clock.now()) == 1
    world.clock.advance(seconds=1)
    assert view.last.state_at(world.clock.now()) is ClosureState.DEAD
    assert world.vault.closures_over.once() == 1
    assert world.vault.closures_over.once() == 0
    assert bench.account().custody is Custody.DEAD
    assert told(bench, EventType.ACCOUNT_DEAD) == 1
    check_replay(world)


@pytest.mark.parametrize("left_out", ["notice", "backups", "resources", "commitments"])
def test_nothing_of_the_checklist_is_left_out(bench: Bench, left_out: str) -> None:
    case = bench.open(A)
    for step in ("notice", "backups", "resources", "commitments"):
        if step != left_out:
            bench.say(case, step, given=WHERE | ({"ends": "2026-11-20"} if step == "notice" else {}))
    with pytest.raises(Conflict) as refused:
        bench.say(case, "begin")
    assert refused.value.code == "case.state"


def test_each_of_the_checklist_wants_evidence_and_the_notice_its_end(bench: Bench) -> None:
    case = bench.open(A)
    with pytest.raises(Invalid):
        bench.say(case, "backups")
    bench.checklist(case, ends="2026-12-31")
    with pytest.raises(Conflict) as refused:
        bench.say(case, "begin")
    assert (refused.value.code, refused.value.facts["rule"]) == ("case.rule", "L4")
    bench.world.clock.advance(days=40)
    assert bench.say(case, "begin").standing is Standing.ASKED


def test_closing_takes_another_person_who_approves(bench: Bench) -> None:
    case = bench.open(A)
    bench.checklist(case)
    bench.say(case, "begin")
    assert bench.account().custody is Custody.HELD
    for who in (bench.carla, bench.olga):
        with pytest.raises(Forbidden):
            bench.agree(case, who=who)
    bench.agree(case)
    assert bench.account().custody is Custody.CLOSING


def test_what_is_in_use_is_not_taken_into_closing(bench: Bench) -> None:
    case = bench.open(A)
    bench.checklist(case)
    lease = bench.world.lease(bench.olga, A, "CRED_ROTATE")
    with pytest.raises(Conflict) as refused:
        bench.say(case, "begin")
    assert refused.value.code == "checkout.conflict"
    bench.world.vault.checkouts.check_in(bench.olga.actor, lease.id)
    bench.say(case, "begin")


def test_while_closing_its_root_opens_for_that_alone_and_closed_for_nothing(bench: Bench) -> None:
    case = bench.open(A)
    bench.begun(case)
    for reason in ("BILL_ROOT", "CRED_ROTATE", "HANDOVER"):
        with pytest.raises(VaultError):
            bench.world.ask(bench.olga, A, reason)
    bench.lease()
    bench.closed(case)
    for reason in ("ACCT_CLOSE", "BILL_ROOT", "INCIDENT", "CRED_ROTATE"):
        with pytest.raises(VaultError):
            bench.world.ask(bench.olga, A, reason)


def test_root_is_believed_under_a_lease_for_it_and_on_a_day_that_can_be(bench: Bench) -> None:
    case = bench.open(A)
    bench.begun(case)
    with pytest.raises(Conflict) as refused:
        bench.closed(case)
    assert refused.value.facts["rule"] == "L1"
    bench.lease()
    for day in ("2026-11-22", "2026-12-24"):
        with pytest.raises(Invalid):
            bench.say(case, "close", A, bench.olga, {"on": day, "note": "seen in the console"})
    with pytest.raises(Invalid):
        bench.say(case, "close", who=bench.olga)
    assert bench.closed(case).standing is Standing.DONE
    assert bench.closed(case).standing is Standing.DONE
    with pytest.raises(Conflict):
        bench.world.vault.cases.work.cancel(bench.carla.actor, case.id, "the customer changed their mind")


def test_a_cancelled_one_is_held_again(bench: Bench) -> None:
    case = bench.open(A)
    bench.begun(case)
    bench.world.vault.cases.work.cancel(bench.carla.actor, case.id, "the customer changed their mind")
    assert bench.account().custody is Custody.HELD
    bench.world.ask(bench.olga, A, "CRED_ROTATE")


def test_a_payer_goes_after_its_members(bench: Bench) -> None:
    hold(bench, P, Kind.PAYER)
    hold(bench, M, Kind.MEMBER)
    alone = bench.open(P)
    bench.begun(alone, P)
    bench.lease(P)
    with pytest.raises(Conflict) as refused:
        bench.closed(alone, P)
    assert (refused.value.code, refused.value.facts["rule"]) == ("case.rule", "L1")
    case = bench.open(M)
    bench.begun(case, M)
    bench.closed(case, M)
    assert bench.account(M).custody is Custody.CLOSED
    bench.closed(alone, P)
    assert bench.account(P).custody is Custody.CLOSED


def test_one_is_reopened_within_90_days_with_evidence_and_never_after(bench: Bench) -> None:
    bench.done()
    closures = bench.world.vault.cases.closures
    bench.world.clock.advance(days=10)
    with pytest.raises(Invalid):
        closures.reopen(bench.carla.actor, A, {"on": "2026-11-30"}, bench.carla.otp())
    with pytest.raises(Forbidden):
        closures.reopen(bench.olga.actor, A, AGAIN, bench.olga.otp())
    for day in ("2026-11-01", "2027-01-01"):
        with pytest.raises(Invalid):
            closures.reopen(bench.carla.actor, A, AGAIN | {"on": day}, bench.carla.otp())
    assert closures.reopen(bench.carla.actor, A, AGAIN, bench.carla.otp()).custody is Custody.HELD
    assert bench.account().custody is Custody.HELD
    with pytest.raises(Conflict):
        closures.reopen(bench.carla.actor, A, AGAIN, bench.carla.otp())
    bench.world.clock.advance(days=100)
    assert bench.world.vault.closures_over.once() == 0


def test_after_90_days_nobody_reopens_it_whether_or_not_the_worker_came(bench: Bench) -> None:
    bench.done()
    bench.world.clock.at += REOPENABLE
    with pytest.raises(Conflict) as refused:
        bench.world.vault.cases.closures.reopen(
            bench.carla.actor, A, AGAIN | {"on": "2027-02-20"}, bench.carla.otp()
        )
    assert (refused.value.code, refused.value.facts["rule"]) == ("custody.state", "L2")


def test_its_address_serves_no_other_account_ever(bench: Bench) -> None:
    address = bench.account().root_email
    bench.done()
    bench.world.clock.advance(days=400)
    bench.world.vault.closures_over.once()
    customer = bench.account().customer_id
    facts = replace(
        AccountFacts("again", "", bench.account().mailbox, bench.account().phone), root_email=address
    )
    with pytest.raises(Conflict) as refused:
        bench.world.vault.accounts.register(
            bench.carla.actor, "333344445555", customer, bench.account().model, Kind.STANDALONE, facts
        )
    assert refused.value.code == "custody.email_used"


def test_a_member_without_root_credentials_goes_back_to_that(bench: Bench) -> None:
    hold(bench, M, Kind.MEMBER)
    with bench.world.vault.units.write() as unit:
        account = unit.accounts.lock(M)
        assert account is not None
        keyless = replace(account, custody=Custody.KEYLESS)
        unit.accounts.update(keyless)
        event = Event(
            EventType.ACCOUNT_CHANGED, system_actor("test"), account_id=M, changes=changes(account, keyless)
        )
        unit.log.record(event, bench.world.clock.now())
        unit.commit()
    case = bench.open(M)
    bench.begun(case, M)
    bench.closed(case, M)
    bench.world.clock.advance(days=10)
    bench.world.vault.cases.closures.reopen(bench.carla.actor, M, AGAIN, bench.carla.otp())
    assert bench.account(M).custody is Custody.KEYLESS


def test_what_is_not_ours_is_not_closed_by_us(bench: Bench) -> None:
    bench.done()
    with pytest.raises(Conflict) as refused:
        bench.open(A)
    assert refused.value.code == "case.account"
