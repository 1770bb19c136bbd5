"""Closures and moves.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0024"
down_revision = "0023"


FIXED = {
    "account_tenure_fixed": ("account_tenure", "account_id number customer_id since until"),
    "closure_fixed": ("closure", "case_id account_id closed_at dead_at was"),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("account_tenure", "closure"), fixed=FIXED)
