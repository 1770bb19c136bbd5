"""What proved a rotation may be a record of AWS's own.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out, widen

revision = "0011"
down_revision = "0010"

BEFORE = "evidence IN ('later_use', 'second_person')"
AFTER = "evidence IN ('aws_record', 'later_use', 'second_person')"


def upgrade() -> None:
    """Add what is new."""
    widen("rotation", "rotation_evidence_known", BEFORE, AFTER)
    carry_out(__file__, columns=("ALTER TABLE rotation ADD COLUMN overdue_at {moment}",))
