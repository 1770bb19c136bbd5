"""Walks and devices on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from vault.domain.credential import PartKind
from vault.domain.device import LIMIT, Device
from vault.domain.rotation import RotationState
from vault.domain.walk import CREDENTIALS_AT, SIGN_IN_AT, Act, Stand, Step, Which
from vault.services.walking import WalkView
from vault.web.api.schemas.base import Lax, Query, Resource

_NEXT: Final[dict[Act, str]] = {
    Act.FIND_OUT: "Sign in with the new value, else with the one before; then attest accepted or refused.",
    Act.SIGN_IN: "Sign in as root with the current password and a code of the current device.",
    Act.ADD: "Assign a new MFA device at AWS under `next_device`, and plan it with the secret key that AWS shows.",
    Act.CODES: "Display two codes, type both at AWS, then attest what it said.",
    Act.PROVE: "Sign out and in again with a code of the new device.",
    Act.REMOVE: "Remove the old devices at AWS, and say so of each.",
    Act.SET: "Plan and display a new password, set it at AWS, then attest what it said.",
    Act.CHECK_IN: "Check in.",
}


class WalkQuery(Query):
    """What is rotated."""

    part: Annotated[Which, Lax] = Which.BOTH


class StepResource(Resource):
    """One step of a walk."""

    act: Act
    part: PartKind | None
    stand: Stand
    rotation: str | None = Field(description="The rotation that it is about, once there is one.")
    version: int | None
    state: RotationState | None
    stale: bool = Field(
        description="The key was entered under an earlier lease: AWS shows another one by now."
    )
    at: datetime | None
    by: str | None = Field(description="Name of who did it.")
    next: str = Field(description="What to do.")

    @classmethod
    def of(cls, step: Step, view: WalkView) -> StepResource:
        """Show one."""
        rotation = step.rotation
        return cls(
            act=step.act,
            part=step.part,
            stand=step.stand,
            rotation=None if rotation is None else rotation.id,
            version=None if rotation is None else rotation.version,
            state=None if rotation is None else rotation.state,
            stale=step.stale,
            at=step.at,
            by=None if step.by is None else view.names.get(step.by, step.by),
            next=_NEXT[step.act],
        )


class DeviceResource(Resource):
    """An MFA device that AWS has, may have or had."""

    version: int
    name: str | None = Field(
        description="What it was to be called at AWS; null for one from before the vault."
    )
    in_use: bool
    old: bool = Field(description="It is to be taken off at AWS.")
    removed_at: datetime | None
    removed_by: str | None

    @classmethod
    def of(cls, device: Device) -> DeviceResource:
        """Show one."""
        return cls(
            version=device.version,
            name=device.name or None,
            in_use=device.in_use,
            old=device.is_old,
            removed_at=device.removed_at,
            removed_by=device.removed_by,
        )


class DevicesResource(Resource):
    """The MFA devices of a root user, newest first."""

    items: list[DeviceResource]
    limit: int = Field(description="How many AWS takes.")

    @classmethod
    def of(cls, found: Iterable[Device]) -> DevicesResource:
        """Show them."""
        return cls(items=[DeviceResource.of(each) for each in found], limit=LIMIT)


class WalkResource(Resource):
    """The steps of a rotation beside the AWS console, in order."""

    checkout_id: str
    account_id: str
    root_email: str
    part: Which
    steps: list[StepResource]
    devices: list[DeviceResource]
    next_device: str = Field(description="What the new device is to be called at AWS.")
    full: bool = Field(description="The vault knows of as many devices as AWS takes; remove one first.")
    sign_in_at: str
    credentials_at: str

    @classmethod
    def of(cls, view: WalkView) -> WalkResource:
        """Show one."""
        return cls(
            checkout_id=view.checkout.id,
            account_id=view.account.id,
            root_email=view.account.root_email,
            part=view.which,
            steps=[StepResource.of(each, view) for each in view.steps],
            devices=[DeviceResource.of(each) for each in view.devices],
            next_device=view.next_device,
            full=view.is_full,
            sign_in_at=SIGN_IN_AT,
            credentials_at=CREDENTIALS_AT,
        )
