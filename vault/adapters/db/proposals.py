"""The table of what takes two people; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, text

from vault.adapters.db.columns import moment, only_one, own_id, scope, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Choice, Key
from vault.domain.proposal import ProposalKind

proposal = Table(
    "proposal",
    metadata,
    own_id(),
    # which kinds there are is not the database's to know: it grows with what takes two people
    Column("kind", Choice(ProposalKind), nullable=False),
    Column("subject", Key, nullable=False),
    words("content"),
    words("why"),
    words("proposed_by"),
    moment("proposed_at"),
    *scope(),
    words("confirmed_by", nullable=True),
    moment("confirmed_at", nullable=True),
    moment("effective_at", nullable=True),
    moment("ended_at", nullable=True),
    words("ended_by", nullable=True),
    CheckConstraint(
        "(confirmed_by IS NULL) = (confirmed_at IS NULL) AND (confirmed_by IS NULL) = (effective_at IS NULL)",
        name="second_word_whole",
    ),
    CheckConstraint("confirmed_by <> proposed_by", name="second_word_of_another"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="end_whole"),
    Index("proposal_by_subject", "kind", "subject", "effective_at"),
    Index("proposal_by_time", "proposed_at", "id"),
)
only_one(
    "one_waiting_proposal",
    (proposal.c.kind, proposal.c.subject),
    "confirmed_by IS NULL AND ended_at IS NULL",
)
Index(
    "proposal_agreed",
    proposal.c.kind,
    proposal.c.effective_at,
    sqlite_where=text("effective_at IS NOT NULL AND ended_at IS NULL"),
    postgresql_where=text("effective_at IS NOT NULL AND ended_at IS NULL"),
)
