"""Accounts: register, change, read; what is held of each, why it is due, and who has it now.

Decided here: what can be said of an account and by whom. An ECAM member can be known, for its place in
the bill, and is never held (C2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from vault.domain.account import Account, Custodian, Custody, Kind, Model, first_custody
from vault.domain.actor import ActorKind
from vault.domain.checkout import OPEN, state_at
from vault.domain.credential import BLOCKING, PartKind
from vault.domain.due import due_causes
from vault.domain.event import Event, EventType
from vault.domain.ids import is_account_id, is_email
from vault.domain.policy import Permission
from vault.domain.reason import UNPROVEN, Situation, situation
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid
from vault.services.account_limits import over_limit
from vault.services.gate import Gate, refuse, refuse_absent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout, CheckoutState
    from vault.domain.credential import Due, Part, Version
    from vault.domain.rotation import Rotation
    from vault.ports.clock import Clock
    from vault.ports.store import AccountFilter, Slice, Unit, Units

NAME_MAX = 200
Missing: TypeAlias = Literal["rotation", "review"]


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What can be said of an account; in a change, None leaves as it is."""

    name: str | None = None
    root_email: str | None = None
    mailbox: Custodian | None = None
    phone: Custodian | None = None


@dataclass(frozen=True, slots=True)
class PartView:
    """One part as people see it: state, current version without its value, and why it is due."""

    part: Part
    current: Version | None
    due: tuple[Due, ...]
    unverified: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as people see it; `claim` is the open checkout, `claim_state` its state now.

    `unreviewed` are broken glasses that ended and wait for their review, the oldest first.
    """

    account: Account
    situation: Situation
    parts: tuple[PartView, ...]
    claim: Checkout | None
    claim_state: CheckoutState | None
    unreviewed: tuple[Checkout, ...] = ()

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What has to be done before the account is free again."""
        unsettled = any(part.part.state in UNPROVEN or BLOCKING & set(part.due) for part in self.parts)
        found: dict[Missing, bool] = {"rotation": unsettled, "review": bool(self.unreviewed)}
        return tuple(name for name, is_missing in found.items() if is_missing)


