"""Notices to people.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0009"
down_revision = "0008"


FIXED = {
    "notice_fixed": (
        "notice",
        "id entry_id entry event topic recipient channel urgent account_id at made_at",
    ),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, kept=("notice_choice",), fixed=FIXED)
