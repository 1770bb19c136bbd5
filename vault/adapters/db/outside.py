"""The tables about places outside: what was published where, what AWS recorded, and what did not match.

Decided here, as in `tables`, what the database itself refuses. `published` and `outlet` are an outbox: a
checkpoint is put in after the commit that signed it, and each outlet has its own place in the log.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from vault.adapters.db.columns import choice, count, moment, own_id, reference, some, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.cloudtrail import CloudKind
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
    Column("checkout_id", Key),
    words("summary"),
    words("evidence"),
    moment("happened_at"),
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
    CheckConstraint("closed_at IS NULL OR owner_id IS NOT NULL", name="closed_has_owner"),
    Index("incident_by_time", "opened_at", "id"),
    Index("incident_by_account", "account_id", "opened_at", "id"),
)
Index(
    "incident_open",
    incident.c.opened_at,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)

OBSERVED: Final = (
    "name IN ('ConsoleLogin', 'DeactivateMFADevice', 'EmailUpdated', 'EnableMFADevice', "
    "'PasswordRecoveryCompleted', 'PasswordUpdated')"
)
"""Records of how root got in, and of what changed that; a statement has to repeat it to be answered by its index."""

cloud_event = Table(
    "cloud_event",
    metadata,
    Column("event_id", Key, primary_key=True),
    Column("shared_id", Key),
    choice("kind", CloudKind),
    moment("happened_at"),
    Column("account_id", Key),
    Column("recipient", Key, nullable=False),
    words("region"),
    words("name"),
    words("who"),
    words("ip"),
    words("error", nullable=True),
    Column("mfa", Boolean),
    Column("request_id", Key),
    Column("access_key", Key),
    words("record"),
    Column("late", Boolean, nullable=False),
    moment("seen_at"),
    Column("matched", Key),
    Index("cloud_event_by_account", "account_id", "happened_at", "event_id"),
    Index("cloud_event_by_request", "request_id"),
    Index("cloud_event_by_access_key", "access_key", "kind"),
    Index("cloud_event_by_match", "matched", "happened_at", "event_id"),
)
Index(
    "cloud_event_unmatched",
    cloud_event.c.happened_at,
    cloud_event.c.event_id,
    sqlite_where=text("matched IS NULL"),
    postgresql_where=text("matched IS NULL"),
)

some("cloud_event_observed", (cloud_event.c.account_id, cloud_event.c.happened_at), OBSERVED)

key_call = Table(
    "key_call",
    metadata,
    Column("entry", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("request_id", Key, nullable=False),
    Column("key", Key, nullable=False),
    words("operation"),
    words("purpose"),
    words("outcome"),
    Column("account_id", Key),
    Column("checkout_id", Key),
    moment("made_at"),
    Column("event_id", Key),
    Column("incident_id", Key),
    PrimaryKeyConstraint("entry", "place"),
    Index("key_call_by_request", "request_id"),
)
Index(
    "key_call_unseen",
    key_call.c.key,
    key_call.c.made_at,
    key_call.c.entry,
    sqlite_where=text("event_id IS NULL AND incident_id IS NULL"),
    postgresql_where=text("event_id IS NULL AND incident_id IS NULL"),
)

cloud_file = Table(
    "cloud_file",
    metadata,
    Column("place", Key, primary_key=True),
    words("tag"),
    count("events", 0),
    words("fault", nullable=True),
    moment("read_at"),
)
Index(
    "cloud_file_broken",
    cloud_file.c.read_at,
    sqlite_where=text("fault IS NOT NULL"),
    postgresql_where=text("fault IS NOT NULL"),
)

cloud_source = Table(
    "cloud_source",
    metadata,
    Column("name", Key, primary_key=True),
    words("position"),
    moment("read_at", nullable=True),
    moment("failing_since", nullable=True),
    words("error", nullable=True),
)

cloud_reach = Table(
    "cloud_reach",
    metadata,
    Column("account_id", Key, nullable=False),
    Column("place", Key, nullable=False),
    moment("since"),
    moment("until"),
    PrimaryKeyConstraint("account_id", "place"),
)
