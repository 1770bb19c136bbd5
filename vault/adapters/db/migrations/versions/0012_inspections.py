"""What a look at an account through its role found.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0012"
down_revision = "0011"

FIXED = {
    "inspection_fixed": ("inspection", "id account_id at facts request_ids"),
    "finding_fixed": ("finding", "id rule account_id subject first_at"),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("inspection", "finding"), fixed=FIXED)
