"""Cases: work on accounts in steps, from taking over to giving back.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__)
