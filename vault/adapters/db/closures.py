"""The table of closed accounts; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, Table

from vault.adapters.db.columns import choice, moment, reference, some, words
from vault.adapters.db.tables import metadata
from vault.domain.closure import ClosureState

closure = Table(
    "closure",
    metadata,
    reference("case_id", "case_file.id"),
    reference("account_id", "account.id"),
    choice("state", ClosureState),
    moment("closed_at"),
    moment("dead_at"),
    words("was"),
    moment("ended_at", nullable=True),
    words("ended_by", nullable=True),
    words("words"),
    PrimaryKeyConstraint("case_id", "account_id"),
    CheckConstraint("dead_at > closed_at", name="dies_later"),
    CheckConstraint("(state = 'closed') = (ended_at IS NULL)", name="end_of_state"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="end_whole"),
    Index("closure_by_account", "account_id", "closed_at"),
)
some("closure_waiting", (closure.c.dead_at,), "state = 'closed'")
