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
    PAYER,
    PLAN,
    SIGNATORY,
    SUCCESSORS,
    UNDER,
)
from vault.domain.plans.release import RELEASE
from vault.errors import FieldError, Invalid
from vault.services.case_evidence import fields_of, read, stray_payer
from vault.services.case_opening import Opening, pointed
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
    """One account as a handover is asked for: the customer's address for its root, and who gets mailbox and phone.

    `payer` is the number of a member's payer, where the handover has several.
    """

    account_id: str
    root_email: str = ""
    mailbox: str = ""
    phone: str = ""
    payer: str = ""


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
            if each.payer:
                told[each.account_id, UNDER] = {PAYER: each.payer}
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
        """Say more of what has to be known, step by step; the same said again is the same.

        Nothing is said before all of it can be read. What a case does not ask for is left out, as at the opening.
        """
        told = _readable(self._handover(actor, case_id).scene, known)
        for (number, step), evidence in told.items():
            try:
                self.work.attest(actor, case_id, step, number, evidence)
            except Invalid as error:
                error.errors = pointed(error.errors, number, step)
                raise
        return self._handover(actor, case_id)

    def release(
        self,
        actor: Actor,
        case_id: str,
        account_id: str,
        otp: str,
        note: str = "",
        at: datetime | None = None,
    ) -> Item:
        """Say one of the two words of a release: the first where nobody did, the second to another's (H9).

        The second one carries when the first was said (`at`), as whoever agrees saw it.

        Raises `Invalid` input.invalid where that is missing, and as `Casework` does.
        """
        with self.units.read() as unit:
            case = unit.cases.get(case_id)
            said = None if case is None else unit.cases.scene(case).of(account_id, RELEASE)
        second = said is not None and said.by != actor.id and said.state is not StepState.FAILED
        if second:
            if at is None:
                words = "Another person said the first word: send the step's `at`, as it was shown to you."
                raise Invalid("input.invalid", words, errors=(FieldError("/at", words),))
            return self.work.agree(actor, case_id, RELEASE, account_id, otp, at)
        return self.work.attest(actor, case_id, RELEASE, account_id, {"note": note} if note else {}, otp)

    def gates(self, actor: Actor, case_id: str) -> tuple[GateSeen, ...]:
        """Say of each gate whether it is met, what is missing, and on whom it waits."""
        now = self.clock.now()
        return gates_of(self._handover(actor, case_id), now, self.calendars.around(now))

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
        return self.work.get(actor, case_id, CaseKind.HANDOVER)


def _readable(scene: Scene, known: Information) -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Give what a case asks for of what is told; every field that cannot be read is named."""
    errors = [
        FieldError(f"/accounts/{each.account_id}", "This account is not in the handover; leave it out.")
        for each in known.accounts
        if scene.place(each.account_id) is None
    ]
    told = {}
    for (number, name), evidence in known.steps().items():
        step = PLAN.step(name)
        assert step is not None  # noqa: S101 - the plan's own names
        try:
            read(fields_of(step), evidence)
        except Invalid as error:
            errors += pointed(error.errors, number, name)
        if number and scene.place(number) is None:
            continue
        if step.applies(scene.seen(number)):
            told[number, name] = evidence
        else:
            errors += pointed(stray_payer(scene, PLAN, number, name, evidence), number, name)
    if errors:
        raise Invalid("case.evidence", errors[0].detail, errors=tuple(errors))
    return told


def _with_day(scene: Scene, account_id: str, at: datetime) -> Scene:
    places = tuple(replace(each, day=at) if each.account_id == account_id else each for each in scene.places)
    return replace(scene, places=places)
