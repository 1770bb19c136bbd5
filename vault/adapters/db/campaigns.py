"""The tables of campaigns, whose accounts are whose, and reminders; what the database itself refuses about them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, text

from vault.adapters.db.columns import choice, count, moment, own_id, reference, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key, Words
from vault.domain.campaign import Parts

campaign = Table(
    "campaign",
    metadata,
    own_id(),
    reference("proposal_id", "proposal.id"),
    words("name"),
    words("why"),
    choice("parts", Parts),
    count("accounts", 1),
    count("accounts_per_hour", 1),
    Column("people", Words, nullable=False),
    words("proposed_by"),
    words("agreed_by"),
    moment("begun_at"),
    moment("until"),
    moment("ended_at", nullable=True),
    words("ended_by", nullable=True),
    CheckConstraint("agreed_by <> proposed_by", name="agreed_by_another"),
    CheckConstraint("until > begun_at", name="until_after_begin"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="end_whole"),
    Index("campaign_by_time", "begun_at", "id"),
)
Index(
    "campaign_open",
    campaign.c.until,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

campaign_account = Table(
    "campaign_account",
    metadata,
    reference("campaign_id", "campaign.id"),
    reference("account_id", "account.id"),
    reference("person_id", "person.id", nullable=True),
    moment("changed_at"),
    words("changed_by"),
    PrimaryKeyConstraint("campaign_id", "account_id"),
    # which campaigns have an account is asked when a lease begins beyond the usual pace
    Index("campaign_account_by_account", "account_id", "campaign_id"),
)

reminder = Table(
    "reminder",
    metadata,
    reference("person_id", "person.id"),
    Column("day", Key, CheckConstraint("length(day) = 10", name="day_length"), nullable=False),
    PrimaryKeyConstraint("person_id"),
)
