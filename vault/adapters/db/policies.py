"""The table of the policy's versions; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, Table

from vault.adapters.db.columns import moment, reference, some, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key

policy_version = Table(
    "policy_version",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Key, nullable=False),
    words("text"),
    moment("effective_at"),
    reference("proposal_id", "proposal.id", nullable=True),
    moment("ended_at", nullable=True),
    CheckConstraint("length(digest) = 64", name="digest_whole"),
)
some("policy_version_counts", (policy_version.c.number, policy_version.c.effective_at), "ended_at IS NULL")
