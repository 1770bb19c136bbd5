"""The tables of onboarding: who bore which root e-mail when, and how many new accounts a customer may have."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table

from vault.adapters.db.columns import choice, count, moment, only_one, reference, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.root_email import EmailUse

root_email_use = Table(
    "root_email_use",
    metadata,
    Column("folded", Key, nullable=False),
    count("number", 1),
    Column("account_id", Key, nullable=False),
    words("address"),
    choice("use", EmailUse),
    moment("since", nullable=True),
    words("said_by"),
    words("said_name"),
    moment("until", nullable=True),
    words("ended_by"),
    PrimaryKeyConstraint("folded", "number"),
    ForeignKeyConstraint(
        ["folded", "account_id"],
        ["root_email.folded", "root_email.account_id"],
        name="root_email_use_fkey",
    ),
    CheckConstraint("use <> 'earlier' OR until IS NULL", name="earlier_has_no_end"),
    Index("root_email_use_by_account", "account_id", "folded", "number"),
)
only_one("one_root_email_borne", (root_email_use.c.account_id,), "use = 'borne' AND until IS NULL")

account_limit = Table(
    "account_limit",
    metadata,
    reference("customer_id", "customer.id"),
    count("most", 0),
    words("ticket"),
    words("set_by"),
    words("set_name"),
    moment("set_at"),
    PrimaryKeyConstraint("customer_id"),
)
