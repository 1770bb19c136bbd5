"""Recovery: a fresh enrolment for who lost a factor, forgot the password, or was shut out and comes back (S19).

Decided here: it takes two administrators, neither of them the person, and a hold; then one of the two takes a link
that works once. Until the enrolment by it is complete, what the person had counts on; then all their sessions and
tokens end. Who was shut out comes back without any role: their grants are taken away with the second word, and
proposed anew. The person, or any administrator who reaches them, ends it at once, and its link with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from vault.domain.actor import Scope
from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.person import Person, PersonState
from vault.domain.policy import Permission
from vault.domain.proposal import Proposal, ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, VaultError, not_found
from vault.ports.proposals import ProposalFilter
from vault.ports.store import Slice
from vault.services.effects import Plain
from vault.services.factors import Factors, refusal
from vault.services.gate import Gate, refuse
from vault.services.granting import removed
from vault.services.links import new_link
from vault.services.proposals import Draft, Proposals, close, in_json
from vault.services.sight import in_sight, standing

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.person import Grant
    from vault.domain.secret import Secret
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units


@dataclass(frozen=True)
class RecoveryEffect(Plain):
    """What a recovery means: the person may enrol again, by a link that is taken later."""

    allowed: Permission = Permission.PEOPLE_MANAGE

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be: nobody for themselves, only who enrolled once, and as they were looked at."""
        person = unit.people.get(proposal.subject)
        if person is None:
            return not_found("person", proposal.subject[:36])
        if person.id == actor.id:
            return Forbidden(
                "policy.second_person", "Others recover you: ask two administrators.", rule="S19"
            )
        if person.state is PersonState.INVITED:
            words = "This person did not enrol yet: make them a new link instead."
            return Conflict("person.state", words, state=person.state)
        if proposal.content != content_of(person, standing(unit, person.id)):
            words = "The person's state or roles changed since this was proposed; end it and propose it anew."
            return Conflict("approval.changed", words)
        return None

    @override
    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Take away every role of who was shut out: none of them comes back by itself."""
        person = unit.people.get(proposal.subject)
        if person is not None and person.state is PersonState.DISABLED:
            for grant in standing(unit, person.id):
                gone = replace(grant, removed_at=now)
                unit.people.update_grant(gone)
                unit.log.record(removed(actor, grant, gone), now)
        return ()

    @override
    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """End the link that was taken of it."""
        return _without_link(unit, proposal.subject)


@dataclass(frozen=True, slots=True, eq=False)
class RecoveryLink:
    """A recovery's link, shown once, and whose it is."""

    person: Person
    link: Secret[str]
    until: datetime


