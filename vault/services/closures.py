"""Closures: accounts that are closed at AWS, reopened within 90 days, or dead for ever (L1-L4).

Decided here: what a closure adds to what all cases have in common. Two people take an account into closing; from then
on its root opens for the closing alone. What a person closed as root is believed under a lease for it. The credentials
of a closed account stay sealed: nothing is destroyed, and nothing but broken glass opens them. A payer goes after its
members. Its root e-mail stays in the registry of all ever used, which refuses it for ever (L3).

Never decided here: when a closed account is dead (`vault.domain.closure`), or how AWS closes one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from vault.domain.account import CUSTODY, Custody, CustodyEvent, Model
from vault.domain.account import Kind as Of
from vault.domain.actor import system_actor
from vault.domain.case import CaseEvent, CaseKind, Field, Form, PlaceEvent, PlaceState
from vault.domain.checkout import CheckoutEvent, overdue
from vault.domain.closure import CLOSURE, REOPENABLE, Closure, ClosureEvent, ClosureState
from vault.domain.event import Event, EventType, stamp
from vault.domain.plans.closure import BEGIN, CLOSE, ENDS, NOTICE, ON, PLAN
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid
from vault.services.case_evidence import read
from vault.services.case_kinds import Kind, move_case, move_place
from vault.services.case_opening import Opening
from vault.services.factors import refusal
from vault.services.frozen import require_word
from vault.services.gate import refuse
from vault.services.handover_checks import check_free, check_thawed
from vault.services.leases import end, had_lease
from vault.services.payers import has_several_payers, members_of, payers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.account import Account, Customer
    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile, Done, Plan, Scene
    from vault.domain.event import Change
    from vault.errors import VaultError
    from vault.ports.calendar import Calendars
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.case_kinds import Given
    from vault.services.case_opening import CaseOpening
    from vault.services.factors import Factors
    from vault.services.gate import Gate

CLOSABLE: Final = frozenset({Custody.HELD, Custody.KEYLESS})
"""What can be closed: its root is ours, and it is not on its way somewhere."""
REASON: Final = "ACCT_CLOSE"
"""The reason under which root closes its own account."""
BATCH: Final = 50
REOPENING: Final = (
    Field("on", "The day on which AWS reopened it", Form.DATE),
    Field("where", "By which case with AWS Support, and where that can be seen", Form.LONG),
)
"""What is asked of whoever says that AWS reopened an account."""
_NOTE: Final = "the account is closed"
_LEFT: Final = frozenset(
    {
        Custody.ONBOARDING,
        Custody.HELD,
        Custody.KEYLESS,
        Custody.CLOSING,
        Custody.IN_TRANSFER,
        Custody.CUSTOMER_HELD,
    }
)
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class ClosureKind(Kind):
    """What a closure adds to what all cases have in common."""

    opens: ClassVar[Permission] = Permission.CLOSURE_MANAGE
    calendars: Calendars

    @property
    @override
    def plan(self) -> Plan:
        """What has to be done."""
        return PLAN

    @override
    def joins(self, unit: Unit, actor: Actor, customer: Customer, account: Account) -> VaultError | None:
        """Say why an account cannot be closed by us."""
        if account.custody in CLOSABLE:
            return None
        if account.custody is Custody.CUSTOMER_HELD or (
            account.model is Model.ECAM and account.kind is Of.MEMBER
        ):
            words = f"Account {account.id} is an ECAM member: its customer closes it (C2)."
            return Conflict("custody.customer_held", words, rule="C2", account=account.id)
        words = f"Account {account.id} is {account.custody}; only what is held, or keyless, is closed."
        return Conflict("case.account", words, account=account.id)

    @override
    def check(self, unit: Unit, actor: Actor, scene: Scene, given: Given, now: datetime) -> VaultError | None:
        """Say why a step cannot count yet."""
        if given.waiving or given.step.name not in {BEGIN, CLOSE}:
            return None
        account = scene.accounts[given.account_id]
        if given.step.name == BEGIN:
            return self._begin(unit, actor, scene, account, now)
        # what AWS closed already is written down, frozen or not
        done_at_aws = ON in given.evidence
        frozen = None if done_at_aws else check_thawed(unit, actor, account)
        return frozen or self._close(unit, scene, account, given.evidence, now)

    @override
    def follows(
        self, unit: Unit, actor: Actor, scene: Scene, done: Done, now: datetime
    ) -> tuple[Change, ...]:
        """Move custody into closing and on to closed; with the last account the case is done."""
        if done.step == BEGIN:
            account = _account(unit, done.account_id)
            told = _moved(unit, account, CustodyEvent.CLOSURE_STARTED)
            was = account.custody.value
            return (*told, *move_place(unit, scene.live[account.id], PlaceEvent.BEGUN, now, was=was)[1])
        return self._closed(unit, actor, scene, done, now) if done.step == CLOSE else ()

    @override
    def cancelled(self, unit: Unit, actor: Actor, scene: Scene, now: datetime) -> tuple[Change, ...]:
        """Give custody back to what it was; refused while somebody has one of the accounts, who may close it still."""
        event = Event(EventType.ACCESS_DENIED, actor, detail={"case": scene.case.id, "asked_for": "cancel"})
        told: list[Change] = []
        for number, place in scene.live.items():
            account = _account(unit, number)
            if account.custody is Custody.CLOSING:
                taken = check_free(unit, account, now)
                if taken is not None:
                    refuse(unit, replace(event, account_id=number), taken, now)
                told += _moved(unit, account, _back(place.was, CustodyEvent.CLOSURE_CANCELLED))
        return tuple(told)

    def _begin(
        self, unit: Unit, actor: Actor, scene: Scene, account: Account, now: datetime
    ) -> VaultError | None:
        """Say why an account cannot go into closing now."""
        against = self.joins(unit, actor, scene.customer, account) or check_thawed(unit, actor, account)
        if against is not None:
            return against
        ends = scene.given(account.id, NOTICE, ENDS)
        today = self.calendars.around(now).day(now)
        if ends and date.fromisoformat(ends) > today:
            words = f"L4: the notice of account {account.id} ends on {ends}; close it after that."
            return Conflict("case.rule", words, rule="L4", account=account.id)
        free = check_free(unit, account, now)
        if free is not None:
            return free
        if unit.rotations.unsettled(account.id):
            words = f"A rotation of account {account.id} is not settled; say first what AWS did with it."
            return Conflict("rotation.state", words, account=account.id)
        return None

    def _close(
        self, unit: Unit, scene: Scene, account: Account, evidence: Mapping[str, str], now: datetime
    ) -> VaultError | None:
        """Say why an account cannot be, or cannot have been, closed now."""
        if account.custody is not Custody.CLOSING:
            words = f"Account {account.id} is {account.custody}, not closing."
            return Conflict("case.account", words, account=account.id)
        left = _members_left(unit, scene, account)
        if left is not None or ON not in evidence:
            return left
        begun = scene.of(account.id, BEGIN)
        since = scene.case.opened_at if begun is None else begun.at
        calendar = self.calendars.around(now)
        day = date.fromisoformat(evidence[ON])
        if not calendar.day(since) <= day <= calendar.day(now):
            words = f"AWS closed it between {calendar.day(since)}, when that was agreed to, and today; not on {day}."
            return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{ON}", words),))
        return None if account.kind is Of.MEMBER else _under_lease(unit, account, since)

    def _closed(
        self, unit: Unit, actor: Actor, scene: Scene, done: Done, now: datetime
    ) -> tuple[Change, ...]:
        """Write that AWS closed an account, and until when it reopens it."""
        account, place = _account(unit, done.account_id), scene.live[done.account_id]
        claim = unit.checkouts.open_of(account.id)
        if claim is not None:
            end(unit, claim, overdue(claim, now) or CheckoutEvent.REVOKED, now, actor, _NOTE)
        at = _when(done, now)
        closure = Closure(
            scene.case.id,
            account.id,
            ClosureState.CLOSED,
            at,
            at + REOPENABLE,
            place.was or Custody.HELD.value,
        )
        unit.closures.add(closure)
        told = [*_moved(unit, account, CustodyEvent.CLOSED), *changes(None, closure)]
        told += move_place(unit, place, PlaceEvent.FINISHED, now)[1]
        others = (each for number, each in scene.live.items() if number != account.id)
        if all(each.state is PlaceState.DONE for each in others):
            told += move_case(unit, PLAN, scene.case, CaseEvent.FINISHED, now)[1]
        return tuple(told)


@dataclass(frozen=True, slots=True)
class ClosureView:
    """An account with its closings, the latest first, and the case in which it is being closed, if it is."""

    account: Account
    closures: tuple[Closure, ...]
    case: CaseFile | None
    now: datetime

    @property
    def last(self) -> Closure | None:
        """Its latest closing."""
        return self.closures[0] if self.closures else None


@dataclass(frozen=True, slots=True)
class Closures:
    """Use cases on closures; steps are said as in any case (`Casework`)."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock
    opening: CaseOpening

    def open(
        self, actor: Actor, account_id: str, ticket: str, others: tuple[str, ...] = (), cause: str = ""
    ) -> CaseFile:
        """Open the closure of an account and of others of its customer; the same cause again is the case there is."""
        with self.units.write() as unit:
            account = self.gate.account(unit, actor, account_id, self.clock.now())
        numbers = tuple(dict.fromkeys((account.id, *others)))
        return self.opening.open(
            actor, Opening(CaseKind.CLOSURE, account.customer_id, numbers, ticket, cause)
        )

    def of_account(self, actor: Actor, account_id: str) -> ClosureView:
        """Read an account's closings in sight, and where it is being closed."""
        now = self.clock.now()
        with self.units.read() as unit:
            account = self.gate.account(unit, actor, account_id, now)
            case = unit.cases.open_of((account.id,)).get(account.id)
            mine = case if case is not None and case.kind is CaseKind.CLOSURE else None
            return ClosureView(account, unit.closures.of(account.id), mine, now)

    def reopen(self, actor: Actor, account_id: str, given: Mapping[str, str], otp: str) -> Account:
        """Write that AWS reopened a closed account, with evidence; its custody is what it was.

        Raises `Conflict` custody.state once the 90 days are over, whether or not anything wrote that down, `Invalid`
        case.evidence, and what a factor raises.
        """
        now = self.clock.now()
        evidence = read(REOPENING, given)
        with self.units.write() as unit:
            account = self.gate.account(unit, actor, account_id, now, lock=True)
            self.gate.require(unit, actor, Permission.CLOSURE_MANAGE, now, account=account)
            subject = f"closure:{account.id}"
            denied = Event(EventType.ACCOUNT_REOPENED, actor, account_id=account.id, subject=subject)
            require_word(unit, actor, denied, now)
            closure = unit.closures.last(account.id)
            if closure is None or account.custody not in {Custody.CLOSED, Custody.DEAD}:
                words = f"Account {account.id} is {account.custody}, not closed."
                refuse(unit, denied, Conflict("custody.state", words, state=account.custody), now)
            if closure.state_at(now) is not ClosureState.CLOSED:
                words = f"L2: account {account.id} is dead since {stamp(closure.dead_at)}; nobody reopens it."
                refuse(unit, denied, Conflict("custody.state", words, rule="L2", state=Custody.DEAD), now)
            day = date.fromisoformat(evidence["on"])
            if not closure.closed_at.date() <= day <= now.date():
                words = f"It was reopened between {closure.closed_at.date()}, when it was closed, and today."
                raise Invalid("case.evidence", words, errors=(FieldError("/on", words),))
            actor = self.factors.check(unit, actor, otp, now, refusal(actor, account.id))
            told = list(_moved(unit, account, _back(closure.was, CustodyEvent.REOPENED)))
            state = CLOSURE.transitions[closure.state, ClosureEvent.REOPENED]
            after = replace(closure, state=state, ended_at=now, ended_by=actor.id, words=evidence["where"])
            unit.closures.update(after)
            told += changes(closure, after)
            detail = {"case": closure.case_id, "on": evidence["on"], "where": evidence["where"]}
            unit.log.record(replace(denied, actor=actor, rule="L2", changes=tuple(told), detail=detail), now)
            unit.commit()
        return replace(
            account, custody=CUSTODY.transitions[account.custody, _back(closure.was, CustodyEvent.REOPENED)]
        )


