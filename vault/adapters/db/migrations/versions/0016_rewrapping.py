"""Wraps under other keys, and drills.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__)
