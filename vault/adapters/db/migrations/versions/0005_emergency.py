"""Break-glass, freezes and split custody.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0005"
down_revision = "0004"

COLUMNS = (
    "ALTER TABLE customer ADD COLUMN split_custody BOOLEAN DEFAULT {no} NOT NULL",
    "ALTER TABLE account ADD COLUMN split_custody BOOLEAN DEFAULT {no} NOT NULL",
    "ALTER TABLE checkout ADD COLUMN break_glass BOOLEAN DEFAULT {no} NOT NULL",
    "ALTER TABLE checkout ADD COLUMN revoked_id TEXT{bytewise}",
    "ALTER TABLE checkout ADD COLUMN reviewed_by TEXT",
    "ALTER TABLE checkout ADD COLUMN reviewed_at {moment}",
    (
        "ALTER TABLE checkout ADD COLUMN verdict TEXT"
        " CONSTRAINT checkout_verdict_known CHECK (verdict IN ('justified', 'not_justified'))"
    ),
    (
        "ALTER TABLE checkout ADD COLUMN review_note TEXT CONSTRAINT checkout_review_whole CHECK"
        " ((reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (verdict IS NULL)"
        " AND (reviewed_at IS NULL OR break_glass))"
    ),
    (
        "ALTER TABLE checkout ADD COLUMN second_id TEXT{bytewise}"
        " CONSTRAINT checkout_second_is_another CHECK (second_id <> requester_id)"
    ),
    "ALTER TABLE checkout ADD COLUMN second_name TEXT",
    (
        "ALTER TABLE checkout ADD COLUMN joined_at {moment}"
        " CONSTRAINT checkout_second_whole CHECK ((second_id IS NULL) = (joined_at IS NULL))"
    ),
)
FIXED = {
    "frozen_fixed": ("frozen", "id kind target why set_by set_by_name set_at"),
    "checkout_glass_fixed": ("checkout", "break_glass revoked_id"),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, columns=COLUMNS, kept=("frozen",), fixed=FIXED)
