"""Destruction of what a vault could open.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__)
