"""Release: the customer's acknowledgement.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__)
