"""Campaigns over many accounts, and who does which.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0013"
down_revision = "0012"


FIXED = {
    "campaign_fixed": (
        "campaign",
        "id proposal_id name why parts accounts accounts_per_hour proposed_by agreed_by begun_at until",
    ),
    "campaign_account_fixed": ("campaign_account", "campaign_id account_id"),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("campaign", "campaign_account", "reminder"), fixed=FIXED)
