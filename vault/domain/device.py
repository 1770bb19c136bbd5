"""MFA devices of a root user: which of those the vault knows of may still be enrolled at AWS.

AWS takes up to eight devices of a root user, and any one of them signs in (IAM User Guide, "Multi-factor
authentication in IAM"). So a device is replaced by adding before removing: at no moment is there none. The vault
keeps a device's seed as a version of the part `mfa`; that AWS does not have it any more is a person's word.

Decided here: what a device is called, and which count. A device that AWS refused was never enrolled; one whose
outcome nobody knows may be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from vault.domain.credential import PartKind, VersionLabel, VersionOrigin
from vault.domain.rotation import RotationState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault.domain.credential import Version
    from vault.domain.rotation import Rotation

LIMIT: Final = 8
"""How many devices AWS takes of one root user (IAM User Guide, "Multi-factor authentication in IAM")."""
_MAY: Final = frozenset({RotationState.DISPLAYED, RotationState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Device:
    """One device that AWS may have, by the version that holds its seed.

    `name` is what it was to be called at AWS, and empty for one that was there before the vault; `in_use` says that
    its codes are the ones to sign in with, `surely` that AWS took it.
    """

    version: int
    name: str
    in_use: bool
    surely: bool
    removed_at: datetime | None = None
    removed_by: str | None = None

    @property
    def is_old(self) -> bool:
        """Whether it is one to take off at AWS: enrolled, and not the one in use."""
        return self.removed_at is None and self.surely and not self.in_use


def device_name(version: int) -> str:
    """Give what a device is to be called at AWS: letters, digits and a dash, once for each version."""
    return f"rv-{version}"


def devices(versions: Iterable[Version], rotations: Iterable[Rotation]) -> tuple[Device, ...]:
    """List the devices that AWS has, may have or had, newest first."""
    waiting = {each.version for each in rotations if each.kind is PartKind.MFA and each.state in _MAY}
    found = [
        Device(
            version=each.number,
            name="" if each.origin is VersionOrigin.TAKEN_IN else device_name(each.number),
            in_use=each.label is VersionLabel.CURRENT,
            surely=each.label is not VersionLabel.STAGED,
            removed_at=each.device_removed_at,
            removed_by=each.device_removed_by,
        )
        for each in versions
        if each.kind is PartKind.MFA and _counts(each, waiting)
    ]
    return tuple(sorted(found, key=lambda device: -device.version))


def _counts(version: Version, waiting: set[int]) -> bool:
    if version.label is VersionLabel.STAGED:
        return version.number in waiting
    return version.label is not VersionLabel.FAILED
