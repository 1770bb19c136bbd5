"""What leaves the vault under a live lease: a password, a code. Each is an entry, and carries its receipt."""

from __future__ import annotations

from typing import Final

from vault.domain.policy import Permission
from vault.web.api.routes import Problems, operation
from vault.web.api.schemas.disclosures import CodeResource, PasswordResource, Which
from vault.web.auth import actor, the_vault

KEYS: Final = (
    "keys.unavailable",
    "keys.throttled",
    "keys.disabled",
    "keys.state",
    "keys.not_found",
    "keys.denied",
    "keys.unknown",
)
"""How a key service may fail; what is asked for is then refused, in bounded time (S5)."""

OPENING: Final = (*KEYS, "envelope.tampered", "envelope.wrong_key", "envelope.format", "envelope.not_current")

_PROBLEMS: Final[Problems] = {
    401: ("auth.step_up_required",),
    403: ("custody.split",),
    404: ("version.absent",),
    409: ("checkout.state", "checkout.expired", "version.absent"),
    423: ("frozen",),
    429: ("reveal.quota",),
    503: OPENING,
}


@operation("POST", "/checkouts/<checkout_id>/password", Permission.CHECKOUT_USE, problems=_PROBLEMS)
def reveal_password(checkout_id: str, sent: Which) -> PasswordResource:
    """Reveal the root password; needs a fresh step-up.

    Another version than the current one opens only while AWS's side is not proven. A disclosed password
    is due for rotation.
    """
    return PasswordResource.of(the_vault().reveals.password(actor(), checkout_id, sent.wanted))


@operation(
    "POST",
    "/checkouts/<checkout_id>/code",
    Permission.CHECKOUT_USE,
    problems={**_PROBLEMS, 409: (*_PROBLEMS[409], "otp.used")},
)
def reveal_code(checkout_id: str, sent: Which) -> CodeResource:
    """Give the MFA code of the present time step; needs a fresh step-up. No step's code is given twice."""
    return CodeResource.of(the_vault().reveals.code(actor(), checkout_id, sent.wanted))