@dataclass(frozen=True, slots=True)
class Recovery:
    """Use cases of administrators."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock
    proposals: Proposals
    link_lasts: timedelta

    def propose(self, actor: Actor, person_id: str, why: str, otp: str) -> Proposal:
        """Propose that a person enrols again; another administrator has to agree."""
        with self.units.read() as unit:
            person = unit.people.get(person_id)
            grants = standing(unit, person_id)
            if person is None or in_sight(unit, self.gate.policy, actor, person, grants) is None:
                raise not_found("person", person_id[:36])
        draft = Draft(ProposalKind.RECOVERY, person.id, content_of(person, grants), why, _scope_of(grants))
        return self.proposals.propose(actor, draft, otp)

    def standing(self, person_id: str) -> Proposal | None:
        """Find the recovery of a person that waits, is held or is in force."""
        with self.units.read() as unit:
            return next(iter(open_about(unit, person_id)), None)

    def link(self, actor: Actor, person_id: str, otp: str) -> RecoveryLink:
        """Take the link, as one of the two who agreed, once the hold is over; one taken before is dead.

        Raises `Conflict` person.state where no recovery is in force, or it was agreed to too long ago.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            proposal, person = self._in_force(unit, actor, person_id, now)
            if actor.id not in {proposal.proposed_by, proposal.confirmed_by}:
                words = "Only one of the two administrators who agreed to it takes the link."
                self._deny(unit, actor, Forbidden("policy.denied", words, rule="S19"), now)
            error = self.proposals.effects[proposal.kind].check(unit, actor, proposal, now)
            if error is not None:
                self._deny(unit, actor, error, now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor))
            link = new_link(now, self.link_lasts)
            linked = replace(
                person,
                next_seed=None,
                enrolment_hash=link.hash,
                enrolment_until=link.until,
                link_by=actor.id,
            )
            unit.people.update(linked)
            # shown once: a repeated request is not answered with it again (S8)
            event = Event(
                EventType.RECOVERY_LINK,
                actor,
                changes=changes(person, linked),
                detail={"person": person.id, "proposal": proposal.id, "until": stamp(link.until)},
                subject="disclosure",
            )
            unit.log.record(event, now)
            unit.commit()
        return RecoveryLink(linked, link.token, link.until)

    def _in_force(self, unit: Unit, actor: Actor, person_id: str, now: datetime) -> tuple[Proposal, Person]:
        found = in_force(unit, person_id, now)
        locked = None if found is None else unit.proposals.lock(found.id)
        person = unit.people.get(person_id)
        if locked is None or person is None or not locked.in_force(now) or locked.effective_at is None:
            words = "No recovery of this person is in force: two administrators agree, then a hold."
            self._deny(unit, actor, Conflict("person.state", words), now)
        if now >= locked.effective_at + self.link_lasts:
            words = "It was agreed to too long ago; end it and propose it anew."
            self._deny(unit, actor, Conflict("person.state", words), now)
        return locked, person

    def _deny(self, unit: Unit, actor: Actor, error: VaultError, now: datetime) -> NoReturn:
        event = Event(EventType.ACCESS_DENIED, actor, detail={"permission": Permission.PEOPLE_MANAGE})
        refuse(unit, event, error, now)


def in_force(unit: Unit, person_id: str, now: datetime) -> Proposal | None:
    """Find the recovery of a person that counts now."""
    return unit.proposals.in_force(ProposalKind.RECOVERY, person_id, now)


def end_recoveries(unit: Unit, actor: Actor, person_id: str, now: datetime, why: str) -> None:
    """End every recovery of a person that is not over: it was used, or they were shut out."""
    for proposal in open_about(unit, person_id):
        close(unit, actor, proposal, why, now)


def content_of(person: Person, grants: tuple[Grant, ...]) -> str:
    """Write what exactly is agreed to: who, as what, and with which roles they come back."""
    roles = (
        [] if person.state is PersonState.DISABLED else sorted(f"{each.role} {each.scope}" for each in grants)
    )
    facts = {"person": person.id, "email": person.email, "state": person.state.value, "roles": roles}
    return in_json(facts)


def _scope_of(grants: tuple[Grant, ...]) -> Scope:
    """Give what both administrators have to reach: all that the person does, by one word for it."""
    scopes = {grant.scope for grant in grants}
    return scopes.pop() if len(scopes) == 1 else Scope()


def open_about(
    unit: Unit, person_id: str, kind: ProposalKind = ProposalKind.RECOVERY
) -> tuple[Proposal, ...]:
    """List what is not over of one kind about a person: agreed to, or waiting for a second word."""
    wanted = ProposalFilter(frozenset({kind}), subject=person_id, is_waiting=True)
    return (*unit.proposals.agreed(kind, person_id), *unit.proposals.page(wanted, Slice(10)).items)


def _without_link(unit: Unit, person_id: str) -> tuple[Change, ...]:
    person = unit.people.get(person_id)
    if person is None or person.state is PersonState.INVITED or person.enrolment_hash is None:
        return ()
    cleared = replace(person, enrolment_hash=None, enrolment_until=None, next_seed=None)
    unit.people.update(cleared)
    return changes(person, cleared)
