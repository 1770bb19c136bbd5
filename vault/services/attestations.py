"""What people say and prove about a rotation: AWS took the value, refused it, nobody knows, it is proven.

Decided here: who may say it, and what follows for versions, parts and custody. Acceptance promotes;
only verification retires what came before, so a mistaken word never loses a credential (rule 4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from vault.domain.account import CUSTODY, Account, CustodyEvent
from vault.domain.checkout import CheckoutState
from vault.domain.credential import PART, VERSION, Part, PartEvent, PartState, VersionEvent
from vault.domain.event import Change, Event, EventType, SecretRef
from vault.domain.policy import Permission
from vault.domain.rotation import ROTATION, Evidence, Outcome, Rotation, RotationEvent, RotationState
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid
from vault.ports.store import RevealState
from vault.services import verifying
from vault.services.frozen import require_word
from vault.services.gate import refuse
from vault.services.leases import move_part, settle
from vault.services.verifying import Proven, relabelled

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout
    from vault.domain.credential import Version
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.rotations import Rotations

NOTE_MAX = 500


@dataclass(frozen=True, slots=True)
class Attestations:
    """Use cases that settle rotations."""

    units: Units
    rotations: Rotations
    clock: Clock

    def attest(self, actor: Actor, rotation_id: str, outcome: Outcome) -> Rotation:
        """Say what AWS did with a displayed value.

        For the holder of the account's lease, or whoever displayed it, also after the lease ended.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            rotation, account = self.rotations.seen(unit, actor, rotation_id, now)
            claim = unit.checkouts.open_of(account.id)
            if claim is not None and settle(unit, claim, now) is not claim:
                # the lease had run out unwritten: the rotation became unknown with it
                rotation = unit.rotations.get(rotation_id) or rotation
            lease = self._lease(unit, actor, rotation, account, now)
            part = next(part for part in unit.accounts.parts(account.id) if part.kind is rotation.kind)
            said = _Said(unit, actor, rotation, part, account, lease, now)
            match outcome:
                case Outcome.ACCEPTED:
                    settled = said.accepted()
                case Outcome.REFUSED:
                    settled = said.refused()
                case Outcome.UNKNOWN:
                    settled = said.unknown()
                case Outcome.NONE_WORKS:
                    settled = said.none_works()
                case _:
                    assert_never(outcome)
            unit.commit()
        return settled

    def verify(self, actor: Actor, rotation_id: str, note: str) -> Rotation:
        """Prove an accepted rotation, by another person's word or by a later use that worked.

        Which of the two follows from who says it; `note` is the evidence in words. Older versions of
        the part are retired.
        """
        note = note.strip()
        if not 1 <= len(note) <= NOTE_MAX:
            place = FieldError("/evidence", f"Say what proves it, in 1 to {NOTE_MAX} characters.")
            raise Invalid("input.invalid", place.detail, errors=(place,))
        now = self.clock.now()
        with self.units.write() as unit:
            rotation, account = self.rotations.seen(unit, actor, rotation_id, now)
            self.rotations.checkouts.gate.require(
                unit, actor, Permission.ROTATION_VERIFY, now, account=account
            )
            require_word(unit, actor, Event(EventType.ACCESS_DENIED, actor, account_id=account.id), now)
            evidence = self._evidence(unit, actor, rotation, account, now)
            verified = verifying.verify(unit, actor, rotation, Proven(evidence, note), now)
            if verified is None:
                raise _state(rotation)
            unit.commit()
        return verified

    def _lease(
        self, unit: Unit, actor: Actor, rotation: Rotation, account: Account, now: datetime
    ) -> Checkout | None:
        """Give the actor's live lease, None for who displayed it after theirs ended; refuse all others."""
        self.rotations.checkouts.gate.require(unit, actor, Permission.CHECKOUT_USE, now, account=account)
        claim = unit.checkouts.open_of(account.id)
        theirs = claim is not None and actor.id in {claim.requester_id, claim.second_id}
        if claim is not None and theirs and claim.state is CheckoutState.ACTIVE:
            return claim
        if rotation.displayed_by == actor.id and rotation.state is RotationState.UNKNOWN:
            return None
        event = Event(EventType.ACCESS_DENIED, actor, account_id=account.id)
        detail = (
            "Only the holder of the account's lease, or whoever displayed the value, can say what AWS did."
        )
        refuse(unit, event, Forbidden("policy.denied", detail, rule="rotation"), now)

    def _evidence(
        self, unit: Unit, actor: Actor, rotation: Rotation, account: Account, now: datetime
    ) -> Evidence:
        if actor.id not in {rotation.displayed_by, rotation.attested_by}:
            return Evidence.SECOND_PERSON
        claim = unit.checkouts.open_of(account.id)
        later = claim is not None and claim.requester_id == actor.id and claim.id != rotation.attested_in
        used = any(
            reveal.version == rotation.version
            and reveal.kind is rotation.kind
            and reveal.state is RevealState.RELEASED
            for reveal in (unit.reveals.of_checkout(claim.id) if claim is not None and later else ())
        )
        if used:
            return Evidence.LATER_USE
        event = Event(EventType.ACCESS_DENIED, actor, account_id=account.id, detail={"rotation": rotation.id})
        detail = (
            "You set or attested it yourself: ask a colleague, or prove it by using it in a later checkout."
        )
        refuse(unit, event, Forbidden("policy.second_person", detail, rule="rotation"), now)


