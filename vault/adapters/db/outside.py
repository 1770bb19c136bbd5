"""The tables about places outside: what was published where, what AWS recorded, and what did not match.

Decided here, as in `tables`, what the database itself refuses. `published` and `outlet` are an outbox: a
checkpoint is put in after the commit that signed it, and each outlet has its own place in the log.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from vault.adapters.db.columns import choice, count, moment, own_id, reference, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.incident import IncidentKind

published = Table(
    "published",
    metadata,
    Column(
        "size",
        BigInteger,
        CheckConstraint("size > 0", name="size_counted"),
        primary_key=True,
        autoincrement=False,
    ),
    words("note"),
    moment("published_at"),
)

outlet = Table(
    "outlet",
    metadata,
    Column("name", Key, primary_key=True),
    Column("position", BigInteger, CheckConstraint("position >= 0", name="position_counted"), nullable=False),
    moment("confirmed_at", nullable=True),
    moment("failing_since", nullable=True),
    count("tries", 0),
    moment("next_at", nullable=True),
    words("error", nullable=True),
    Column("lost", Boolean, nullable=False),
)

outlet_receipt = Table(
    "outlet_receipt",
    metadata,
    Column("outlet", Key, nullable=False),
    Column("size", BigInteger, nullable=False),
    words("evidence"),
    moment("confirmed_at"),
    PrimaryKeyConstraint("outlet", "size"),
)

incident = Table(
    "incident",
    metadata,
    own_id(),
    choice("kind", IncidentKind),
    Column("subject", Key, nullable=False),
    Column("account_id", Key),
    words("summary"),
    words("evidence"),
    moment("opened_at"),
    reference("owner_id", "person.id", nullable=True),
    moment("owned_at", nullable=True),
    moment("closed_at", nullable=True),
    words("closed_by", nullable=True),
    words("closing", nullable=True),
    UniqueConstraint("subject", name="incident_subject_once"),
    CheckConstraint("(owner_id IS NULL) = (owned_at IS NULL)", name="owner_whole"),
    CheckConstraint(
        "(closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (closing IS NULL)",
        name="closing_whole",
    ),
    Index("incident_by_time", "opened_at", "id"),
    Index("incident_by_account", "account_id", "opened_at", "id"),
)
Index(
    "incident_open",
    incident.c.opened_at,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)

cloud_event = Table(
    "cloud_event",
    metadata,
    Column("event_id", Key, primary_key=True),
    words("kind"),
    moment("happened_at"),
    Column("account_id", Key, nullable=False),
    words("name"),
    Column("request_id", Key),
    words("record"),
    Column("late", Boolean, nullable=False),
    moment("seen_at"),
    words("matched", nullable=True),
    Index("cloud_event_by_account", "account_id", "happened_at"),
    Index("cloud_event_by_request", "request_id"),
)
Index(
    "cloud_event_unmatched",
    cloud_event.c.happened_at,
    sqlite_where=text("matched IS NULL"),
    postgresql_where=text("matched IS NULL"),
)

cloud_file = Table(
    "cloud_file",
    metadata,
    Column("place", Key, primary_key=True),
    words("tag"),
    count("events", 0),
    moment("read_at"),
)
