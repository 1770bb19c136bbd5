"""The offline recovery recipient.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0015"
down_revision = "0014"

FIXED = {"recovery_recipient_fixed": ("recovery_recipient", "number recipient effective_at proposal_id")}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("recovery_recipient",), fixed=FIXED)