@dataclass(frozen=True, slots=True)
class CredentialView:
    """All of a credential but the values: parts, every version, rotations."""

    view: AccountView
    versions: tuple[Version, ...]
    rotations: tuple[Rotation, ...]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Use cases on accounts."""

    units: Units
    gate: Gate
    clock: Clock

    def register(
        self,
        actor: Actor,
        account_id: str,
        customer_id: str,
        model: Model,
        kind: Kind,
        facts: AccountFacts,
        *,
        is_new: bool = False,
    ) -> Account:
        """Register an account under a customer; custody begins in onboarding, or with the customer (C2).

        `is_new`: it was made at AWS for the customer, which may have only so many (A4).
        Raises `Conflict` account.exists, account.limit or custody.email_used (L3), `NotFound` for the customer.
        """
        errors = _wrong(facts, new=True)
        if not is_account_id(account_id):
            errors = (FieldError("/account_id", "Give the AWS account number: 12 digits."), *errors)
        _check(errors)
        now = self.clock.now()
        account = Account(
            id=account_id,
            customer_id=customer_id,
            name=(facts.name or "").strip(),
            model=model,
            kind=kind,
            custody=first_custody(model, kind),
            root_email=facts.root_email or "",
            mailbox=facts.mailbox or Custodian.UNKNOWN,
            phone=facts.phone or Custodian.UNKNOWN,
            created_at=now,
            is_new=is_new,
        )
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.ACCOUNT_REGISTER, now)
            reach = self.gate.policy.reach(actor, Permission.ACCOUNT_REGISTER)
            if unit.customers.get(customer_id) is None or not reach.covers(customer_id):
                refuse_absent(unit, actor, "customer", customer_id, now)
            if is_new:
                unit.customers.lock(customer_id)
                error = over_limit(unit, customer_id)
                if error is not None:
                    asked = {"asked_for": f"account {account_id}", "customer": customer_id}
                    refuse(unit, Event(EventType.ACCESS_DENIED, actor, rule="A4", detail=asked), error, now)
            add_account(unit, actor, account, now)
            unit.commit()
        return account

    def change(self, actor: Actor, account_id: str, facts: AccountFacts) -> Account:
        """Change what is given, leave the rest; a root e-mail once used stays used (L3).

        A machine only registers: what people sign in with, or who answers for it, is not its to change later.
        """
        _check(_wrong(facts, new=False))
        now = self.clock.now()
        with self.units.write() as unit:
            account = self.gate.account(unit, actor, account_id, now, lock=True)
            self.gate.require(unit, actor, Permission.ACCOUNT_REGISTER, now, account=account)
            if actor.kind is ActorKind.MACHINE and account.custody is not Custody.ONBOARDING:
                words = f"A machine changes nothing of an account that is {account.custody}; ask a custodian."
                event = Event(EventType.ACCESS_DENIED, actor, account_id=account.id, rule="P1")
                refuse(unit, event, Forbidden("policy.denied", words, rule="P1"), now)
            changed = changed_account(account, facts)
            unit.accounts.update(changed)
            names = ", ".join(name for name in AccountFacts.__slots__ if getattr(facts, name) is not None)
            # the way in is among it (C5): the log tells what it was, and what it is now
            values = {
                f"{name}_{when}": str(getattr(each, name))
                for name in AccountFacts.__slots__
                if getattr(account, name) != getattr(changed, name)
                for when, each in (("was", account), ("now", changed))
            }
            unit.log.record(
                Event(
                    EventType.ACCOUNT_CHANGED,
                    actor,
                    account_id=account.id,
                    changes=changes(account, changed),
                    detail={"changed": names, **values},
                    subject=f"account:{account.id}",
                ),
                now,
            )
            unit.commit()
        return changed

    def get(self, actor: Actor, account_id: str) -> AccountView:
        """Read one account in sight."""
        now = self.clock.now()
        with self.units.read() as unit:
            return self._views(unit, (self.gate.account(unit, actor, account_id, now),), now)[0]

    def credential(self, actor: Actor, account_id: str) -> CredentialView:
        """Read all of a credential but the values."""
        now = self.clock.now()
        with self.units.read() as unit:
            account = self.gate.account(unit, actor, account_id, now)
            versions = tuple(version for kind in PartKind for version in unit.versions.of(account.id, kind))
            view = self._views(unit, (account,), now)[0]
            return CredentialView(view, versions, unit.rotations.of_account(account.id, 50))

    def page(
        self, actor: Actor, wanted: AccountFilter, part: Slice
    ) -> tuple[tuple[AccountView, ...], str | None]:
        """List the accounts in sight, by number, in a fixed count of queries."""
        now = self.clock.now()
        with self.units.read() as unit:
            found = unit.accounts.page(self.gate.policy.reach(actor, Permission.ACCOUNT_READ), wanted, part)
            return self._views(unit, found.items, now), found.next

    def _views(self, unit: Unit, accounts: Iterable[Account], now: datetime) -> tuple[AccountView, ...]:
        accounts = tuple(accounts)
        numbers = tuple(account.id for account in accounts)
        parts = unit.accounts.parts_of(numbers)
        current = unit.versions.current_of(numbers)
        checkouts = unit.checkouts.bearing_on(numbers)
        claims = {each.account_id: each for each in checkouts if each.is_open}
        broken = [each for each in checkouts if each.is_unreviewed and not each.is_open]
        unverified = unit.rotations.unverified_of(numbers)
        due = self._due(unit, current, numbers, now)
        return tuple(
            self._view(
                account,
                parts[account.id],
                current,
                (claims.get(account.id), tuple(each for each in broken if each.account_id == account.id)),
                unverified,
                due,
                now,
            )
            for account in accounts
        )

    def _due(
        self,
        unit: Unit,
        current: Mapping[tuple[str, PartKind], Version],
        numbers: tuple[str, ...],
        now: datetime,
    ) -> Mapping[tuple[str, PartKind], tuple[Due, ...]]:
        longest_age, marks = self.gate.policy.limits.longest_age, unit.health.marks_of(numbers)
        return {place: due_causes(version, marks, now, longest_age) for place, version in current.items()}

    def _view(
        self,
        account: Account,
        parts: tuple[Part, Part],
        current: Mapping[tuple[str, PartKind], Version],
        checkouts: tuple[Checkout | None, tuple[Checkout, ...]],
        unverified: frozenset[tuple[str, PartKind]],
        due: Mapping[tuple[str, PartKind], tuple[Due, ...]],
        now: datetime,
    ) -> AccountView:
        views = tuple(
            PartView(
                part,
                current.get((account.id, part.kind)),
                due.get((account.id, part.kind), ()),
                (account.id, part.kind) in unverified,
            )
            for part in parts
        )
        causes = frozenset(cause for view in views for cause in view.due)
        claim, broken = checkouts
        state = None if claim is None else state_at(claim, now)
        if claim is not None and claim.is_unreviewed and state not in OPEN:
            broken = (*broken, claim)
        found = situation(account.custody, parts, causes, unreviewed=bool(broken))
        return AccountView(account, found, views, claim, state, broken)


def add_account(unit: Unit, actor: Actor, account: Account, now: datetime) -> None:
    """Keep a new account and tell of it, in the caller's unit."""
    unit.accounts.add(account)
    event = Event(
        EventType.ACCOUNT_REGISTERED,
        actor,
        account_id=account.id,
        changes=changes(None, account),
        detail={"customer": account.customer_id, "model": account.model, "kind": account.kind},
        subject=f"account:{account.id}",
    )
    unit.log.record(event, now)


def changed_account(account: Account, facts: AccountFacts) -> Account:
    """Give the account with what is given changed; `Conflict` where the customer holds the root (C2)."""
    if account.custody in {Custody.RELEASED, Custody.DEAD}:
        raise Conflict(
            "custody.state", f"Account {account.id} is {account.custody}; nothing of it changes any more."
        )
    return replace(
        account,
        name=account.name if facts.name is None else facts.name.strip(),
        root_email=account.root_email if facts.root_email is None else facts.root_email,
        mailbox=facts.mailbox or account.mailbox,
        phone=facts.phone or account.phone,
    )


def _wrong(facts: AccountFacts, *, new: bool) -> tuple[FieldError, ...]:
    errors: list[FieldError] = []
    name = facts.name.strip() if facts.name is not None else None
    if (new and not name) or (name is not None and not 1 <= len(name) <= NAME_MAX):
        errors.append(FieldError("/name", f"Give the account's name, at most {NAME_MAX} characters."))
    if (new and not facts.root_email) or (facts.root_email is not None and not is_email(facts.root_email)):
        errors.append(FieldError("/root_email", "Give the root user's e-mail address (ASCII)."))
    return tuple(errors)


def _check(errors: tuple[FieldError, ...]) -> None:
    if errors:
        raise Invalid("input.invalid", "Some of the input is not valid; see errors.", errors=errors)
