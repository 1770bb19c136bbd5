"""The tables of a handover's end and of the customer's links; what the database itself refuses about them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint

from vault.adapters.db.columns import choice, count, moment, only_one, own_id, reference, some, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.release import LinkEnd, Way

handed = Table(
    "handed",
    metadata,
    Column("case_id", Key, ForeignKey("case_file.id"), primary_key=True),
    moment("released_at"),
    moment("destroy_after"),
    moment("warned_at", nullable=True),
    moment("acknowledged_at", nullable=True),
    choice("way", Way, nullable=True),
    words("signed"),
    words("link_id"),
    CheckConstraint("destroy_after >= released_at", name="destroyed_later"),
    CheckConstraint("(acknowledged_at IS NULL) = (way IS NULL)", name="acknowledged_some_way"),
    CheckConstraint("(acknowledged_at IS NULL) = (signed = '')", name="acknowledged_by_name"),
)

customer_link = Table(
    "customer_link",
    metadata,
    own_id(),
    reference("case_id", "case_file.id"),
    words("token_hash"),
    words("code_hash"),
    words("sent_to"),
    words("made_by"),
    moment("made_at"),
    moment("until"),
    moment("mailed_at", nullable=True),
    count("wrong", 0),
    moment("opened_at", nullable=True),
    words("visit_hash", nullable=True),
    moment("visit_until", nullable=True),
    moment("ended_at", nullable=True),
    choice("ending", LinkEnd, nullable=True),
    UniqueConstraint("token_hash", name="customer_link_token_once"),
    CheckConstraint("until > made_at", name="ends_later"),
    CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="end_has_a_cause"),
    CheckConstraint(
        "(opened_at IS NULL) = (visit_hash IS NULL) AND (opened_at IS NULL) = (visit_until IS NULL)",
        name="opened_for_a_visit",
    ),
    CheckConstraint("opened_at IS NULL OR mailed_at IS NOT NULL", name="opened_once_mailed"),
    Index("customer_link_by_case", "case_id", "made_at", "id"),
)
only_one("one_live_link_per_case", (customer_link.c.case_id,), "ended_at IS NULL")
some("customer_link_unopened", (customer_link.c.until,), "ended_at IS NULL AND opened_at IS NULL")