@dataclass(frozen=True, slots=True)
class ClosuresOver:
    """The worker's use case: closed accounts whose 90 days are over are dead, and that is told (L2)."""

    units: Units
    clock: Clock

    def once(self) -> int:
        """Write down those that are over; give how many."""
        now = self.clock.now()
        with self.units.read() as unit:
            due = unit.closures.over(now, BATCH)
        return sum(self._expire(each, now) for each in due)

    def _expire(self, due: Closure, now: datetime) -> int:
        actor = system_actor("closures")
        with self.units.write() as unit:
            account = unit.accounts.lock(due.account_id)
            closure = unit.closures.last(due.account_id)
            if account is None or closure is None or account.custody is not Custody.CLOSED:
                return 0
            if closure.state is not ClosureState.CLOSED or closure.state_at(now) is not ClosureState.DEAD:
                return 0
            state = CLOSURE.transitions[closure.state, ClosureEvent.EXPIRED]
            dead = replace(closure, state=state, ended_at=now, ended_by=actor.id)
            unit.closures.update(dead)
            told = (*_moved(unit, account, CustodyEvent.EXPIRED), *changes(closure, dead))
            detail = {"case": closure.case_id, "closed_at": stamp(closure.closed_at)}
            event = Event(EventType.ACCOUNT_DEAD, actor, account_id=account.id, rule="L2", changes=told)
            unit.log.record(replace(event, detail=detail), now)
            unit.commit()
        return 1


