"""Cases: work on accounts in steps, from taking over to giving back.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0019"
down_revision = "0018"

FIXED = {
    "case_file_fixed": ("case_file", "id kind opened_by opened_at"),
    "case_account_fixed": ("case_account", "case_id account_id position"),
    "case_step_fixed": ("case_step", "case_id account_id step"),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("case_file", "case_account", "case_step"), fixed=FIXED)
