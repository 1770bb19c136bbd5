"""Handovers: what they add to what all cases have in common (H1-H9, C5).

Decided here: what follows from each step. When all information and the signatory are there a handover is prepared, with
a day for each account scheduled, with the first account's begin in progress. An account in progress is in transfer: its
root opens for the handover alone. With the contact information its phone changes hands, with the root e-mail its
mailbox. Cancelled before anything irreversible, custody is what it was. Never decided here: the order of the steps
(`vault.domain.plans.handover`), and what follows from the release (`releasing`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from vault.domain.account import CUSTODY, Custodian, Custody, CustodyEvent
from vault.domain.actor import ActorKind
from vault.domain.case import (
    HandoverEvent,
    HandoverState,
    PlaceEvent,
    PlaceState,
    Scene,
    StepState,
)
from vault.domain.days_of_business import read_moment
from vault.domain.event import Event, EventType
from vault.domain.plans.handover import (
    AT,
    BEGIN,
    CONTACT,
    CONTACTS,
    CONTRACT,
    CTA_AWS,
    CTA_INDIA,
    DAY,
    ELSEWHERE,
    EMAIL_ACCEPT,
    FOR_ROOT,
    GO,
    NEW_EMAIL,
    PAYER,
    PLAN,
    ROOT_EMAIL,
    SIGNATORY,
    UNDER,
)
from vault.domain.plans.release import RELEASE
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Forbidden, VaultError
from vault.services.case_kinds import Kind, move_case, move_place
from vault.services.gate import refuse
from vault.services.handover_checks import (
    check_begin,
    check_contact,
    check_email,
    check_explained,
    check_free,
    check_members,
    check_reviewed,
    check_root,
    check_signed,
    check_thawed,
    check_under,
    why_not_ours,
)
from vault.services.handover_days import check_day, check_hours, check_today

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.account import Account, Customer
    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile, Done, Plan
    from vault.domain.event import Change
    from vault.ports.calendar import Calendars
    from vault.ports.store import Unit
    from vault.services.case_kinds import Given
    from vault.services.releasing import Releasing

INFORMATION: Final = frozenset({SIGNATORY, CONTRACT, NEW_EMAIL})
"""What has to be known before a handover is prepared (H1)."""
_MAILBOX: Final = frozenset({EMAIL_ACCEPT, ROOT_EMAIL})
_POINTS: Final = frozenset({GO, EMAIL_ACCEPT, ROOT_EMAIL})
"""What gives the account away: in business hours, and a payer's never before the 16th."""


@dataclass(frozen=True, slots=True)
class HandoverKind(Kind):
    """What a handover adds to what all cases have in common."""

    opens: ClassVar[Permission] = Permission.HANDOVER_OPEN
    calendars: Calendars
    releasing: Releasing

    @property
    @override
    def plan(self) -> Plan:
        """What has to be done."""
        return PLAN

    @override
    def joins(self, unit: Unit, actor: Actor, customer: Customer, account: Account) -> VaultError | None:
        """Say why an account cannot be handed over."""
        return why_not_ours(account)

    @override
    def check(self, unit: Unit, actor: Actor, scene: Scene, given: Given, now: datetime) -> VaultError | None:
        """Say why a step cannot count yet."""
        if given.waiving:
            return None
        name, evidence = given.step.name, given.evidence
        calendar = self.calendars.around(now)
        if name in {CTA_AWS, CTA_INDIA}:
            return check_signed(evidence, calendar.day(now))
        if name == CONTACT:
            return check_contact(evidence)
        if not given.account_id:
            return self.releasing.check(unit, scene, given, now)
        account = scene.accounts[given.account_id]
        if name in {NEW_EMAIL, UNDER}:
            return _check_known(unit, scene, account, name, evidence)
        if name == DAY:
            return check_day(unit, scene, account, evidence, now, calendar)
        if name == BEGIN:
            place = scene.live[account.id]
            elsewhere = evidence.get(ELSEWHERE, "")
            return check_begin(unit, actor, scene, account, elsewhere, now) or check_today(
                scene, account, place, now, calendar
            )
        if name in _POINTS:
            against = check_hours(scene, account, now, calendar) or check_thawed(unit, actor, account)
            if against is not None:
                return against
        if name == GO:
            return (
                check_members(unit, scene, account, scene.given(account.id, BEGIN, ELSEWHERE))
                or check_reviewed(unit, account)
                or check_explained(unit, account)
            )
        if name in FOR_ROOT:
            return check_root(unit, scene, account)
        if name == RELEASE:
            against = (
                check_thawed(unit, actor, account)
                or check_free(unit, account, now)
                or check_reviewed(unit, account)
            )
            if against is not None:
                return against
        return self.releasing.check(unit, scene, given, now)

    @override
    def follows(
        self, unit: Unit, actor: Actor, scene: Scene, done: Done, now: datetime
    ) -> tuple[Change, ...]:
        """Write what follows from a settled step."""
        if done.step in INFORMATION:
            return _prepared(unit, scene, now)
        if done.step == DAY and done.state is StepState.DONE:
            return self._scheduled(unit, scene, done, now)
        if done.step == BEGIN:
            return _begun(unit, scene, done, now)
        if done.step == CONTACTS:
            return _changed(unit, done.account_id, phone=Custodian.CUSTOMER)
        if done.step in _MAILBOX:
            address = scene.given(done.account_id, NEW_EMAIL, "email")
            return _changed(unit, done.account_id, root_email=address, mailbox=Custodian.CUSTOMER)
        return self.releasing.follows(unit, actor, scene, done, now)

    @override
    def cancelled(self, unit: Unit, actor: Actor, scene: Scene, now: datetime) -> tuple[Change, ...]:
        """Give custody back as it was; refuse a machine, and while somebody has one of the accounts."""
        event = Event(EventType.ACCESS_DENIED, actor, detail={"case": scene.case.id, "asked_for": "cancel"})
        if actor.kind is ActorKind.MACHINE:
            words = "A machine opens and follows handovers; a person cancels one."
            refuse(unit, event, Forbidden("policy.denied", words, rule=Permission.HANDOVER_PREPARE), now)
        told: list[Change] = []
        for number, place in scene.live.items():
            account = scene.accounts[number]
            if place.state is not PlaceState.IN_PROGRESS or account.custody is not Custody.IN_TRANSFER:
                continue
            taken = check_free(unit, account, now)
            if taken is not None:
                refuse(unit, replace(event, account_id=number), taken, now)
            way = CustodyEvent.HANDOVER_CANCELLED
            if place.was == Custody.KEYLESS:
                way = CustodyEvent.KEYLESS_AGAIN
            back = replace(account, custody=CUSTODY.transitions[account.custody, way])
            unit.accounts.update(back)
            told += changes(account, back)
        return tuple(told)

    def _scheduled(self, unit: Unit, scene: Scene, done: Done, now: datetime) -> tuple[Change, ...]:
        """Plan an account's day; with the last one the handover is scheduled."""
        zone = self.calendars.around(now).hours.zone
        place = scene.live[done.account_id]
        planned, told = move_place(
            unit, place, PlaceEvent.SCHEDULED, now, day=read_moment(done.evidence[AT], zone)
        )
        return (*told, *_all_planned(unit, scene, scene.case, {planned.account_id}, now))