def _account(unit: Unit, account_id: str) -> Account:
    account = unit.accounts.get(account_id)
    if account is None:  # pragma: no cover - it is of the case, and its row is held
        message = f"there is no account {account_id}"
        raise LookupError(message)
    return account


def _moved(unit: Unit, account: Account, event: CustodyEvent) -> tuple[Change, ...]:
    moved = replace(account, custody=CUSTODY.transitions[account.custody, event])
    unit.accounts.update(moved)
    return changes(account, moved)


def _back(was: str, event: CustodyEvent) -> CustodyEvent:
    """Say by which event an account goes back to what it was."""
    return CustodyEvent.KEYLESS_AGAIN if was == Custody.KEYLESS.value else event


def _when(done: Done, now: datetime) -> datetime:
    """Give the moment from which the 90 days count: the end of the day that was said, now where the vault did it."""
    said = done.evidence.get(ON)
    if not said:
        return now
    return min(now, datetime.combine(date.fromisoformat(said) + timedelta(days=1), time(0), UTC))


def _under_lease(unit: Unit, account: Account, since: datetime) -> VaultError | None:
    """Say that nobody had a lease of the account for its closing since that was agreed to."""
    if had_lease(unit, account.id, REASON, since):
        return None
    words = (
        f"L1: root closes this account, under a lease. Ask for a checkout of account {account.id} with the reason "
        f"{REASON}, close it in the console, and say so then."
    )
    return Conflict("case.state", words, rule="L1", account=account.id)


def _members_left(unit: Unit, scene: Scene, account: Account) -> VaultError | None:
    """Refuse a payer while members of its customer are left: AWS closes a management account last.

    Of several payers each waits for those whom AWS says to be its own; AWS refuses the rest (CloseAccount).
    """
    if account.kind is not Of.PAYER:
        return None
    left = members_of(unit, scene.customer.id, _LEFT)
    if has_several_payers(unit, scene.customer.id):
        known = payers_of(unit, left)
        left = [each for each in left if known.get(each) == account.id]
    if not left:
        return None
    named = ", ".join(left[:_NAMED])
    words = f"L1: members go before their payer, and {len(left)} are left: {named}."
    return Conflict("case.rule", words, rule="L1", account=account.id)
