"""Passkeys and their challenges.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0007"
down_revision = "0006"

KEPT = ("passkey", "assertion", "confirmation")
FIXED = {
    "passkey_fixed": ("passkey", "id person_id credential public_key name backed_up created_at"),
    "assertion_fixed": ("assertion", "id person_id passkey_id session request_mac at"),
    "confirmation_fixed": (
        "confirmation",
        "id person_id session request_mac method path content account_id checkout_id asked_at expires_at",
    ),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=KEPT, fixed=FIXED)
