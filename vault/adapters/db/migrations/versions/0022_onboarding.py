"""Onboarding: every root address that was ever used.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__)
