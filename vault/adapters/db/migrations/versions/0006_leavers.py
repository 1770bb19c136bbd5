"""Leavers: what they may know.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0006"
down_revision = "0005"


COLUMNS = ("ALTER TABLE person ADD COLUMN next_seed {bytes}", "ALTER TABLE person ADD COLUMN link_by TEXT")

FIXED = {
    "leaver_knows_fixed": (
        "leaver_knows",
        "person_id account_id kind version way known_since left_at",
    ),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, columns=COLUMNS, kept=("leaver_knows",), fixed=FIXED)
