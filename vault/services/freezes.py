"""Freezes: one press stops every disclosure of the vault, a customer, an account or a person; two people lift it (S24).

Decided here: who may press (whoever may, within their scope; anybody for themselves), that it asks for nothing but the
press, and that it ends every second factor given for what it covers. A freeze is read in the database in the
transactions of a disclosure, so it holds for all workers at once. A frozen person's word counts nowhere: they neither
ask nor agree. Asking for what is frozen otherwise, approving, attesting, abandoning and checking in go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.domain.actor import Actor, Scope, joined
from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.freeze import Covered, Freeze, FreezeKind, read_covered
from vault.domain.person import powers
from vault.domain.policy import Permission
from vault.domain.proposal import Proposal, ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, VaultError, not_found
from vault.ports.proposals import ProposalFilter
from vault.ports.store import Slice
from vault.services.effects import Plain
from vault.services.frozen import put
from vault.services.gate import Gate, refuse, refuse_absent
from vault.services.proposals import Draft, Proposals
from vault.services.sight import lies_within, standing
from vault.services.tokens import require_reach

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

WHY_MAX: Final = 500
LATELY: Final = 20


@dataclass(frozen=True, slots=True)
class Freezes:
    """Use cases on freezes."""

    units: Units
    gate: Gate
    proposals: Proposals
    clock: Clock

    def freeze(self, actor: Actor, scope: str, why: str = "") -> Freeze:
        """Stop every disclosure of what `scope` names, at once; `why` may be empty, because it must be fast.

        Raises `Invalid` for words that name nothing, `NotFound` for what is not there or out of sight, `Forbidden`.
        """
        covered = read_covered(scope)
        errors = () if covered else (FieldError("/scope", "Give vault, customer:…, account:… or person:…."),)
        if len(why) > WHY_MAX:
            errors = (*errors, FieldError("/why", f"At most {WHY_MAX} characters."))
        if covered is None or errors:
            raise Invalid("input.invalid", "Some of the input is not valid; see errors.", errors=errors)
        now = self.clock.now()
        with self.units.write() as unit:
            # before anything else is held: it waits for disclosures that are under way, and lets no other begin
            unit.freezes.hold()
            self._may_freeze(unit, actor, covered, now)
            made = put(unit, actor, covered, why.strip(), now)
            unit.commit()
        return made

    def lift(self, actor: Actor, freeze_id: str, why: str, otp: str) -> Proposal:
        """Say that a freeze shall end: the first word proposes, another person's agrees, both with a fresh factor.

        Raises `NotFound`, `Conflict` proposal.state for one that is lifted, and what proposing or agreeing raises.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.FREEZE_LIFT, now, asked_for=f"freeze {freeze_id[:36]}")
            found = unit.freezes.get(freeze_id)
            if found is None or not self._sees(unit, actor, found):
                refuse_absent(unit, actor, "freeze", freeze_id, now)
            asked = ProposalFilter(frozenset({ProposalKind.LIFT}), found.id, is_waiting=True)
            waiting = unit.proposals.page(asked, Slice(1)).items
        for each in waiting:
            return self.proposals.confirm(actor, each.id, otp)
        draft = Draft(ProposalKind.LIFT, found.id, str(found.covered), why, found.covered.scope)
        return self.proposals.propose(actor, draft, otp)

    def open(self, actor: Actor) -> tuple[Freeze, ...]:
        """List what is frozen now and in sight, oldest first."""
        with self.units.read() as unit:
            return tuple(each for each in unit.freezes.open() if self._sees(unit, actor, each))

    def lately(self, actor: Actor) -> tuple[Freeze, ...]:
        """List what was lifted lately and is in sight, the last first."""
        with self.units.read() as unit:
            return tuple(each for each in unit.freezes.lately(LATELY) if self._sees(unit, actor, each))

    def get(self, actor: Actor, freeze_id: str) -> Freeze:
        """Read one in sight."""
        with self.units.read() as unit:
            found = unit.freezes.get(freeze_id)
            if found is None or not self._sees(unit, actor, found):
                raise not_found("freeze", freeze_id[:36])
        return found

    def standing(self) -> tuple[Freeze, ...]:
        """List all that is frozen now, for the banners: a page shows those that concern what it is about."""
        with self.units.read() as unit:
            return unit.freezes.open()

    def _may_freeze(self, unit: Unit, actor: Actor, covered: Covered, now: datetime) -> None:
        asked = f"freeze of {covered}"
        self.gate.require(unit, actor, Permission.FREEZE_SET, now, asked_for=asked)
        if covered.kind is FreezeKind.PERSON:
            person = unit.people.get(covered.target)
            grants = () if person is None else powers(unit.people.grants(covered.target), now)
            scopes = tuple(power.scope for power in grants) or (Scope(),)
            if person is None or covered.target == actor.id:
                scopes = ()
        else:
            person, scopes = None, (covered.scope,) if covered.kind is FreezeKind.VAULT else ()
        is_there = (
            covered.kind is FreezeKind.VAULT
            or person is not None
            or (
                covered.kind in {FreezeKind.CUSTOMER, FreezeKind.ACCOUNT}
                and self._within(unit, actor, covered)
            )
        )
        if not is_there:
            event = Event(EventType.ACCESS_DENIED, actor, detail={"asked_for": asked})
            refuse(unit, event, not_found(covered.kind, covered.target[:36]), now)
        for scope in scopes:
            require_reach(self.gate, unit, actor, scope, now, Permission.FREEZE_SET)

    def _within(self, unit: Unit, actor: Actor, covered: Covered) -> bool:
        """Say whether a customer or account is there and within reach; another's is as absent as nothing (S21)."""
        reach = self.gate.policy.reach(actor, Permission.FREEZE_SET)
        if covered.kind is FreezeKind.CUSTOMER:
            return unit.customers.get(covered.target) is not None and reach.covers(covered.target)
        account = unit.accounts.get(covered.target)
        return account is not None and reach.covers(account.customer_id, account.id)

    def _sees(self, unit: Unit, actor: Actor, freeze: Freeze) -> bool:
        """Say whether somebody may know of a freeze: what they can see, and who lifts or watches them all."""
        if freeze.kind is FreezeKind.VAULT or freeze.target == actor.id:
            return True
        if freeze.kind is FreezeKind.PERSON:
            asked = (Permission.FREEZE_LIFT, Permission.PEOPLE_MANAGE, Permission.LOG_READ)
            reach = joined(self.gate.policy.reach(actor, each) for each in asked)
            scopes = tuple(grant.scope for grant in standing(unit, freeze.target))
            return reach.everything or any(lies_within(unit, reach, scope) for scope in scopes)
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        if freeze.kind is FreezeKind.CUSTOMER:
            return reach.covers(freeze.target)
        account = unit.accounts.get(freeze.target)
        return account is not None and reach.covers(account.customer_id, account.id)


