"""The table of recovery recipients; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, Table

from vault.adapters.db.columns import moment, reference, some
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key

recovery_recipient = Table(
    "recovery_recipient",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("recipient", Key, nullable=False),
    moment("effective_at"),
    reference("proposal_id", "proposal.id", nullable=True),
    moment("ended_at", nullable=True),
    CheckConstraint("recipient = '' OR substr(recipient, 1, 4) = 'age1'", name="recipient_named"),
)
some(
    "recovery_recipient_counts",
    (recovery_recipient.c.number, recovery_recipient.c.effective_at),
    "ended_at IS NULL",
)