@dataclass(frozen=True, slots=True)
class _Said:
    """One attestation with all it is about; `lease` is None where the attester's had ended."""

    unit: Unit
    actor: Actor
    rotation: Rotation
    part: Part
    account: Account
    lease: Checkout | None
    now: datetime

    def accepted(self) -> Rotation:
        """Promote the staged version; what was current stays openable as previous."""
        settled = self._moved(RotationEvent.ACCEPTED)
        told = (*changes(self.rotation, settled), self._part(PartEvent.ACCEPTED))
        version = self._version()
        current = self.unit.versions.current(self.account.id, self.part.kind)
        before = () if current is None else relabelled(self.unit, current, VersionEvent.SUPERSEDED)
        promoted = VERSION.transitions[version.label, VersionEvent.PROMOTED]
        self.unit.versions.relabel(version, promoted, current_since=self.now)
        self._record(settled, EventType.ROTATION_ACCEPTED, told, SecretRef.of(version))
        promotion = Event(
            EventType.SECRET_PROMOTED,
            self.actor,
            account_id=self.account.id,
            checkout_id=self._checkout_id,
            secret=SecretRef.of(version),
            changes=(*before, *changes(version, replace(version, label=promoted, current_since=self.now))),
        )
        self.unit.log.record(promotion, self.now)
        hold_if_confirmed(self.unit, self.actor, self.account, self.now, self._checkout_id)
        return settled

    def refused(self) -> Rotation:
        """Drop the staged version; the part goes back to where it was before the display."""
        if self.rotation.recovering:
            event = PartEvent.REFUSED_LOST
        elif self.unit.versions.current(self.account.id, self.part.kind) is None:
            event = PartEvent.REFUSED_FIRST
        else:
            event = PartEvent.REFUSED
        return self._not_taken(event)

    def none_works(self) -> Rotation:
        """Say that neither the staged nor an older value opens the account: the part is lost to us."""
        if self.part.state is not PartState.RECONCILING:
            detail = (
                "That none works can be said only while an unknown outcome is being reconciled under a lease."
            )
            raise Conflict("rotation.state", detail, state=self.part.state)
        return self._not_taken(PartEvent.NONE_WORKS)

    def unknown(self) -> Rotation:
        """Leave the outcome open; under a lease that goes on, reconciling begins at once."""
        settled = self._moved(RotationEvent.OUTCOME_UNKNOWN)
        told = [*changes(self.rotation, settled), self._part(PartEvent.OUTCOME_UNKNOWN)]
        if self.lease is not None:
            left = replace(self.part, state=PART.transitions[self.part.state, PartEvent.OUTCOME_UNKNOWN])
            again = move_part(self.unit, left, PartEvent.LEASE, self.now)
            told += [again] if again is not None else []
        self._record(settled, EventType.ROTATION_UNKNOWN, tuple(told), None)
        return settled

    @property
    def _checkout_id(self) -> str:
        return self.rotation.checkout_id if self.lease is None else self.lease.id

    def _not_taken(self, event: PartEvent) -> Rotation:
        settled = self._moved(RotationEvent.REFUSED)
        told = (*changes(self.rotation, settled), self._part(event))
        version = self._version()
        told += relabelled(self.unit, version, VersionEvent.FAILED)
        self._record(settled, EventType.ROTATION_REFUSED, told, SecretRef.of(version))
        return settled

    def _moved(self, event: RotationEvent) -> Rotation:
        after = ROTATION.after(self.rotation.state, event)
        if after is None:
            raise _state(self.rotation)
        return replace(
            self.rotation,
            state=after,
            attested_by=self.actor.id,
            attested_at=self.now,
            attested_in=None if self.lease is None else self.lease.id,
        )

    def _part(self, event: PartEvent) -> Change:
        change = move_part(self.unit, self.part, event, self.now)
        if change is None:
            detail = f"The {self.part.kind} is {self.part.state}; that cannot be."
            raise Conflict("rotation.state", detail, state=self.part.state)
        return change

    def _version(self) -> Version:
        version = self.unit.versions.get(self.rotation.account_id, self.rotation.kind, self.rotation.version)
        if version is None:
            raise _state(self.rotation)
        return version

    def _record(
        self, settled: Rotation, event: EventType, told: tuple[Change, ...], secret: SecretRef | None
    ) -> None:
        self.unit.rotations.update(settled)
        self.unit.log.record(
            Event(
                event,
                self.actor,
                account_id=self.account.id,
                checkout_id=self._checkout_id,
                secret=secret,
                changes=told,
                detail={"rotation": settled.id},
                subject=f"rotation:{settled.id}",
            ),
            self.now,
        )


def hold_if_confirmed(
    unit: Unit, actor: Actor, account: Account, now: datetime, checkout_id: str | None = None
) -> bool:
    """Move an account into custody once both parts have a current version (C4)."""
    after = CUSTODY.after(account.custody, CustodyEvent.CONFIRMED)
    if after is None or len(unit.versions.current_of((account.id,))) < len(unit.accounts.parts(account.id)):
        return False
    held = replace(account, custody=after, held_since=now)
    unit.accounts.update(held)
    event = Event(EventType.CUSTODY_HELD, actor, account_id=account.id, checkout_id=checkout_id)
    unit.log.record(replace(event, changes=changes(account, held)), now)
    return True


def _state(rotation: Rotation) -> Conflict:
    detail = f"This rotation is {rotation.state}; that cannot be done with it now."
    return Conflict("rotation.state", detail, state=rotation.state)
