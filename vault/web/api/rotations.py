"""Rotations: plan, read, display, attest, verify, abandon."""

from __future__ import annotations

from typing import Final

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.api.disclosures import KEYS, OPENING
from vault.web.api.routes import Problems, as_json, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.rotations import (
    Attestation,
    DisplayedCodes,
    DisplayedPassword,
    NewRotation,
    RotationQuery,
    RotationResource,
    Verification,
    WaitingRotation,
    displayed,
)
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders

_STATE: Final[Problems] = {409: ("rotation.state", "checkout.state", "checkout.expired")}


@operation(
    "POST",
    "/checkouts/<checkout_id>/rotations",
    Permission.CHECKOUT_USE,
    creates="/rotations/{id}",
    problems={
        403: ("custody.split",),
        409: ("rotation.conflict", *_STATE[409]),
        422: ("seed.invalid",),
        503: KEYS,
    },
)
def plan_rotation(checkout_id: str, sent: NewRotation) -> RotationResource:
    """Seal a new value before anyone sees it.

    For `password` the vault makes a candidate; for `mfa` send the `seed` that AWS shows.
    """
    return RotationResource.of(the_vault().rotations.plan(actor(), checkout_id, sent.part, sent.seed))


@operation("GET", "/rotations", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_rotations(sent: RotationQuery) -> Items[WaitingRotation]:
    """List rotations in sight that AWS is said to have taken and that wait for their proof, the oldest first."""
    proving = the_vault().proving
    page = proving.page(actor(), sent.wanted(proving.overdue_before()), Slice(sent.limit, sent.cursor))
    now = the_vault().clock.now()
    return Items[WaitingRotation](
        items=[WaitingRotation.of_one(each, now) for each in page.items], next=page.next
    )


@operation("GET", "/rotations/<rotation_id>", Permission.ACCOUNT_READ)
def read_rotation(rotation_id: str) -> RotationResource:
    """Read one rotation."""
    return RotationResource.of(the_vault().views.rotation(actor(), rotation_id).rotation)


@operation(
    "POST",
    "/rotations/<rotation_id>/display",
    Permission.CHECKOUT_USE,
    problems={
        401: ("auth.step_up_required",),
        403: ("custody.split",),
        409: ("otp.used", *_STATE[409]),
        423: ("frozen",),
        503: OPENING,
    },
)
def display_rotation(rotation_id: str) -> DisplayedPassword | DisplayedCodes:
    """Show the staged password, or two consecutive codes of the staged seed; needs a fresh step-up."""
    vault = the_vault()
    shown = vault.rotations.display(actor(), rotation_id)
    return displayed(shown, vault.clock.now())


@operation("POST", "/rotations/<rotation_id>/attest", Permission.CHECKOUT_USE, problems=_STATE)
def attest_rotation(rotation_id: str, sent: Attestation) -> RotationResource:
    """Say what AWS did with the displayed value; `accepted` makes it current."""
    return RotationResource.of(the_vault().attestations.attest(actor(), rotation_id, sent.outcome))


@operation(
    "POST",
    "/rotations/<rotation_id>/verify",
    Permission.ROTATION_VERIFY,
    problems={403: ("policy.second_person",), **_STATE},
)
def verify_rotation(rotation_id: str, sent: Verification) -> RotationResource:
    """Prove an accepted rotation, as another person or by a later use; what came before is retired."""
    return RotationResource.of(the_vault().attestations.verify(actor(), rotation_id, sent.evidence))


@operation("POST", "/rotations/<rotation_id>/abandon", Permission.CHECKOUT_USE, problems=_STATE)
def abandon_rotation(rotation_id: str) -> RotationResource:
    """Drop a plan before anyone saw its value."""
    return RotationResource.of(the_vault().rotations.abandon(actor(), rotation_id))


@renders(blueprint, "rotation")
def show_again(rotation_id: str) -> ResponseReturnValue:
    """Draw a rotation for a repeated request."""
    return as_json(RotationResource.of(the_vault().views.rotation(actor(), rotation_id).rotation))
