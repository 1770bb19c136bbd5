"""The walk beside the AWS console, and the devices that may still be enrolled there."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.web.api.routes import as_json, blueprint, index_of, operation
from vault.web.api.schemas.walks import DevicesResource, WalkQuery, WalkResource
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders


@operation(
    "GET",
    "/checkouts/<checkout_id>/walk",
    Permission.ACCOUNT_READ,
    problems={409: ("checkout.state", "checkout.expired")},
)
def read_walk(checkout_id: str, sent: WalkQuery) -> WalkResource:
    """Read the steps of a rotation under a running checkout: those done, the one to do now, those after it.

    Computed from what was recorded, so whoever holds the account next goes on where the last one stopped.
    """
    return WalkResource.of(the_vault().walks.of(actor(), checkout_id, sent.part))


@operation("GET", "/accounts/<account_id>/devices", Permission.ACCOUNT_READ)
def list_devices(account_id: str) -> DevicesResource:
    """List the MFA devices of the root user that AWS has, may have or had."""
    return DevicesResource.of(the_vault().devices.of(actor(), account_id))


@operation(
    "POST",
    "/accounts/<account_id>/devices/<version>/removed",
    Permission.CHECKOUT_USE,
    problems={
        403: ("custody.split",),
        404: ("version.absent",),
        409: ("device.state", "checkout.state", "checkout.expired"),
    },
)
def remove_device(account_id: str, version: str) -> DevicesResource:
    """Say that an old MFA device was removed at AWS; for the holder of the account's lease, once a device."""
    vault = the_vault()
    vault.devices.removed(actor(), account_id, index_of(version))
    return DevicesResource.of(vault.devices.of(actor(), account_id))


@renders(blueprint, "devices")
def show_again(account_id: str) -> ResponseReturnValue:
    """Draw an account's devices for a repeated request."""
    return as_json(DevicesResource.of(the_vault().devices.of(actor(), account_id)))
