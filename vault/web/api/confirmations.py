"""What waits in the browser for its person's passkey: where it stands, for the program that asked."""

from __future__ import annotations

from vault.web.api.routes import operation
from vault.web.api.schemas.confirmations import ConfirmationResource
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN


@operation("GET", "/confirmations/<confirmation_id>", SIGNED_IN)
def read_confirmation(confirmation_id: str) -> ConfirmationResource:
    """Say where a confirmation of yours stands.

    A program whose person has a passkey is answered 401 `auth.passkey_required` with `confirm_url`. Once this says
    `confirmed`, the same request, sent again with the confirmation's id as `otp`, is done, once.
    """
    vault = the_vault()
    found = vault.passkeys.confirmation(actor(), confirmation_id)
    return ConfirmationResource(
        id=found.id,
        state=found.state(vault.clock.now()),
        method=found.method,
        path=found.path,
        account_id=found.account_id,
        checkout_id=found.checkout_id,
        asked_at=found.asked_at,
        expires_at=found.expires_at,
    )
