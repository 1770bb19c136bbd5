"""Customers: register, change, read (C1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.account import Customer
from vault.domain.actor import EVERYTHING, Reach
from vault.domain.case import CaseKind
from vault.domain.checkout import CheckoutState, overdue
from vault.domain.event import Event, EventType
from vault.domain.ids import is_ddi, new_id
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, not_found
from vault.ports.cases import CaseFilter
from vault.ports.store import CheckoutFilter, Slice
from vault.services.gate import Gate, refuse
from vault.services.leases import shorten

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout
    from vault.ports.clock import Clock
    from vault.ports.store import Page, Unit, Units

NAME_MAX = 200
SHORTEST_LIMIT = 60
LONGEST_LIMIT = 86_400
_LIMITS = ("session_idle_seconds", "session_max_seconds")


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What can be said of a customer; in a change, None leaves as it is, and 0 takes a limit away."""

    name: str | None = None
    public_sector: bool | None = None
    aws_india: bool | None = None
    session_idle_seconds: int | None = None
    session_max_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Customers:
    """Use cases on customers."""

    units: Units
    gate: Gate
    clock: Clock

    def register(self, actor: Actor, ddi: str, facts: CustomerFacts) -> Customer:
        """Register a customer under its DDI; `Conflict` customer.exists where it is known."""
        errors = _wrong(facts, new=True)
        if not is_ddi(ddi):
            errors = (FieldError("/ddi", "Give the customer's DDI number: digits only."), *errors)
        _check(errors)
        now = self.clock.now()
        customer = Customer(
            id=new_id(),
            ddi=ddi,
            name=(facts.name or "").strip(),
            public_sector=bool(facts.public_sector),
            aws_india=bool(facts.aws_india),
            session_idle_seconds=facts.session_idle_seconds or None,
            session_max_seconds=facts.session_max_seconds or None,
            created_at=now,
        )
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.ACCOUNT_REGISTER, now)
            # a grant that reaches single customers or accounts does not reach new ones
            self.gate.require(unit, actor, Permission.ACCOUNT_REGISTER, now, customer_id=customer.id)
            add_customer(unit, actor, customer, now)
            unit.commit()
        return customer

    def change(self, actor: Actor, customer_id: str, facts: CustomerFacts) -> Customer:
        """Change what is given, leave the rest; limits bind sessions and leases that are open already (U3)."""
        _check(_wrong(facts, new=False))
        now = self.clock.now()
        with self.units.write() as unit:
            leases = _claimed(unit, customer_id, now) if facts.session_max_seconds else ()
            customer = unit.customers.lock(customer_id)
            if customer is None or not self.gate.policy.reach(actor, Permission.ACCOUNT_READ).covers(
                customer.id
            ):
                raise not_found("customer", customer_id[:36])
            self.gate.require(unit, actor, Permission.ACCOUNT_REGISTER, now, customer_id=customer.id)
            given = {name: getattr(facts, name) for name in CustomerFacts.__slots__}
            said = {name: value for name, value in given.items() if value is not None}
            limits = {name: value or None for name, value in said.items() if name in _LIMITS}
            changed = replace(customer, **(said | limits))
            _keep_gates(unit, actor, customer, changed, now)
            unit.customers.update(changed)
            names = ", ".join(name for name, value in given.items() if value is not None)
            detail = {"customer": customer.id, "changed": names}
            event = Event(
                EventType.CUSTOMER_CHANGED,
                actor,
                changes=changes(customer, changed),
                detail=detail,
                subject=f"customer:{customer.id}",
            )
            unit.log.record(event, now)
            for lease in leases:
                shorten(unit, actor, lease, changed.session_max_seconds or 0, now)
            unit.commit()
        return changed

    def get(self, actor: Actor, customer_id: str) -> Customer:
        """Read one customer; also for who may see only some of its accounts."""
        with self.units.read() as unit:
            customer = unit.customers.get(customer_id)
            reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
            if customer is not None and reach.covers(customer.id):
                return customer
            near = (unit.accounts.get(number) for number in reach.accounts)
            if customer is not None and any(
                account and account.customer_id == customer.id for account in near
            ):
                return customer
        raise not_found("customer", customer_id[:36])

    def page(self, actor: Actor, text: str | None, part: Slice) -> Page[Customer]:
        """List the customers in sight."""
        with self.units.read() as unit:
            return unit.customers.page(self.gate.policy.reach(actor, Permission.ACCOUNT_READ), text, part)


def add_customer(unit: Unit, actor: Actor, customer: Customer, now: datetime) -> None:
    """Keep a new customer and tell of it, in the caller's unit."""
    unit.customers.add(customer)
    event = Event(
        EventType.CUSTOMER_REGISTERED,
        actor,
        changes=changes(None, customer),
        detail={"customer": customer.id, "ddi": customer.ddi},
        subject=f"customer:{customer.id}",
    )
    unit.log.record(event, now)


def _keep_gates(unit: Unit, actor: Actor, was: Customer, now_is: Customer, now: datetime) -> None:
    """Refuse to say that a customer needs no Consent to Assignment any more while a handover of theirs is open (H3)."""
    if was.public_sector <= now_is.public_sector and was.aws_india <= now_is.aws_india:
        return
    wanted = CaseFilter(kind=CaseKind.HANDOVER, customer_id=was.id, is_open=True)
    for case in unit.cases.page(EVERYTHING, wanted, Slice(limit=1)).items:
        words = f"H3: handover {case.id} is open, and its Consent to Assignment hangs on this. Finish or cancel it."
        event = Event(EventType.ACCESS_DENIED, actor, rule="H3", detail={"customer": was.id, "case": case.id})
        refuse(unit, event, Conflict("case.rule", words, rule="H3", case=case.id), now)


def _claimed(unit: Unit, customer_id: str, now: datetime) -> tuple[Checkout, ...]:
    """Hold the accounts of a customer's leases that run, by number, and give what runs still."""
    reach, active = Reach(customers=frozenset({customer_id})), frozenset({CheckoutState.ACTIVE})
    found: list[Checkout] = []
    cursor: str | None = None
    while True:
        page = unit.checkouts.page(reach, CheckoutFilter(states=active), Slice(100, cursor))
        found.extend(page.items)
        cursor = page.next
        if cursor is None:
            break
    claimed = (unit.checkouts.claim(each.id) for each in sorted(found, key=lambda each: each.account_id))
    return tuple(each[0] for each in claimed if each is not None and overdue(each[0], now) is None)


def _wrong(facts: CustomerFacts, *, new: bool) -> tuple[FieldError, ...]:
    errors: list[FieldError] = []
    name = facts.name.strip() if facts.name is not None else None
    if (new and not name) or (name is not None and not 1 <= len(name) <= NAME_MAX):
        errors.append(FieldError("/name", f"Give the customer's name, at most {NAME_MAX} characters."))
    for field in _LIMITS:
        seconds = getattr(facts, field)
        if seconds and not SHORTEST_LIMIT <= seconds <= LONGEST_LIMIT:
            errors.append(
                FieldError(f"/{field}", f"Give seconds from {SHORTEST_LIMIT} to {LONGEST_LIMIT}, or 0.")
            )
    return tuple(errors)


def _check(errors: tuple[FieldError, ...]) -> None:
    if errors:
        raise Invalid("input.invalid", "Some of the input is not valid; see errors.", errors=errors)
