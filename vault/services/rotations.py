"""Rotations: plan, display, abandon; what is attested and proven of them is in `attestations`.

Decided here: sealed and committed before shown, for both parts (rule 4). A rotation belongs to its
account: whoever holds the account's lease now goes on with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from vault.crypto import password, totp
from vault.domain.checkout import CheckoutState
from vault.domain.credential import VERSION, PartEvent, PartKind, PartState, VersionEvent, VersionOrigin
from vault.domain.event import Event, EventType, Result, SecretRef
from vault.domain.ids import new_id
from vault.domain.rotation import ROTATION, Rotation, RotationEvent, RotationState
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, Invalid
from vault.ports.store import Receipt, RevealPurpose
from vault.services.factors import used
from vault.services.gate import refuse, refuse_absent
from vault.services.leases import move_part, not_active
from vault.services.reveals import Authorized, Reveals
from vault.services.sealing import Sealed, Sealer, logged, told_anyway
from vault.services.split import require_half

if TYPE_CHECKING:
    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout
    from vault.domain.credential import Part, Version
    from vault.domain.secret import Secret
    from vault.ports.clock import Clock
    from vault.ports.store import Held, Unit, Units
    from vault.services.checkouts import Checkouts


@dataclass(frozen=True, slots=True, eq=False)
class ShownCode:
    """One of two consecutive codes: good from `valid_from` until `valid_until`, one time step."""

    code: Secret[str]
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Displayed:
    """A staged value on its way to the AWS console: a password, or two consecutive codes of a seed."""

    rotation: Rotation
    password: Secret[str] | None
    codes: tuple[ShownCode, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Rotations:
    """Use cases on rotations under a live lease."""

    units: Units
    checkouts: Checkouts
    reveals: Reveals
    sealer: Sealer
    clock: Clock

    def plan(
        self, actor: Actor, checkout_id: str, kind: PartKind, seed: Secret[str] | None = None
    ) -> Rotation:
        """Seal a candidate password, or the seed that AWS shows, as a staged version; shown to nobody.

        Raises `Invalid` seed.invalid, `Conflict` checkout.state, rotation.conflict or rotation.state,
        and `KeysUnavailable` (nothing is kept then).
        """
        value, origin = _value(kind, seed)
        now = self.clock.now()
        with self.units.write() as unit:
            _, account = self._active(unit, actor, checkout_id, kind, now)
            self._plannable(unit, actor, account, kind, now)
            number = unit.versions.next_number(account.id, kind)
            vault_id = unit.vault_id
        attempt = Event(
            EventType.ROTATION_PLANNED,
            actor,
            account_id=account.id,
            checkout_id=checkout_id,
            detail={"part": kind, "version": number},
        )
        with told_anyway(self.units, self.clock, attempt) as calls:
            sealed = self.sealer.seal(vault_id, (account.id, kind, number), value, origin, actor.id, now)
            calls.extend(sealed.calls)
            now = self.clock.now()
            with self.units.write() as unit:
                checkout, account = self._active(unit, actor, checkout_id, kind, now)
                part = self._plannable(unit, actor, account, kind, now)
                rotation = self._keep(unit, actor, checkout, part, sealed, now)
                unit.commit()
        return rotation

    def display(self, actor: Actor, rotation_id: str) -> Displayed:
        """Show the staged password, or two consecutive codes of the staged seed, to the lease's holder.

        Recorded as a disclosure in two entries around the opening; makes the candidate known to the
        person, not due (rule 7). Needs a fresh second factor (S16).
        """
        looked = self.reveals.tickets.look_again_of(self.units, actor, rotation_id)
        now = self.clock.now()
        with self.units.write() as unit:
            rotation, held = self.held(unit, actor, rotation_id, now)
            account, checkout = held.account, held.checkout
            version = self._staged(unit, rotation)
            refused = Event(
                EventType.REVEAL_REFUSED,
                actor,
                Result.DENIED,
                account.id,
                checkout.id,
                secret=SecretRef.of(version),
            )
            actor = self.reveals.may_see(unit, actor, held, rotation.kind, looked, refused, now)
            after = ROTATION.after(rotation.state, RotationEvent.DISPLAYED)
            if after is None:
                refuse(unit, refused, _state(rotation), now)
            step = self._claim_steps(unit, version, refused, now) if version.kind is PartKind.MFA else None
            rotation = self._show(unit, actor, rotation, after, checkout, version, now)
            reveal = self.reveals.authorize(unit, actor, checkout, version, RevealPurpose.DISPLAY, now)
            authorized = Authorized(actor, held, reveal, version, unit.vault_id, step)
            unit.commit()
        value, receipt = self.reveals.disclose(authorized)
        if step is None:
            return Displayed(rotation, value, (), receipt)
        return Displayed(rotation, None, tuple(_codes(value, step)), receipt)

    def abandon(self, actor: Actor, rotation_id: str) -> Rotation:
        """Drop a plan before anyone saw its value."""
        now = self.clock.now()
        with self.units.write() as unit:
            rotation, held = self.held(unit, actor, rotation_id, now)
            account, checkout = held.account, held.checkout
            after = ROTATION.after(rotation.state, RotationEvent.ABANDONED)
            if after is None:
                raise _state(rotation)
            version = self._staged(unit, rotation)
            failed = VERSION.transitions[version.label, VersionEvent.FAILED]
            unit.versions.relabel(version, failed)
            abandoned = replace(rotation, state=after)
            unit.rotations.update(abandoned)
            unit.log.record(
                Event(
                    EventType.ROTATION_ABANDONED,
                    actor,
                    account_id=account.id,
                    checkout_id=checkout.id,
                    secret=SecretRef.of(version),
                    changes=(
                        *changes(rotation, abandoned),
                        *changes(version, replace(version, label=failed)),
                    ),
                    subject=f"rotation:{rotation.id}",
                ),
                now,
            )
            unit.commit()
        return abandoned

    def seen(self, unit: Unit, actor: Actor, rotation_id: str, now: datetime) -> tuple[Rotation, Account]:
        """Find a rotation on an account in sight and hold the account's row."""
        rotation = unit.rotations.get(rotation_id)
        account = None if rotation is None else unit.accounts.lock(rotation.account_id)
        if rotation is not None and account is not None and self.checkouts.gate.sees(actor, account):
            # read again: it may have moved while the row was waited for
            return unit.rotations.get(rotation_id) or rotation, account
        refuse_absent(unit, actor, "rotation", rotation_id, now)

    def held(self, unit: Unit, actor: Actor, rotation_id: str, now: datetime) -> tuple[Rotation, Held]:
        """Find a rotation whose account's live lease is the actor's own, or theirs as its second person."""
        rotation, account = self.seen(unit, actor, rotation_id, now)
        checkout = unit.checkouts.open_of(account.id)
        if checkout is None or actor.id not in {checkout.requester_id, checkout.second_id}:
            event = Event(EventType.ACCESS_DENIED, actor, account_id=account.id)
            detail = "A rotation is done by whoever holds the account's lease; check the account out first."
            refuse(unit, event, Forbidden("policy.denied", detail, rule="rotation"), now)
        return rotation, self._live(unit, actor, checkout.id, now)

    def _live(self, unit: Unit, actor: Actor, checkout_id: str, now: datetime) -> Held:
        held = self.checkouts.user(unit, actor, checkout_id, now)
        if held.checkout.state is not CheckoutState.ACTIVE:
            refuse(unit, _denied(actor, held), not_active(held.checkout), now)
        return held

    def _active(
        self, unit: Unit, actor: Actor, checkout_id: str, kind: PartKind, now: datetime
    ) -> tuple[Checkout, Account]:
        """Find a live lease under which the actor may plan a value of this part."""
        held = self._live(unit, actor, checkout_id, now)
        require_half(unit, held, actor, kind, _denied(actor, held), now)
        return held.checkout, held.account

    def _plannable(self, unit: Unit, actor: Actor, account: Account, kind: PartKind, now: datetime) -> Part:
        """Give the part, if a rotation of it may be planned now."""
        event = Event(EventType.ACCESS_DENIED, actor, account_id=account.id, detail={"part": kind})
        for rotation in unit.rotations.unsettled(account.id):
            if rotation.kind is kind:
                detail = (
                    f"A rotation of the {kind} is {rotation.state} already; go on with it: {rotation.id}."
                )
                refuse(unit, event, Conflict("rotation.conflict", detail, rotation=rotation.id), now)
        part = next(part for part in unit.accounts.parts(account.id) if part.kind is kind)
        if part.state not in {PartState.ABSENT, PartState.IN_USE, PartState.LOST}:
            detail = f"The {kind} is {part.state}; no new value can be planned now."
            refuse(unit, event, Conflict("rotation.state", detail, state=part.state), now)
        return part

    def _keep(
        self, unit: Unit, actor: Actor, checkout: Checkout, part: Part, sealed: Sealed, now: datetime
    ) -> Rotation:
        unit.versions.add(sealed.version)
        rotation = Rotation(
            id=new_id(),
            account_id=part.account_id,
            kind=part.kind,
            version=sealed.version.number,
            state=ROTATION.start,
            checkout_id=checkout.id,
            planned_by=actor.id,
            planned_at=now,
            recovering=part.state is PartState.LOST,
        )
        unit.rotations.add(rotation)
        unit.log.record(
            Event(
                EventType.ROTATION_PLANNED,
                actor,
                account_id=part.account_id,
                checkout_id=checkout.id,
                secret=SecretRef.of(sealed.version),
                changes=(*changes(None, rotation), *changes(None, sealed.version)),
                kms=logged("seal", sealed.calls),
                subject=f"rotation:{rotation.id}",
            ),
            now,
        )
        return rotation

    def _show(
        self,
        unit: Unit,
        actor: Actor,
        rotation: Rotation,
        after: RotationState,
        checkout: Checkout,
        version: Version,
        now: datetime,
    ) -> Rotation:
        shown = replace(rotation, state=after, displayed_by=actor.id, displayed_at=now)
        unit.rotations.update(shown)
        part = next(part for part in unit.accounts.parts(rotation.account_id) if part.kind is rotation.kind)
        told = list(changes(rotation, shown))
        if part.state is not PartState.ROTATING:
            moved = move_part(unit, part, PartEvent.DISPLAYED, now)
            if moved is None:
                detail = f"The {part.kind} is {part.state}; nothing can be displayed for it now."
                raise Conflict("rotation.state", detail, state=part.state)
            told.append(moved)
        unit.log.record(
            Event(
                EventType.ROTATION_DISPLAYED,
                actor,
                account_id=rotation.account_id,
                checkout_id=checkout.id,
                secret=SecretRef.of(version),
                changes=tuple(told),
                detail={"rotation": rotation.id},
            ),
            now,
        )
        return shown

    def _staged(self, unit: Unit, rotation: Rotation) -> Version:
        version = unit.versions.get(rotation.account_id, rotation.kind, rotation.version)
        if version is None:
            message = f"rotation {rotation.id} has no version"
            raise AssertionError(message)
        return version

    def _claim_steps(self, unit: Unit, version: Version, refused: Event, now: datetime) -> int:
        """Claim this time step and the next, or say when the first free one begins."""
        step = totp.step_of(now)
        if version.last_step >= step or not unit.versions.claim_step(version, step + 1):
            refuse(unit, refused, used(max(step, version.last_step), now), now)
        return step


def _value(kind: PartKind, seed: Secret[str] | None) -> tuple[Secret[str], VersionOrigin]:
    if kind is PartKind.PASSWORD:
        if seed is not None:
            raise Invalid(
                "input.invalid", "A password's rotation takes no seed; the vault makes the candidate."
            )
        return password.generate(), VersionOrigin.GENERATED
    if seed is None:
        detail = "Enter the secret key that AWS shows for the new MFA device, or its otpauth URI."
        raise Invalid("seed.invalid", detail)
    return totp.parse_seed(seed).secret, VersionOrigin.ENTERED


def _codes(seed: Secret[str], step: int) -> list[ShownCode]:
    width = timedelta(seconds=totp.PERIOD)
    return [
        ShownCode(totp.code_at(totp.Seed(seed), each), totp.step_end(each) - width, totp.step_end(each))
        for each in (step, step + 1)
    ]


def _denied(actor: Actor, held: Held) -> Event:
    return Event(EventType.ACCESS_DENIED, actor, account_id=held.account.id, checkout_id=held.checkout.id)


def _state(rotation: Rotation) -> Conflict:
    detail = f"This rotation is {rotation.state}; that cannot be done with it now."
    return Conflict("rotation.state", detail, state=rotation.state)
