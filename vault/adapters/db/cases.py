"""The tables of cases, their accounts and steps; what the database itself refuses about them."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, text

from vault.adapters.db.columns import choice, count, listed, moment, only_one, own_id, reference, words
from vault.adapters.db.tables import metadata
from vault.adapters.db.types import Given, Key
from vault.domain.case import CaseKind, CaseState, HandoverState, PlaceState, StepState

_HANDOVER = f"kind = 'handover' AND state IN {listed(HandoverState)}"
_OTHER = f"kind <> 'handover' AND state IN {listed(CaseState)}"
_ENDED = f"state IN {listed((CaseState.DONE, CaseState.CANCELLED, HandoverState.CLOSED))}"

case_file = Table(
    "case_file",
    metadata,
    own_id(),
    choice("kind", CaseKind),
    reference("customer_id", "customer.id"),
    words("ticket"),
    Column("state", Key, nullable=False),
    words("opened_by"),
    moment("opened_at"),
    moment("changed_at"),
    words("cause"),
    moment("ended_at", nullable=True),
    CheckConstraint(f"({_HANDOVER}) OR ({_OTHER})", name="state_of_kind"),
    CheckConstraint(f"({_ENDED}) = (ended_at IS NOT NULL)", name="end_of_state"),
    Index("case_file_by_time", "opened_at", "id"),
    Index("case_file_by_customer", "customer_id", "opened_at", "id"),
)
Index(
    "case_file_open",
    case_file.c.kind,
    case_file.c.opened_at,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

case_account = Table(
    "case_account",
    metadata,
    reference("case_id", "case_file.id"),
    reference("account_id", "account.id"),
    count("position", 0),
    choice("state", PlaceState),
    moment("changed_at"),
    moment("day", nullable=True),
    words("was"),
    moment("ended_at", nullable=True),
    PrimaryKeyConstraint("case_id", "account_id"),
    Index("case_account_by_account", "account_id", "case_id"),
    Index("case_account_by_day", "day"),
)
only_one("one_open_case_per_account", (case_account.c.account_id,), "ended_at IS NULL")

case_step = Table(
    "case_step",
    metadata,
    reference("case_id", "case_file.id"),
    Column("account_id", Key, nullable=False),
    Column("step", Key, nullable=False),
    choice("state", StepState),
    moment("at"),
    words("by"),
    Column("evidence", Given, nullable=False),
    words("second_by", nullable=True),
    Column("by_vault", Boolean, nullable=False),
    words("words"),
    Column("waiving", Boolean, nullable=False),
    PrimaryKeyConstraint("case_id", "account_id", "step"),
    CheckConstraint("second_by IS NULL OR second_by <> by", name="second_is_another"),
    CheckConstraint("state <> 'waived' OR second_by IS NOT NULL", name="waived_by_two"),
)
