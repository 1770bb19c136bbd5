"""Split custody, an option of an account or a customer: no one person holds both halves of a credential (C8).

Decided here: that the holder of a lease takes the password and a second person the codes and the seed; that who
enrolled a seed that counts, or may, takes no password, and who may know a password enrols and reads no seed. One
custodian turns it on; that it is turned off takes two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.domain.account import Account
from vault.domain.actor import Actor, ActorKind, Scope, ScopeKind
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.event import Change, Event, EventType
from vault.domain.policy import Permission
from vault.domain.proposal import Proposal, ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, VaultError, not_found
from vault.services.effects import Plain
from vault.services.gate import Gate, refuse
from vault.services.proposals import Draft, Proposals

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Customer
    from vault.ports.clock import Clock
    from vault.ports.store import Held, Unit, Units

RULE: Final = "C8"
_COUNTING: Final = frozenset({VersionLabel.CURRENT, VersionLabel.STAGED, VersionLabel.PREVIOUS})


def require_half(unit: Unit, held: Held, actor: Actor, kind: PartKind, refused: Event, now: datetime) -> None:
    """Return if the actor may have to do with this half of the credential; else record `refused` and raise."""
    if not held.is_split:
        return
    is_holder = actor.id == held.checkout.requester_id
    if kind is PartKind.PASSWORD and not is_holder:
        _refuse(unit, refused, "The password is the lease's holder's; you have the codes.", now)
    if kind is PartKind.MFA and is_holder:
        words = "Another person takes the codes: ask a colleague to join this checkout."
        _refuse(unit, refused, words, now)
    require_other_half(unit, held.account, actor, kind, refused, now)


def require_other_half(
    unit: Unit, account: Account, actor: Actor, kind: PartKind, refused: Event, now: datetime
) -> None:
    """Return if the actor does not hold the other half already; else record `refused` and raise."""
    if kind is PartKind.PASSWORD:
        seeds = unit.versions.of(account.id, PartKind.MFA)
        if any(each.created_by == actor.id and each.label in _COUNTING for each in seeds):
            words = "You enrolled the MFA seed of this account, so you do not see its password."
            _refuse(unit, refused, words, now)
        return
    passwords = [each for each in unit.versions.of(account.id, PartKind.PASSWORD) if each.label in _COUNTING]
    if any(unit.reveals.knows(actor.id, account.id, PartKind.PASSWORD, each.number) for each in passwords):
        words = "You may know a password of this account, so you get neither its seed nor its codes."
        _refuse(unit, refused, words, now)


def _refuse(unit: Unit, refused: Event, words: str, now: datetime) -> None:
    refuse(unit, replace(refused, rule=RULE), Forbidden("custody.split", words, rule=RULE), now)


@dataclass(frozen=True, slots=True)
class SplitCustody:
    """Use cases that turn the option on and off."""

    units: Units
    gate: Gate
    proposals: Proposals
    clock: Clock

    def is_split(self, account: Account) -> bool:
        """Say whether an account's custody is split, by itself or by its customer."""
        if account.split_custody:
            return True
        with self.units.read() as unit:
            customer = unit.customers.get(account.customer_id)
        return customer is not None and customer.split_custody

    def turn_on(self, actor: Actor, scope: Scope) -> None:
        """Split custody of one account, or of all of a customer, from the next disclosure on; twice is once."""
        now = self.clock.now()
        with self.units.write() as unit:
            permission = Permission.ACCOUNT_REGISTER
            self.gate.require(unit, actor, permission, now)
            denied = Event(
                EventType.ACCESS_DENIED, actor, detail={"asked_for": f"split custody of {scope}"[:80]}
            )
            if actor.kind is not ActorKind.PERSON:
                words = "A machine registers; how custody is held is a person's to decide."
                refuse(unit, denied, Forbidden("policy.denied", words, rule="P1"), now)
            # the account's row is held before anything of it is written
            found = self._there(unit, actor, scope, denied, now)
            if found.split_custody:
                return
            told = _write(unit, found, on=True)
            event = Event(
                EventType.ACCOUNT_CHANGED if scope.kind is ScopeKind.ACCOUNT else EventType.CUSTOMER_CHANGED,
                actor,
                account_id=scope.target if scope.kind is ScopeKind.ACCOUNT else None,
                changes=told,
                detail={"changed": "split_custody", "split_custody_now": "yes"},
            )
            unit.log.record(event, now)
            unit.commit()

    def turn_off(self, actor: Actor, scope: Scope, why: str, otp: str) -> Proposal:
        """Propose that custody is not split any more; another custodian has to agree."""
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.ACCOUNT_REGISTER, now)
            asked = f"split custody of {scope}"[:80]
            denied = Event(EventType.ACCESS_DENIED, actor, detail={"asked_for": asked})
            self._there(unit, actor, scope, denied, now)
        draft = Draft(ProposalKind.SPLIT_OFF, str(scope), "split custody off", why, scope)
        return self.proposals.propose(actor, draft, otp)

    def _there(
        self, unit: Unit, actor: Actor, scope: Scope, denied: Event, now: datetime
    ) -> Account | Customer:
        """Find what is split, its row held; another's is as absent as one that does not exist (S21)."""
        found = _locked(unit, scope)
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_REGISTER)
        place = (found.customer_id, found.id) if isinstance(found, Account) else (scope.target, None)
        if found is None or not reach.covers(*place):
            refuse(unit, denied, not_found(scope.kind, scope.target[:36]), now)
        return found


@dataclass(frozen=True)
class Unsplitting(Plain):
    """What it means that custody is not split any more: it is written when the second person agrees."""

    allowed: Permission = Permission.ACCOUNT_REGISTER

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be: there is nothing to turn off."""
        found = _find(unit, proposal.scope)
        if found is None or not found.split_custody:
            return Conflict("proposal.state", "Custody is not split here; there is nothing to turn off.")
        return None

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name nobody: it is about no person."""
        return frozenset()

    @override
    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Turn it off."""
        found = _locked(unit, proposal.scope)
        return () if found is None else _write(unit, found, on=False)


def _find(unit: Unit, scope: Scope) -> Account | Customer | None:
    if scope.kind is ScopeKind.ACCOUNT:
        return unit.accounts.get(scope.target)
    return unit.customers.get(scope.target) if scope.kind is ScopeKind.CUSTOMER else None


def _locked(unit: Unit, scope: Scope) -> Account | Customer | None:
    if scope.kind is ScopeKind.ACCOUNT:
        return unit.accounts.lock(scope.target)
    return unit.customers.lock(scope.target) if scope.kind is ScopeKind.CUSTOMER else None


def _write(unit: Unit, found: Account | Customer, *, on: bool) -> tuple[Change, ...]:
    changed = replace(found, split_custody=on)
    if isinstance(changed, Account):
        unit.accounts.update(changed)
    else:
        unit.customers.update(changed)
    return changes(found, changed)
