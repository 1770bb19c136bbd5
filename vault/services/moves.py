"""Moves: accounts of one customer become another's, in a case with steps (D1).

Decided here: what speaks against each step beyond the plan's order. The day is a business day, 14 business days
after the customer asked, in a quarter's window or with a fee that two people recorded for this very day; members move
with their payer unless it is said what stays; both people of the move have power over both customers; nothing leaves a
customer that is frozen, because two people lift a freeze and no move does. All of it is asked again at the move.
Never decided here: what is written then (`moving`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from vault.domain.account import Custody
from vault.domain.account import Kind as Of
from vault.domain.actor import Scope, ScopeKind
from vault.domain.case import CaseEvent, CaseKind, Scene, StepState
from vault.domain.days_of_business import Why, why_no_move
from vault.domain.ids import is_ddi
from vault.domain.plans.move import (
    ACCEPTANCE,
    CONSENT,
    DAY,
    FEE,
    MOVE,
    ORGANIZATION,
    PARTS,
    REQUEST,
    move_plan,
    read_day,
)
from vault.domain.policy import Permission
from vault.errors import Conflict, FieldError, Forbidden, Invalid, VaultError, not_found
from vault.ports.cases import CaseFilter
from vault.ports.records import Slice
from vault.services.case_kinds import Kind, move_case
from vault.services.case_opening import Opening
from vault.services.deciding import meanwhile
from vault.services.frozen import frozen
from vault.services.moving import Foreseen, foresee, leaving_freeze, move_accounts, schedule
from vault.services.sight import word_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.account import Account, Customer
    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile, Done, Plan
    from vault.domain.days_of_business import Calendar, Objection
    from vault.domain.event import Change
    from vault.ports.calendar import Calendars
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.case_ground import CaseView
    from vault.services.case_kinds import Given
    from vault.services.case_opening import CaseOpening
    from vault.services.casework import Casework
    from vault.services.gate import Gate

MOVABLE: Final = frozenset({Custody.HELD, Custody.KEYLESS, Custody.CUSTOMER_HELD})
"""What can be moved: what is ours to hold or to know of, and not on its way somewhere."""
SHOWN: Final = 50
"""Moves of one account that are listed."""


@dataclass(frozen=True)
class MoveKind(Kind):
    """What a move adds to what all cases have in common."""

    opens: ClassVar[Permission] = Permission.MOVE_MANAGE
    gate: Gate
    calendars: Calendars

    @cached_property
    @override
    def plan(self) -> Plan:
        """What has to be done."""
        return move_plan(self.calendars.windows)

    @override
    def joins(self, unit: Unit, actor: Actor, customer: Customer, account: Account) -> VaultError | None:
        """Say why an account cannot be moved."""
        if account.custody in MOVABLE:
            return None
        words = (
            f"Account {account.id} is {account.custody}; only what is held, keyless or the customer's moves."
        )
        return Conflict("case.account", words, account=account.id)

    @override
    def check(self, unit: Unit, actor: Actor, scene: Scene, given: Given, now: datetime) -> VaultError | None:
        """Say why a step cannot count yet."""
        name, evidence = given.step.name, given.evidence
        today = self.calendars.around(now).day(now)
        if name == REQUEST:
            return _late("requested", evidence, today) or self._target(unit, actor, scene, evidence["to"])
        if name == DAY:
            return self._day(scene, evidence["day"], now)
        if name in {CONSENT, ACCEPTANCE}:
            return _late("given", evidence, today)
        if name == ORGANIZATION:
            return _whole(unit, scene, evidence)
        return self._move(unit, actor, scene, now) if name == MOVE else None

    @override
    def follows(
        self, unit: Unit, actor: Actor, scene: Scene, done: Done, now: datetime
    ) -> tuple[Change, ...]:
        """Move the accounts once two people said so; what has its day stands in the calendar."""
        if done.step == DAY:
            opening = self.calendars.around(now).opening(date.fromisoformat(done.evidence["day"]))
            schedule(unit, actor, scene, opening, now)
        if done.step != MOVE:
            return ()
        target = _to(unit, scene)
        if target is None or done.second_by is None:
            raise meanwhile()
        move_accounts(unit, self.gate.policy, actor, scene, target, now)
        # the log's head is held by now: a freeze or a lost power that came before these entries is seen
        scope = Scope(ScopeKind.CUSTOMER, target.id)
        words = ((done.by, Permission.MOVE_MANAGE), (done.second_by, Permission.MOVE_AGREE))
        count = all(word_counts(unit, self.gate.policy, who, may, scope, now) for who, may in words)
        if not count or leaving_freeze(unit, scene.customer.id) is not None:
            raise meanwhile()
        return move_case(unit, self.plan, scene.case, CaseEvent.FINISHED, now)[1]

    @override
    def cancelled(self, unit: Unit, actor: Actor, scene: Scene, now: datetime) -> tuple[Change, ...]:
        """Nothing was changed that goes back."""
        return ()

    def _target(self, unit: Unit, actor: Actor, scene: Scene, ddi: str) -> VaultError | None:
        """Say why accounts cannot move to a customer: it is out of reach, not there, or theirs already."""
        found = unit.customers.by_ddi(ddi) if is_ddi(ddi) else None
        second = scene.of("", MOVE)
        is_second = second is not None and second.state is StepState.ASKED and second.by != actor.id
        may = Permission.MOVE_AGREE if is_second else Permission.MOVE_MANAGE
        if found is None or not self.gate.policy.reach(actor, Permission.ACCOUNT_READ).covers(found.id):
            return not_found("customer", ddi[:36])
        if found.id == scene.customer.id:
            return Conflict("case.account", f"The accounts are customer {ddi}'s already.")
        if not self.gate.policy.reach(actor, may).covers(found.id):
            words = (
                f"Your {may} does not reach customer {ddi}; somebody has to say so who has both customers."
            )
            return Forbidden("policy.denied", words, rule=may)
        return None

    def _day(self, scene: Scene, text: str, now: datetime, *, fee: bool = True) -> VaultError | None:
        """Say why a day is none for a move, but for the window where a fee may be approved."""
        requested = scene.given("", REQUEST, "requested")
        if not requested:
            return Conflict("case.state", "First say when the customer asked for it.")
        for each in self._against(date.fromisoformat(text), requested, now):
            if each.why is not Why.WINDOW or not fee:
                return Conflict("case.rule", f"{each.rule}: {each.words}", rule=each.rule)
        return None

    def _against(self, day: date, requested: str, now: datetime) -> tuple[Objection, ...]:
        calendar = self.calendars.around(now)
        return why_no_move(day, _midnight(requested, calendar), now, self.calendars.windows, calendar)

    def _move(self, unit: Unit, actor: Actor, scene: Scene, now: datetime) -> VaultError | None:
        """Say why the accounts cannot move now."""
        day = read_day(scene.given("", DAY, "day"))
        today = self.calendars.around(now).day(now)
        if day != today:
            words = (
                f"The move is on {day}, and today is {today}. Move it on its day, or say another day first."
            )
            return Conflict("case.rule", words, rule="D1")
        against = self._day(scene, day.isoformat(), now, fee=self._paid(scene))
        if against is None:
            against = self._target(unit, actor, scene, scene.given("", REQUEST, "to"))
        organization = scene.of("", ORGANIZATION)
        if against is None and organization is not None:
            against = _whole(unit, scene, organization.evidence)
        if against is not None:
            return against
        for number in scene.live:
            account = scene.accounts[number]
            if account.customer_id != scene.customer.id or account.custody not in MOVABLE:
                words = f"Account {number} is {account.custody}, and not to be moved as it is."
                return Conflict("case.account", words, account=number)
        freeze = leaving_freeze(unit, scene.customer.id)
        return None if freeze is None else frozen(freeze)

    def _paid(self, scene: Scene) -> bool:
        """Say whether the fee was approved for the day as it is now."""
        fee, day = scene.of("", FEE), scene.of("", DAY)
        return fee is not None and fee.settled and day is not None and fee.at >= day.at


@dataclass(frozen=True, slots=True)
class Wish:
    """A move as it is asked for; days are written as 2027-03-15. `accounts` are further ones beside the first."""

    to: str
    day: str
    requested: str
    by: str
    ticket: str
    accounts: tuple[str, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True)
class MoveView:
    """A move with where it waits; `foreseen` is what it would change now, None where it is over or not decided."""

    case: CaseView
    foreseen: Foreseen | None


@dataclass(frozen=True, slots=True)
class Moves:
    """Use cases on moves; steps are said as in any case (`Casework`)."""

    units: Units
    gate: Gate
    clock: Clock
    opening: CaseOpening
    work: Casework

    def ask(self, actor: Actor, account_id: str, wish: Wish) -> CaseFile:
        """Open a move of an account and those that go with it, as the customer asked."""
        now = self.clock.now()
        with self.units.write() as unit:  # an attempt on what is not there, or another's, is recorded
            account = self.gate.account(unit, actor, account_id, now, lock=True)
        given: Mapping[tuple[str, str], Mapping[str, str]] = {
            ("", REQUEST): {"to": wish.to, "requested": wish.requested, "by": wish.by},
            ("", DAY): {"day": wish.day},
        }
        numbers = tuple(dict.fromkeys((account.id, *wish.accounts)))
        return self.opening.open(
            actor, Opening(CaseKind.MOVE, account.customer_id, numbers, wish.ticket, wish.cause, given)
        )

    def of_account(self, actor: Actor, account_id: str) -> tuple[MoveView, ...]:
        """List an account's moves in sight, the newest first."""
        with self.units.read() as unit:
            account = unit.accounts.get(account_id)
        reach = self.gate.policy.reach(actor, Permission.CASE_READ)
        if account is None or not reach.covers(account.customer_id, account.id):
            raise not_found("account", account_id)
        wanted = CaseFilter(kind=CaseKind.MOVE, account_id=account.id)
        found = self.work.page(actor, wanted, Slice(SHOWN)).items
        return tuple(MoveView(each, self.foreseen(each.scene)) for each in found)

    def foreseen(self, scene: Scene) -> Foreseen | None:
        """Say what a move in sight would change now; None where it is over."""
        if not scene.case.is_open:
            return None
        with self.units.read() as unit:
            target = _to(unit, scene)
            if target is None:
                return None
            live = (scene.accounts[number] for number in scene.live)
            return foresee(unit, self.gate.policy, live, target, self.clock.now())


