"""What takes two people: proposals.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0003"
down_revision = "0002"

FIXED = {
    "proposal_fixed": (
        "proposal",
        "id kind subject content why proposed_by proposed_at scope_kind scope_target",
    ),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("proposal",), fixed=FIXED)
