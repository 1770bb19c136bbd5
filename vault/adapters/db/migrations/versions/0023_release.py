"""Release: the end of a handover, and the customer's links.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0023"
down_revision = "0022"

FIXED = {
    "handed_fixed": ("handed", "case_id released_at destroy_after"),
    "customer_link_fixed": (
        "customer_link",
        "id case_id token_hash code_hash sent_to made_by made_at until",
    ),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("handed", "customer_link"), fixed=FIXED)
