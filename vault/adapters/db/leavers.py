"""The table of what leavers know; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table

from vault.adapters.db.columns import choice, moment, reference
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.credential import PartKind
from vault.domain.leaver import Way

leaver_knows = Table(
    "leaver_knows",
    metadata,
    reference("person_id", "person.id"),
    Column("account_id", Key, nullable=False),
    choice("kind", PartKind),
    Column("version", Integer, nullable=False),
    choice("way", Way),
    moment("known_since"),
    moment("left_at"),
    # by account first: whether a version is known to a leaver is asked with every decision
    PrimaryKeyConstraint("account_id", "kind", "version", "person_id"),
    ForeignKeyConstraint(
        ["account_id", "kind", "version"], ["version.account_id", "version.kind", "version.number"]
    ),
    Index("leaver_knows_by_person", "person_id", "account_id"),
)