def _check_known(
    unit: Unit, scene: Scene, account: Account, step: str, evidence: Mapping[str, str]
) -> VaultError | None:
    """Say what speaks against what is told of one account."""
    if step == UNDER:
        return check_under(unit, scene, account, evidence[PAYER])
    return check_email(unit, scene, account, evidence["email"])


def onward(unit: Unit, scene: Scene, now: datetime) -> tuple[Change, ...]:
    """Take a handover as far as what is known leads, of all accounts that are not at their end."""
    if scene.case.state == HandoverState.PREPARED:
        return _all_planned(unit, scene, scene.case, set(), now)
    return _prepared(unit, scene, now)


def _prepared(unit: Unit, scene: Scene, now: datetime) -> tuple[Change, ...]:
    """Call a handover prepared once all information is there, and scheduled where every account has its day."""
    if scene.case.state != HandoverState.REQUESTED:
        return ()
    whole = unit.cases.scene(scene.case) if scene.near else scene
    known = all(_is_known(whole, "", step) for step in (SIGNATORY, CONTRACT))
    left = (number for number, place in whole.live.items() if place.state is not PlaceState.DONE)
    if not known or not all(_is_known(whole, number, NEW_EMAIL) for number in left):
        return ()
    case, told = move_case(unit, PLAN, scene.case, HandoverEvent.COMPLETED, now)
    return (*told, *_all_planned(unit, scene, case, set(), now))


def _is_known(scene: Scene, number: str, step: str) -> bool:
    found = scene.of(number, step)
    return found is not None and found.settled


def _all_planned(
    unit: Unit, scene: Scene, case: CaseFile, just: set[str], now: datetime
) -> tuple[Change, ...]:
    """Call a prepared handover scheduled once every account has its day."""
    waits = (number for number, place in scene.live.items() if place.state is PlaceState.WAITING)
    if case.state != HandoverState.PREPARED or any(number not in just for number in waits):
        return ()
    return move_case(unit, PLAN, case, HandoverEvent.SCHEDULED, now)[1]


def _begun(unit: Unit, scene: Scene, done: Done, now: datetime) -> tuple[Change, ...]:
    """Put an account in transfer; with the first one the handover is in progress."""
    account, place = scene.accounts[done.account_id], scene.live[done.account_id]
    custody = CUSTODY.transitions[account.custody, CustodyEvent.HANDOVER_STARTED]
    moved = replace(account, custody=custody)
    unit.accounts.update(moved)
    told = [*changes(account, moved)]
    told += move_place(unit, place, PlaceEvent.BEGUN, now, was=account.custody.value)[1]
    if scene.case.state == HandoverState.SCHEDULED:
        told += move_case(unit, PLAN, scene.case, HandoverEvent.BEGUN, now)[1]
    return tuple(told)


def _changed(unit: Unit, account_id: str, **facts: object) -> tuple[Change, ...]:
    """Write what changed hands of an account."""
    account = unit.accounts.lock(account_id)
    assert account is not None  # noqa: S101 - its row is held by now
    moved = replace(account, **facts)  # type: ignore[arg-type]  # the callers' own field names
    unit.accounts.update(moved)
    return changes(account, moved)
