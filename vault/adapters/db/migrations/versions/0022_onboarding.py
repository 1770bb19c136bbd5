"""Onboarding: who bore which root address when, new accounts, and limit increases.

Frozen: what a later version needs is a later migration. Of addresses that were used before, the time is not known here:
the log alone tells it.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0022"
down_revision = "0021"

COLUMNS = ("ALTER TABLE account ADD COLUMN is_new BOOLEAN DEFAULT {no} NOT NULL",)
FIXED = {
    "account_origin_fixed": ("account", "is_new"),
    "root_email_use_fixed": (
        "root_email_use",
        "folded number account_id address use since said_by said_name",
    ),
    "account_limit_fixed": ("account_limit", "customer_id"),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, columns=COLUMNS, kept=("root_email_use", "account_limit"), fixed=FIXED)
