"""Asking for a handover, completing its information, its gates, and the days that its accounts could have (H1, H2).

Decided here: the names under which a person or a machine asks. What is given is held to the same rules as when it is
said step by step (`vault.services.handovers`), and a machine confirms nothing: it opens and follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vault.domain.case import CaseKind, PlaceState, StepState
from vault.domain.plans.handover import (
    CONTACT,
    CONTRACT,
    LEAVES,
    NEW_EMAIL,
    ORGANIZATION,
    SIGNATORY,
    SUCCESSORS,
)
from vault.domain.plans.release import RELEASE
from vault.errors import FieldError, Invalid, not_found
from vault.services.case_opening import Opening
from vault.services.handover_days import booked, nearest
from vault.services.handover_gates import GateSeen, gates_of

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile, Scene
    from vault.domain.outlook import Item
    from vault.ports.calendar import Calendars
    from vault.ports.clock import Clock
    from vault.ports.store import Units
    from vault.services.case_ground import CaseView
    from vault.services.case_opening import CaseOpening
    from vault.services.casework import Casework


@dataclass(frozen=True, slots=True)
class Handing:
    """One account as a handover is asked for: the customer's address for its root, and who gets mailbox and phone."""

    account_id: str
    root_email: str = ""
    mailbox: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Information:
    """What is known of a handover; what is empty is said later. `contract_end` is written as 2027-03-31."""

    accounts: tuple[Handing, ...] = ()
    signatory: Mapping[str, str] = field(default_factory=dict)
    contract_end: str = ""
    organization: str = ""
    contact: Mapping[str, str] = field(default_factory=dict)

    def steps(self) -> Mapping[tuple[str, str], Mapping[str, str]]:
        """Give the steps that something of is known, by account, with their evidence."""
        told: dict[tuple[str, str], Mapping[str, str]] = {}
        if self.signatory:
            told["", SIGNATORY] = self.signatory
        if self.contract_end:
            told["", CONTRACT] = {"end": self.contract_end}
        if self.organization:
            told["", ORGANIZATION] = {"goes": self.organization}
        if self.contact:
            told["", CONTACT] = self.contact
        for each in self.accounts:
            if each.root_email:
                told[each.account_id, NEW_EMAIL] = {"email": each.root_email}
            if each.mailbox or each.phone:
                told[each.account_id, SUCCESSORS] = {"mailbox": each.mailbox, "phone": each.phone}
        return told


@dataclass(frozen=True, slots=True)
class HandoverWish:
    """A handover as it is asked for; `order` names whatever it grew out of for who asks."""

    customer_id: str
    ticket: str
    known: Information
    order: str = ""


@dataclass(frozen=True, slots=True)
class FreeDay:
    """The opening of the free day nearest to the contract's end for an account that has none; None where none is."""

    account_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Handovers:
    """Use cases on handovers; steps are said as in any case (`Casework`)."""

    units: Units
    opening: CaseOpening
    work: Casework
    calendars: Calendars
    clock: Clock

    def open(self, actor: Actor, wish: HandoverWish) -> CaseFile:
        """Open a handover with what is known of it; asked again for the same order it is the one that there is.

        Where nobody says what becomes of an Organization, its members leave it (H7).
        """
        known = replace(wish.known, organization=wish.known.organization or LEAVES)
        numbers = tuple(each.account_id for each in known.accounts)
        return self.opening.open(
            actor,
            Opening(CaseKind.HANDOVER, wish.customer_id, numbers, wish.ticket, wish.order, known.steps()),
        )

    def complete(self, actor: Actor, case_id: str, known: Information) -> CaseView:
        """Say more of what has to be known, step by step; the same said again is the same."""
        self._handover(actor, case_id)
        for (number, step), evidence in known.steps().items():
            try:
                self.work.attest(actor, case_id, step, number, evidence)
            except Invalid as error:
                at = f"/accounts/{number}/{step}" if number else f"/{step}"
                error.errors = tuple(
                    FieldError(each.pointer.replace("/evidence", at, 1), each.detail) for each in error.errors
                )
                raise
        return self._handover(actor, case_id)

    def release(self, actor: Actor, case_id: str, account_id: str, otp: str, note: str = "") -> Item:
        """Say one of the two words of a release: the first where nobody did, the second to another's (H9)."""
        with self.units.read() as unit:
            case = unit.cases.get(case_id)
            said = None if case is None else unit.cases.scene(case).of(account_id, RELEASE)
        second = said is not None and said.by != actor.id and said.state is not StepState.FAILED
        if second:
            return self.work.agree(actor, case_id, RELEASE, account_id, otp)
        return self.work.attest(actor, case_id, RELEASE, account_id, {"note": note} if note else {}, otp)

    def gates(self, actor: Actor, case_id: str) -> tuple[GateSeen, ...]:
        """Say of each gate whether it is met, what is missing, and on whom it waits."""
        return gates_of(self._handover(actor, case_id))

    def free_days(self, actor: Actor, case_id: str) -> tuple[FreeDay, ...]:
        """Give each account in sight that has no day the free one nearest to the contract's end, members first.

        Nothing is booked by it: whoever comes first has the day (H2).
        """
        scene = self._handover(actor, case_id).scene
        now = self.clock.now()
        calendar = self.calendars.around(now)
        with self.units.read() as unit:
            taken = Counter(booked(unit, now, calendar))
        found = []
        for number, place in scene.live.items():
            if place.state is PlaceState.WAITING:
                at = nearest(scene, scene.accounts[number], now, calendar, taken)
                found.append(FreeDay(number, at))
                if at is not None:
                    taken[calendar.day(at)] += 1
                    scene = _with_day(scene, number, at)
        return tuple(found)

    def _handover(self, actor: Actor, case_id: str) -> CaseView:
        view = self.work.get(actor, case_id)
        if view.scene.case.kind is not CaseKind.HANDOVER:
            raise not_found("handover", case_id[:36])
        return view


def _with_day(scene: Scene, account_id: str, at: datetime) -> Scene:
    places = tuple(replace(each, day=at) if each.account_id == account_id else each for each in scene.places)
    return replace(scene, places=places)
