"""The table of freezes; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table

from vault.adapters.db.columns import choice, moment, only_one, own_id, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.freeze import FreezeKind

frozen = Table(
    "frozen",
    metadata,
    own_id(),
    choice("kind", FreezeKind),
    Column("target", Key, nullable=False),
    words("why"),
    words("set_by"),
    words("set_by_name"),
    moment("set_at"),
    moment("lifted_at", nullable=True),
    words("lifted_by", nullable=True),
    CheckConstraint("(kind = 'vault') = (target = '')", name="target_fits"),
    CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted_whole"),
    Index("frozen_by_time", "set_at", "id"),
)
only_one("one_open_freeze", (frozen.c.kind, frozen.c.target), "lifted_at IS NULL")
