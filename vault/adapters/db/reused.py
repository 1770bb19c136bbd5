"""The table of values that two credentials had at once; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Table

from vault.adapters.db.columns import choice, moment
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.credential import PartKind
from vault.domain.due import FoundBy

reused_value = Table(
    "reused_value",
    metadata,
    Column("account_id", Key, nullable=False),
    choice("kind", PartKind),
    Column("version", Integer, nullable=False),
    moment("found_at"),
    choice("found_by", FoundBy),
    PrimaryKeyConstraint("account_id", "kind", "version"),
    ForeignKeyConstraint(
        ["account_id", "kind", "version"], ["version.account_id", "version.kind", "version.number"]
    ),
)
