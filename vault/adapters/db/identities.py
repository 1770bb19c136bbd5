"""The tables of identities at a provider and of the visits there."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint

from vault.adapters.db.columns import choice, moment, only_one, own_id, reference, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key, Words
from vault.domain.identity import VisitPurpose

identity = Table(
    "identity",
    metadata,
    own_id(),
    reference("person_id", "person.id"),
    Column("issuer", Key, nullable=False),
    Column("subject", Key, nullable=False),
    moment("linked_at"),
    moment("ended_at", nullable=True),
    words("ended_by", nullable=True),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="end_whole"),
)
only_one("one_identity_of_subject", (identity.c.issuer, identity.c.subject), "ended_at IS NULL")
only_one("one_identity_of_person", (identity.c.person_id, identity.c.issuer), "ended_at IS NULL")

visit = Table(
    "provider_visit",
    metadata,
    own_id(),
    Column("browser_hash", Key, nullable=False),
    choice("purpose", VisitPurpose),
    words("issuer"),
    words("asked_for"),
    moment("begun_at"),
    moment("until"),
    reference("person_id", "person.id", nullable=True),
    Column("session", Key, nullable=False),
    words("subject", nullable=True),
    words("label"),
    Column("withheld", Words, nullable=False),
    moment("answered_at", nullable=True),
    moment("used_at", nullable=True),
    UniqueConstraint("browser_hash", name="provider_visit_browser_once"),
    CheckConstraint("subject IS NULL OR answered_at IS NOT NULL", name="answered_with_subject"),
    Index("provider_visit_by_end", "until"),
)
