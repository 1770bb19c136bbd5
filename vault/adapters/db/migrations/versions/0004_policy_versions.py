"""The policy: its versions.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0004"
down_revision = "0003"

FIXED = {"policy_version_fixed": ("policy_version", "number digest text effective_at proposal_id")}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("policy_version",), fixed=FIXED)
