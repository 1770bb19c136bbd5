"""The tables of what people are told, and how they want to hear of it; what the database itself refuses about it."""

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
from vault.adapters.db.types import Choice, Key
from vault.domain.notice import Channel, NoticeState, Topic, Way

notice = Table(
    "notice",
    metadata,
    own_id(),
    Column("entry_id", Key, nullable=False),
    Column("entry", BigInteger, CheckConstraint("entry >= 0", name="entry_counted"), nullable=False),
    Column("event", Key, nullable=False),
    # which topics there are is not the database's to know: they grow with what people are told of
    Column("topic", Choice(Topic), nullable=False),
    Column("recipient", Key, nullable=False),
    choice("channel", Channel),
    Column("urgent", Boolean, nullable=False),
    Column("digest", Boolean, nullable=False),
    words("title"),
    words("path"),
    Column("account_id", Key),
    Column("fold", Key, nullable=False),
    count("count", 1),
    moment("at"),
    moment("made_at"),
    choice("state", NoticeState),
    count("tries", 0),
    moment("next_at", nullable=True),
    moment("ended_at", nullable=True),
    moment("read_at", nullable=True),
    words("error", nullable=True),
    UniqueConstraint("entry_id", "channel", "recipient", name="notice_once"),
    CheckConstraint(
        "(state = 'waiting') = (ended_at IS NULL) AND (state = 'waiting') = (next_at IS NOT NULL)",
        name="state_whole",
    ),
    CheckConstraint("channel <> 'inbox' OR state = 'sent'", name="inbox_is_there"),
    CheckConstraint("read_at IS NULL OR channel = 'inbox'", name="read_in_inbox"),
    CheckConstraint("NOT (urgent AND digest)", name="urgent_at_once"),
    Index("notice_of", "recipient", "channel", "at", "id"),
    Index("notice_fold", "fold", "made_at"),
    Index("notice_ended", "ended_at", "id"),
)
Index(
    "notice_unread",
    notice.c.recipient,
    notice.c.channel,
    sqlite_where=text("read_at IS NULL"),
    postgresql_where=text("read_at IS NULL"),
)
Index(
    "notice_waiting",
    notice.c.channel,
    notice.c.urgent,
    notice.c.next_at,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
Index(
    "notice_dead",
    notice.c.ended_at,
    notice.c.id,
    sqlite_where=text("state = 'dead'"),
    postgresql_where=text("state = 'dead'"),
)

notice_choice = Table(
    "notice_choice",
    metadata,
    reference("person_id", "person.id"),
    Column("topic", Choice(Topic), nullable=False),
    choice("way", Way),
    PrimaryKeyConstraint("person_id", "topic"),
)
