"""The tables of inspections and findings; what the database itself refuses about them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from vault.adapters.db.columns import choice, moment, own_id, reference, some, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Key
from vault.domain.hygiene import FindingState, Rule
from vault.domain.inspection import Reason

inspection = Table(
    "inspection",
    metadata,
    own_id(),
    reference("account_id", "account.id"),
    moment("at"),
    words("facts"),
    words("request_ids"),
    moment("again_at", nullable=True),
    Index("inspection_by_account", "account_id", "at", "id"),
)

inspection_turn = Table(
    "inspection_turn",
    metadata,
    Column("account_id", Key, ForeignKey("account.id"), primary_key=True),
    moment("next_at"),
    words("asked_by"),
    moment("asked_at", nullable=True),
    CheckConstraint("(asked_by = '') = (asked_at IS NULL)", name="asked_whole"),
    Index("inspection_turn_next", "next_at", "account_id"),
)

roster = Table(
    "roster",
    metadata,
    Column("payer_id", Key, ForeignKey("account.id"), primary_key=True),
    moment("at"),
    Column("count", Integer),
    choice("reason", Reason, nullable=True),
    words("code"),
    CheckConstraint("(count IS NULL) <> (reason IS NULL)", name="read_or_not"),
)

finding = Table(
    "finding",
    metadata,
    own_id(),
    choice("rule", Rule),
    reference("account_id", "account.id"),
    Column("subject", Key, nullable=False),
    words("summary"),
    choice("state", FindingState),
    moment("first_at"),
    moment("opened_at"),
    moment("seen_at"),
    reference("owner_id", "person.id", nullable=True),
    moment("owned_at", nullable=True),
    moment("ended_at", nullable=True),
    words("ended_by", nullable=True),
    words("ending", nullable=True),
    moment("accepted_until", nullable=True),
    UniqueConstraint("account_id", "rule", "subject", name="finding_once"),
    CheckConstraint("(owner_id IS NULL) = (owned_at IS NULL)", name="owner_whole"),
    CheckConstraint(
        "(state = 'open') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)"
        " AND (ended_at IS NULL) = (ending IS NULL)",
        name="ending_whole",
    ),
    CheckConstraint("(state = 'accepted') = (accepted_until IS NOT NULL)", name="accepted_whole"),
    Index("finding_by_time", "opened_at", "id"),
)
some("finding_standing", (finding.c.account_id,), "state <> 'closed'")
