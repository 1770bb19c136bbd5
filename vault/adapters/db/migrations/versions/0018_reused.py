"""Values that two credentials had at once.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0018"
down_revision = "0017"


FIXED = {"reused_value_fixed": ("reused_value", "account_id kind version found_at found_by")}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("reused_value",), fixed=FIXED)
