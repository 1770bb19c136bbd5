"""The table of destroyed credentials; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table

from vault.adapters.db.columns import choice, count, moment, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.destruction import Ground

destruction = Table(
    "destruction",
    metadata,
    Column("account_id", Key, ForeignKey("account.id"), primary_key=True),
    moment("at"),
    words("by"),
    words("by_name"),
    choice("ground", Ground),
    words("why"),
    Column("case_id", Key, nullable=False),
    words("versions"),
    words("wraps"),
    count("mails", 0),
    moment("backups_until"),
    CheckConstraint("backups_until >= at", name="backups_go_later"),
    Index("destruction_by_case", "case_id", "account_id"),
)
