"""Wraps under other keys, and drills.

Frozen: what a later version needs is a later migration. From here on the guard of a version leaves its wraps out,
because re-wrapping replaces them; everything else that it guarded stays guarded.
"""

from __future__ import annotations

from typing import Final

from alembic import op

from vault.adapters.db.migrations.steps import carry_out

revision = "0016"
down_revision = "0015"

COLUMNS: Final = (
    "ALTER TABLE version ADD COLUMN drilled_at {moment}",
    "ALTER TABLE version ADD COLUMN drill_fault TEXT DEFAULT '' NOT NULL",
)
FIXED: Final = {
    "version_fixed": ("version", "account_id kind number origin body sha256 created_at created_by"),
}


def upgrade() -> None:
    """Add what is new."""
    connection = op.get_bind()
    on = " ON version" if connection.dialect.name == "postgresql" else ""
    connection.exec_driver_sql(f"DROP TRIGGER version_fixed{on}")
    carry_out(__file__, columns=COLUMNS, fixed=FIXED)
