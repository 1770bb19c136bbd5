"""MFA devices at AWS: which may still be enrolled, and the word that one was taken off (add before remove).

Decided here: who may say so, and of which. Nothing follows for the seed: a mistaken word loses no credential, the
version before opens for as long as the new one is not proven (rule 4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.checkout import CheckoutState
from vault.domain.credential import PartKind
from vault.domain.device import Device, devices
from vault.domain.event import Event, EventType, SecretRef
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, NotFound
from vault.services.gate import refuse
from vault.services.leases import not_active
from vault.services.split import require_half

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Held, Unit, Units
    from vault.services.checkouts import Checkouts

_ROTATIONS = 50


@dataclass(frozen=True, slots=True)
class Devices:
    """Use cases on the MFA devices of a root user."""

    units: Units
    checkouts: Checkouts
    clock: Clock

    def of(self, actor: Actor, account_id: str) -> tuple[Device, ...]:
        """List the devices of an account in sight, newest first."""
        with self.units.read() as unit:
            account = self.checkouts.gate.account(unit, actor, account_id, self.clock.now())
            return devices_of(unit, account.id)

    def removed(self, actor: Actor, account_id: str, number: int) -> Device:
        """Say that the device of seed version `number` was taken off at AWS; said once, under one's own lease.

        Raises `Conflict` device.state, checkout.state or checkout.expired, `Forbidden` for who does not hold the
        lease, `NotFound` version.absent.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            held = self._held(unit, actor, account_id, now)
            denied = Event(
                EventType.ACCESS_DENIED,
                actor,
                account_id=account_id,
                checkout_id=held.checkout.id,
                detail={"device": number},
            )
            require_half(unit, held, actor, PartKind.MFA, denied, now)
            device = next((each for each in devices_of(unit, account_id) if each.version == number), None)
            version = None if device is None else unit.versions.get(account_id, PartKind.MFA, number)
            if device is None or version is None:
                detail = f"The vault knows of no device of version {number} at AWS for {account_id}."
                refuse(unit, denied, NotFound("version.absent", detail), now)
            words = _why_not(device)
            if words:
                refuse(unit, denied, Conflict("device.state", words, version=number), now)
            unit.versions.device_removed(version, now, actor.id)
            unit.log.record(
                Event(
                    EventType.DEVICE_REMOVED,
                    actor,
                    account_id=account_id,
                    checkout_id=held.checkout.id,
                    secret=SecretRef.of(version),
                    changes=changes(
                        version, replace(version, device_removed_at=now, device_removed_by=actor.id)
                    ),
                    subject=f"devices:{account_id}",
                ),
                now,
            )
            unit.commit()
        return replace(device, removed_at=now, removed_by=actor.id)

    def _held(self, unit: Unit, actor: Actor, account_id: str, now: datetime) -> Held:
        account = self.checkouts.gate.account(unit, actor, account_id, now, lock=True)
        checkout = unit.checkouts.open_of(account.id)
        denied = Event(EventType.ACCESS_DENIED, actor, account_id=account.id)
        if checkout is None or actor.id not in {checkout.requester_id, checkout.second_id}:
            words = "Only the holder of the account's lease says what was done at AWS; check it out first."
            refuse(unit, denied, Forbidden("policy.denied", words, rule="rotation"), now)
        held = self.checkouts.user(unit, actor, checkout.id, now)
        if held.checkout.state is not CheckoutState.ACTIVE:
            refuse(unit, replace(denied, checkout_id=checkout.id), not_active(held.checkout), now)
        return held


def devices_of(unit: Unit, account_id: str) -> tuple[Device, ...]:
    """List the devices of an account."""
    versions = unit.versions.of(account_id, PartKind.MFA)
    return devices(versions, unit.rotations.of_account(account_id, _ROTATIONS))


def _why_not(device: Device) -> str:
    """Say why a device cannot be said to be removed, or nothing."""
    if device.removed_at is not None:
        return "That device was said to be removed before."
    if device.in_use:
        return (
            "That is the device whose codes sign in now. Enrol another one and have AWS take it first; "
            "if this one is gone, say so of its rotation."
        )
    if not device.surely:
        return "Say first what AWS did with that device: whether it was enrolled is not settled."
    return ""