@dataclass(frozen=True)
class Lifting(Plain):
    """What it means that a freeze shall end: both people within its scope, neither of them frozen themselves."""

    allowed: Permission = Permission.FREEZE_LIFT

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be lifted: it is not there, or not set any more."""
        found = unit.freezes.get(proposal.subject)
        if found is None:
            return not_found("freeze", proposal.subject[:36])
        if found.lifted_at is not None:
            return Conflict("proposal.state", f"This freeze was lifted at {stamp(found.lifted_at)}.")
        return None

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name the frozen person: they neither lift it nor agree."""
        found = unit.freezes.get(proposal.subject)
        return frozenset({found.target}) if found and found.kind is FreezeKind.PERSON else frozenset()

    @override
    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Lift it; every second factor has to be given anew."""
        found = unit.freezes.get(proposal.subject)
        if found is None:
            raise not_found("freeze", proposal.subject[:36])
        lifted = replace(found, lifted_at=now, lifted_by=actor.id)
        unit.freezes.lift(lifted)
        unit.freezes.end_step_ups(found.covered, now)
        event = Event(
            EventType.FREEZE_LIFTED,
            actor,
            account_id=found.target if found.kind is FreezeKind.ACCOUNT else None,
            changes=changes(found, lifted),
            detail={
                "freeze": found.id,
                "scope": str(found.covered),
                "proposed_by": proposal.proposed_by,
                "why": proposal.why,
            },
        )
        unit.log.record(event, now)
        return ()
