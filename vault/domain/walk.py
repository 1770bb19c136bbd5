"""The walk: the steps of a rotation beside the AWS console, in order, read from what was recorded.

Nothing of a walk is stored. Which step is next follows from rotations, devices and disclosures alone, so another
operator, another browser or a terminal goes on exactly where the last one stopped, and no step is lost with a page.

Decided here: the order. The device goes first and the password last, because every sign-in on the way shows the
password that is set then; the last one is seen only while it is set. A device is added before one is removed, and the
new one has signed in before the old one goes (`vault.domain.device`). Whatever nobody knows is found out first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vault.domain.credential import PartKind
from vault.domain.rotation import UNSETTLED, Rotation, RotationState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vault.domain.checkout import Checkout
    from vault.domain.device import Device

SIGN_IN_AT: Final = "https://console.aws.amazon.com/"
"""Where one signs in as root user (AWS Sign-In User Guide, "Sign in as the root user")."""
CREDENTIALS_AT: Final = "https://console.aws.amazon.com/iam/home#/security_credentials"
"""Where root's password and devices are changed (IAM User Guide, "Enable a virtual MFA device for the root user")."""


class Which(StrEnum):
    """What is rotated in one go."""

    PASSWORD = "password"  # noqa: S105 - the name of a part, not a value
    MFA = "mfa"
    BOTH = "both"


class Act(StrEnum):
    """What one does at a step."""

    FIND_OUT = "find_out"
    SIGN_IN = "sign_in"
    ADD = "add"
    CODES = "codes"
    PROVE = "prove"
    REMOVE = "remove"
    SET = "set"
    CHECK_IN = "check_in"


class Stand(StrEnum):
    """Where a step stands."""

    DONE = "done"
    NOW = "now"
    LATER = "later"


_ORDER: Final[Mapping[Which, tuple[Act, ...]]] = {
    Which.PASSWORD: (Act.SIGN_IN, Act.SET, Act.CHECK_IN),
    Which.MFA: (Act.SIGN_IN, Act.ADD, Act.CODES, Act.PROVE, Act.REMOVE, Act.CHECK_IN),
    Which.BOTH: (Act.SIGN_IN, Act.ADD, Act.CODES, Act.PROVE, Act.REMOVE, Act.SET, Act.CHECK_IN),
}
_SETS: Final[Mapping[PartKind, frozenset[Act]]] = {
    PartKind.PASSWORD: frozenset({Act.SET}),
    PartKind.MFA: frozenset({Act.ADD, Act.CODES}),
}
_PART: Final[Mapping[Act, PartKind]] = {
    Act.ADD: PartKind.MFA,
    Act.CODES: PartKind.MFA,
    Act.REMOVE: PartKind.MFA,
    Act.SET: PartKind.PASSWORD,
}
_TAKEN: Final = frozenset({RotationState.ACCEPTED, RotationState.VERIFIED})


@dataclass(frozen=True, slots=True)
class Used:
    """A password, or a code of a device, that was given out under the lease to sign in with."""

    kind: PartKind
    version: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What a walk is read from; rotations newest first, uses oldest first, `followed` as `vault.services.walking`."""

    checkout: Checkout
    rotations: Sequence[Rotation]
    devices: Sequence[Device]
    used: Sequence[Used] = ()
    followed: Rotation | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to do, for which part, and who did it when.

    `stale` says that a key was entered under an earlier lease: AWS shows another one by now.
    """

    act: Act
    part: PartKind | None
    stand: Stand
    rotation: Rotation | None = None
    at: datetime | None = None
    by: str | None = None
    stale: bool = False


def walk(which: Which, ground: Ground) -> tuple[Step, ...]:
    """Give the steps of a walk: those that are done, the one to do now, and those after it."""
    steps: list[Step] = []
    is_now = True
    for step in _steps(which, ground):
        done = step.stand is Stand.DONE
        stand = Stand.DONE if done else Stand.NOW if is_now else Stand.LATER
        is_now = is_now and done
        steps.append(replace(step, stand=stand))
    return tuple(steps)


