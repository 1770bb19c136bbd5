"""The tables of mail to root addresses; what the database itself refuses about them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from vault.adapters.db.columns import choice, moment, own_id, reference, some, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Blob, Key
from vault.domain.credential import PartKind
from vault.domain.mail import Emptied, MailKind, MailWay, NoteState, Verdict
from vault.ports.records import RevealState

mail = Table(
    "mail",
    metadata,
    own_id(),
    reference("account_id", "account.id", nullable=True),
    Column("recipient", Key, nullable=False),
    choice("kind", MailKind),
    # which rules there are is not the database's to know: they grow with what AWS sends
    words("rule"),
    choice("half", PartKind),
    words("sender"),
    choice("verdict", Verdict),
    Column("forged", Boolean, nullable=False),
    choice("way", MailWay),
    Column("source", Key, nullable=False),
    Column("fingerprint", Key, nullable=False),
    Column("size", Integer, nullable=False),
    moment("received_at"),
    words("sha256"),
    Column("body", Blob),
    Column("wraps", Blob),
    moment("emptied_at", nullable=True),
    choice("emptied_why", Emptied, nullable=True),
    moment("assigned_at", nullable=True),
    Column("assigned_by", Key),
    CheckConstraint("(account_id IS NULL) = (kind = 'unmatched')", name="account_unless_unmatched"),
    CheckConstraint("(body IS NULL) = (wraps IS NULL)", name="sealed_whole"),
    CheckConstraint("kind <> 'ordinary' OR (body IS NULL AND sha256 = '')", name="ordinary_not_sealed"),
    CheckConstraint(
        "kind = 'ordinary' OR (body IS NULL) = (emptied_at IS NOT NULL)", name="sealed_or_emptied"
    ),
    CheckConstraint("(emptied_at IS NULL) = (emptied_why IS NULL)", name="emptied_whole"),
    CheckConstraint("(assigned_at IS NULL) = (assigned_by IS NULL)", name="assigned_whole"),
    CheckConstraint("assigned_at IS NULL OR account_id IS NOT NULL", name="assigned_to_an_account"),
    Index("mail_fingerprint", "fingerprint", unique=True),
    Index("mail_by_account", "account_id", "received_at", "id"),
    Index("mail_by_recipient", "recipient"),
    Index("mail_by_time", "received_at", "id"),
    Index("mail_by_source", "way", "source"),
)
some("mail_sealed", (mail.c.received_at, mail.c.id), "body IS NOT NULL")
some("mail_unmatched", (mail.c.received_at, mail.c.id), "account_id IS NULL")

mail_opening = Table(
    "mail_opening",
    metadata,
    own_id(),
    reference("mail_id", "mail.id"),
    reference("checkout_id", "checkout.id"),
    reference("account_id", "account.id"),
    reference("person_id", "person.id"),
    choice("state", RevealState),
    moment("authorized_at"),
    moment("ended_at", nullable=True),
    CheckConstraint("(state = 'authorized') = (ended_at IS NULL)", name="ended_with_outcome"),
    Index("mail_opening_by_mail", "mail_id", "authorized_at"),
    Index("mail_opening_by_checkout", "checkout_id"),
)
some("mail_opening_unfinished", (mail_opening.c.authorized_at,), "state = 'authorized'")

mail_note = Table(
    "mail_note",
    metadata,
    Column("mail_id", Key, ForeignKey("mail.id"), primary_key=True),
    reference("account_id", "account.id"),
    Column("topic", Key, nullable=False),
    words("subject"),
    words("text"),
    choice("state", NoteState),
    Column("tries", Integer, nullable=False),
    moment("next_at", nullable=True),
    Column("ticket", Text, nullable=False),
    words("error"),
    moment("ended_at", nullable=True),
    Column("arrived", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("(state = 'waiting') = (next_at IS NOT NULL)", name="waiting_for_a_time"),
    CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_with_outcome"),
    Index("mail_note_by_arrival", "arrived"),
)
some("mail_note_waiting", (mail_note.c.next_at,), "state = 'waiting'")
some(
    "mail_note_of_topic",
    (mail_note.c.account_id, mail_note.c.topic, mail_note.c.arrived),
    "state = 'waiting'",
)

mail_ticket = Table(
    "mail_ticket",
    metadata,
    reference("account_id", "account.id"),
    Column("topic", Key, nullable=False),
    words("ticket"),
    moment("made_at"),
    PrimaryKeyConstraint("account_id", "topic"),
)
