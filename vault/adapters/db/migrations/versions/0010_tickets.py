"""What ticket systems said.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0010"
down_revision = "0009"

COLUMNS = ("ALTER TABLE checkout ADD COLUMN ticket_mark TEXT DEFAULT '' NOT NULL",)
FIXED = {"checkout_ticket_mark_fixed": ("checkout", "ticket_mark")}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, columns=COLUMNS, fixed=FIXED)