def _steps(which: Which, ground: Ground) -> Iterator[Step]:
    """Give the steps in order; every one that is not done stands as later."""
    parts = [PartKind(each) for each in ("password", "mfa") if which in {Which.BOTH, Which(each)}]
    open_ = {part: _rotation(part, ground) for part in parts}
    unknown = [
        part for part, each in open_.items() if each is not None and each.state is RotationState.UNKNOWN
    ]
    for part in unknown:
        yield Step(Act.FIND_OUT, part, Stand.LATER, open_[part])
    # who finds a value out signs in, and has it set already if it is the new one
    left_out = {act for part in unknown for act in _SETS[part]} | ({Act.SIGN_IN} if unknown else set())
    for act in _ORDER[which]:
        if act in left_out or (act is Act.REMOVE and not _others(ground, open_.get(PartKind.MFA))):
            continue
        changed = _PART.get(act)
        about = PartKind.MFA if act is Act.PROVE else changed
        yield _step(act, changed, ground, None if about is None else open_.get(about))


def _step(act: Act, part: PartKind | None, ground: Ground, rotation: Rotation | None) -> Step:
    lease = ground.checkout.id
    step = Step(act, part, Stand.LATER, rotation)
    if act is Act.SIGN_IN:
        return _signed_in(step, ground)
    if rotation is None or act is Act.CHECK_IN:
        return step
    if act is Act.ADD:
        if rotation.state is RotationState.PLANNED and rotation.checkout_id != lease:
            return replace(step, stale=True)
        return replace(step, stand=Stand.DONE, at=rotation.planned_at, by=rotation.planned_by)
    if rotation.state not in _TAKEN:
        return step
    if act in {Act.CODES, Act.SET}:
        return replace(step, stand=Stand.DONE, at=rotation.attested_at, by=rotation.attested_by)
    if act is Act.REMOVE:
        return _removed(step, ground)
    return _proven(step, ground, rotation)


def _signed_in(step: Step, ground: Ground) -> Step:
    """Say whether somebody signed in: what that takes was given out under this lease, or more was done under it."""
    last = PartKind.MFA if any(each.in_use for each in ground.devices) else PartKind.PASSWORD
    for used in ground.used:
        if used.kind is last:
            return replace(step, stand=Stand.DONE, at=used.at, by=used.by)
    lease = ground.checkout.id
    begun = any(lease in {each.checkout_id, each.attested_in} for each in ground.rotations)
    # what is shown at this moment was shown under this lease: its end makes it unknown
    begun = begun or any(each.state is RotationState.DISPLAYED for each in ground.rotations)
    follows = ground.followed is not None and ground.followed.state in _TAKEN
    return replace(step, stand=Stand.DONE) if begun or follows else step


def _proven(step: Step, ground: Ground, rotation: Rotation) -> Step:
    """Say whether the new device has signed in: a code of it was given out after AWS took it, or it is verified."""
    if rotation.state is RotationState.VERIFIED:
        return replace(step, stand=Stand.DONE, at=rotation.verified_at, by=rotation.verified_by)
    for used in ground.used:
        if (
            used.kind is PartKind.MFA
            and used.version == rotation.version
            and rotation.attested_at is not None
            and used.at >= rotation.attested_at
        ):
            return replace(step, stand=Stand.DONE, at=used.at, by=used.by)
    return step


def _removed(step: Step, ground: Ground) -> Step:
    """Say whether every device but the one in use was taken off."""
    if any(each.is_old for each in ground.devices):
        return step
    gone = [(each.removed_at, each.removed_by) for each in ground.devices if each.removed_at is not None]
    if not gone:
        return replace(step, stand=Stand.DONE)
    at, by = max(gone, key=lambda each: each[0])
    return replace(step, stand=Stand.DONE, at=at, by=by)


def _rotation(part: PartKind, ground: Ground) -> Rotation | None:
    """Find the rotation of a part that the walk is about: the open one, else what AWS took under this lease."""
    found = [each for each in ground.rotations if each.kind is part]
    for each in found:
        if each.state in UNSETTLED:
            return each
    if ground.followed is not None and ground.followed.kind is part and ground.followed.state in _TAKEN:
        return ground.followed
    taken = [each for each in found if each.attested_in == ground.checkout.id and each.state in _TAKEN]
    return max(taken, key=lambda each: each.version, default=None)


def _others(ground: Ground, rotation: Rotation | None) -> bool:
    """Say whether there is a device beside the new one: to take off, or taken off under this lease."""
    new = None if rotation is None else rotation.version
    begun = ground.checkout.activated_at
    return any(
        each.version != new and (each.removed_at is None or (begun is not None and each.removed_at >= begun))
        for each in ground.devices
    )
