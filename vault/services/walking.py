"""Walks: the steps of a rotation beside the AWS console, as a lease's holder and their browser or terminal see them.

Decided here: nothing. The order is `vault.domain.walk`'s; this reads what it is read from, in one unit, and writes
nothing, so looking at a step is never an entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.checkout import CheckoutState, state_at
from vault.domain.credential import PartKind
from vault.domain.device import LIMIT, Device, device_name
from vault.domain.rotation import UNSETTLED
from vault.domain.walk import Ground, Stand, Step, Used, Which, walk
from vault.errors import Conflict, not_found
from vault.ports.store import RevealPurpose, RevealState
from vault.services.devices import devices_of
from vault.services.leases import not_active

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout
    from vault.domain.rotation import Rotation
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate

_ROTATIONS = 50


@dataclass(frozen=True, slots=True)
class WalkView:
    """A walk with its account and devices; `names` are those of the people in it, by id.

    `next_device` is what the next device is to be called at AWS. `is_full` says that AWS takes no further one.
    """

    which: Which
    checkout: Checkout
    account: Account
    steps: tuple[Step, ...]
    devices: tuple[Device, ...]
    next_device: str
    names: Mapping[str, str]

    @property
    def now(self) -> Step:
        """The step to do now; checking in is the last one and never done before the lease is over."""
        return next(step for step in self.steps if step.stand is Stand.NOW)

    @property
    def is_full(self) -> bool:
        """Whether the vault knows of as many devices as AWS takes."""
        return sum(1 for each in self.devices if each.removed_at is None and each.surely) >= LIMIT

    @property
    def old_devices(self) -> tuple[Device, ...]:
        """The devices to take off at AWS."""
        return tuple(each for each in self.devices if each.is_old)


@dataclass(frozen=True, slots=True)
class Walks:
    """The use case of looking where one is."""

    units: Units
    gate: Gate
    clock: Clock

    def of(self, actor: Actor, checkout_id: str, which: Which, rotation_id: str | None = None) -> WalkView:
        """Read the walk of a running checkout on an account in sight.

        `rotation_id` names a rotation that AWS took under an earlier lease, whose last steps are to be done.
        Raises `NotFound`, and `Conflict` checkout.state where the lease does not run.
        """
        now = self.clock.now()
        with self.units.read() as unit:
            checkout = unit.checkouts.get(checkout_id)
            account = None if checkout is None else unit.accounts.get(checkout.account_id)
            if checkout is None or account is None or not self.gate.sees(actor, account):
                raise not_found("checkout", checkout_id[:36])
            if checkout.state is CheckoutState.ACTIVE and state_at(checkout, now) is not CheckoutState.ACTIVE:
                raise Conflict("checkout.expired", "The lease has ended; both values are kept.")
            if checkout.state is not CheckoutState.ACTIVE:
                raise not_active(checkout)
            rotations = unit.rotations.of_account(account.id, _ROTATIONS)
            followed = next((each for each in rotations if each.id == rotation_id), None)
            devices = devices_of(unit, account.id)
            ground = Ground(checkout, rotations, devices, _used(unit, checkout.id), followed)
            steps = walk(which, ground)
            number = unit.versions.next_number(account.id, PartKind.MFA)
            return WalkView(
                which=which,
                checkout=checkout,
                account=account,
                steps=steps,
                devices=devices,
                next_device=device_name(_entered(steps) or number),
                names=_names(unit, steps, devices),
            )


def _used(unit: Unit, checkout_id: str) -> tuple[Used, ...]:
    return tuple(
        Used(each.kind, each.version, each.authorized_at, each.person_id)
        for each in unit.reveals.of_checkout(checkout_id)
        if each.purpose is RevealPurpose.USE and each.state is RevealState.RELEASED
    )


def _entered(steps: Iterable[Step]) -> int | None:
    """Give the version of the device that is being added, if its key was entered."""
    for step in steps:
        rotation = step.rotation
        if (
            step.part is PartKind.MFA
            and rotation is not None
            and rotation.state in UNSETTLED
            and not step.stale
        ):
            return rotation.version
    return None


def _names(unit: Unit, steps: Iterable[Step], devices: Iterable[Device]) -> dict[str, str]:
    """Give the names of everybody who did something on the way."""
    ids = {step.by for step in steps} | {each.removed_by for each in devices}
    for step in steps:
        ids |= _people(step.rotation)
    found = ((each, unit.people.get(each)) for each in ids if each is not None)
    return {number: person.name for number, person in found if person is not None}


def _people(rotation: Rotation | None) -> set[str | None]:
    if rotation is None:
        return set()
    return {rotation.planned_by, rotation.displayed_by, rotation.attested_by, rotation.verified_by}
