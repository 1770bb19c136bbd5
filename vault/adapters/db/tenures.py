"""The table of customers that an account was once registered under; what the database itself refuses about it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, Table

from vault.adapters.db.columns import count, moment, reference
from vault.adapters.db.tables import metadata

account_tenure = Table(
    "account_tenure",
    metadata,
    reference("account_id", "account.id"),
    count("number", 1),
    reference("customer_id", "customer.id"),
    moment("since"),
    moment("until"),
    PrimaryKeyConstraint("account_id", "number"),
    CheckConstraint("since <= until", name="in_order"),
    Index("account_tenure_by_customer", "customer_id", "account_id"),
)
