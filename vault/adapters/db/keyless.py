"""The tables of members without root credentials; what the database itself refuses about them."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table

from vault.adapters.db.columns import choice, moment, reference, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.keyless import KeylessState, Task

keyless = Table(
    "keyless",
    metadata,
    Column("account_id", Key, ForeignKey("account.id"), primary_key=True),
    reference("payer_id", "account.id"),
    choice("state", KeylessState),
    moment("seen_at"),
    words("found"),
    moment("changed_at"),
    reference("proposal_id", "proposal.id", nullable=True),
    CheckConstraint(
        "(state IN ('allowing', 'removing')) = (proposal_id IS NOT NULL)", name="under_way_by_proposal"
    ),
)

task_session = Table(
    "task_session",
    metadata,
    Column("id", Key, primary_key=True),
    reference("account_id", "account.id"),
    reference("payer_id", "account.id"),
    choice("task", Task),
    moment("asked_at"),
    Column("entry", BigInteger, nullable=False),
    Column("access_key", Key),
    Index("task_session_by_access_key", "access_key", unique=True),
    Index("task_session_by_account", "account_id", "asked_at"),
)