def _to(unit: Unit, scene: Scene) -> Customer | None:
    ddi = scene.given("", REQUEST, "to")
    return unit.customers.by_ddi(ddi) if ddi else None


def _late(name: str, evidence: Mapping[str, str], today: date) -> VaultError | None:
    if date.fromisoformat(evidence[name]) <= today:
        return None
    words = f"That day is still to come; today is {today}."
    return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{name}", words),))


def _midnight(day: str, calendar: Calendar) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(0), calendar.hours.zone)


def _whole(unit: Unit, scene: Scene, evidence: Mapping[str, str]) -> VaultError | None:
    """Say why an Organization does not move whole by what is known here, or why parts of it cannot stay unsaid."""
    if evidence["goes"] == PARTS:
        if evidence.get("words"):
            return None
        words = "Say why parts stay, and who pays the bill."
        return Invalid("case.evidence", words, errors=(FieldError("/evidence/words", words),))
    left = [
        each
        for each in unit.inspections.scene(scene.customer.id, ()).values()
        if each.customer_id == scene.customer.id and each.id not in scene.live and each.custody in MOVABLE
    ]
    payers = [each for each in left if each.kind is Of.PAYER]
    members = [each for each in left if each.kind is Of.MEMBER]
    going = {scene.accounts[number].kind for number in scene.live}
    if Of.PAYER in going and members and not payers:
        return _parted(members)
    return _parted(payers) if Of.PAYER not in going and Of.MEMBER in going and payers else None


def _parted(left: list[Account]) -> Conflict:
    named = ", ".join(sorted(each.id for each in left)[:5])
    words = (
        f"Members move with their payer, and {len(left)} of the Organization would stay: {named}. Put them into the "
        f"move, or say that parts stay."
    )
    return Conflict("case.rule", words, rule="D1")
