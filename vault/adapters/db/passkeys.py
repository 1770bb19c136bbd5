"""The tables of passkeys, of what they signed, and of what waits in the browser."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Table, UniqueConstraint

from vault.adapters.db.columns import moment, own_id, reference, sealed, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key

passkey = Table(
    "passkey",
    metadata,
    own_id(),
    reference("person_id", "person.id"),
    Column("credential", Key, nullable=False),
    sealed("public_key"),
    # an authenticator counts with 32 bits and no sign
    Column(
        "sign_count",
        BigInteger,
        CheckConstraint("sign_count >= 0", name="sign_count_counted"),
        nullable=False,
    ),
    words("name"),
    Column("backed_up", Boolean, nullable=False),
    moment("created_at"),
    moment("used_at", nullable=True),
    moment("removed_at", nullable=True),
    UniqueConstraint("credential", name="passkey_credential_once"),
    Index("passkey_by_person", "person_id", "created_at", "id"),
)
assertion = Table(
    "assertion",
    metadata,
    own_id(),
    reference("person_id", "person.id"),
    reference("passkey_id", "passkey.id"),
    Column("session", Key, nullable=False),
    words("request_mac"),
    moment("at"),
)
confirmation = Table(
    "confirmation",
    metadata,
    own_id(),
    reference("person_id", "person.id"),
    Column("session", Key, nullable=False),
    Column("request_mac", Key, nullable=False),
    words("method"),
    words("path"),
    words("content"),
    Column("account_id", Key),
    Column("checkout_id", Key),
    moment("asked_at"),
    moment("expires_at"),
    moment("confirmed_at", nullable=True),
    reference("assertion_id", "assertion.id", nullable=True),
    moment("used_at", nullable=True),
    CheckConstraint("(confirmed_at IS NULL) = (assertion_id IS NULL)", name="whole"),
    CheckConstraint("used_at IS NULL OR confirmed_at IS NOT NULL", name="used_after_confirmed"),
    Index("confirmation_by_request", "session", "request_mac", "expires_at"),
)
