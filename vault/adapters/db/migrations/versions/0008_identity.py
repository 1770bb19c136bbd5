"""Identity providers, and machines' tokens.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from vault.adapters.db.migrations.steps import carry_out

revision = "0008"
down_revision = "0007"

COLUMNS = (
    "ALTER TABLE browser_session ADD COLUMN issuer TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE browser_session ADD COLUMN withheld TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE api_token ADD COLUMN addresses TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE api_token ADD COLUMN withheld TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE api_token ADD COLUMN used_from TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE api_token ADD COLUMN effective_at {moment}",
)
FIXED = {
    "browser_session_came": ("browser_session", "issuer withheld"),
    "api_token_bound": ("api_token", "addresses withheld"),
    "identity_fixed": ("identity", "id person_id issuer subject linked_at"),
}


def upgrade() -> None:
    """Add what is new."""
    carry_out(__file__, columns=COLUMNS, kept=("identity",), fixed=FIXED)
