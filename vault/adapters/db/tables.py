"""The tables, with every constraint that a promise rests on, each under a name of its own.

Decided here: what the database itself refuses, whoever asks. `errors` turns the names into our codes, so a
constraint is renamed in both places. Triggers (what never changes once written) are in the migrations,
because a table cannot say them. The log's two tables belong to `audit`, are made by the migrations as well,
and are not described here. `docs/schema.md` tells which promise each constraint keeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from vault.adapters.db.types import Blob, Choice, Key, Moment, Words
from vault.domain.account import Custodian, Custody, Kind, Model
from vault.domain.actor import Role, ScopeKind
from vault.domain.checkout import OPEN, CheckoutState, Decision
from vault.domain.credential import PartKind, PartState, VersionLabel, VersionOrigin
from vault.domain.person import PersonState
from vault.domain.rotation import UNSETTLED, Evidence, RotationState
from vault.ports.records import RevealPurpose, RevealState

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)


def _listed(values: Iterable[StrEnum]) -> str:
    return "(" + ", ".join(sorted(f"'{value}'" for value in values)) + ")"


def _choice(name: str, members: type[StrEnum], *, nullable: bool = False) -> Column[Any]:
    """Make a column of an enumeration's members, which the database knows as well."""
    known = CheckConstraint(f"{name} IN {_listed(members)}", name=f"{name}_known")
    return Column(name, Choice(members), known, nullable=nullable)


def _count(name: str, at_least: int, *, nullable: bool = False) -> Column[Any]:
    """Make a column of a number that is never below a bound."""
    bound = CheckConstraint(f"{name} >= {at_least}", name=f"{name}_counted")
    return Column(name, Integer, bound, nullable=nullable)


def _id() -> Column[Any]:
    return Column("id", Key, primary_key=True)


def _to(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Key, ForeignKey(target), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Moment, nullable=nullable)


def _bytes(name: str) -> Column[Any]:
    return Column(name, Blob, CheckConstraint(f"length({name}) > 0", name=f"{name}_there"), nullable=False)


def _scope() -> tuple[Column[Any], Column[Any], CheckConstraint]:
    target = CheckConstraint("(scope_kind = 'all') = (scope_target = '')", name="scope_target_fits")
    return _choice("scope_kind", ScopeKind), Column("scope_target", Key, nullable=False), target


def _only_one(name: str, columns: tuple[Column[Any], ...], where: str) -> Index:
    """Make a partial unique index: at most one row for these columns while `where` holds (S4)."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


vault = Table(
    "vault",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1", name="is_one"), primary_key=True, autoincrement=False),
    Column("id", Key, CheckConstraint("length(id) = 36", name="id_is_uuid"), nullable=False),
)

customer = Table(
    "customer",
    metadata,
    _id(),
    Column("ddi", Key, CheckConstraint("length(ddi) BETWEEN 1 AND 10", name="ddi_length"), nullable=False),
    _text("name"),
    Column("public_sector", Boolean, nullable=False),
    Column("aws_india", Boolean, nullable=False),
    _count("session_idle_seconds", 1, nullable=True),
    _count("session_max_seconds", 1, nullable=True),
    _at("created_at"),
    _text("folded"),
    UniqueConstraint("ddi", name="customer_ddi_once"),
)

root_email = Table(
    "root_email",
    metadata,
    Column("folded", Key, nullable=False),
    Column("account_id", Key, nullable=False),
    PrimaryKeyConstraint("folded", name="root_email_once"),
    UniqueConstraint("folded", "account_id", name="root_email_of_account"),
)

account = Table(
    "account",
    metadata,
    Column("id", Key, CheckConstraint("length(id) = 12", name="id_length"), primary_key=True),
    _to("customer_id", "customer.id"),
    _text("name"),
    _choice("model", Model),
    _choice("kind", Kind),
    _choice("custody", Custody),
    _text("root_email"),
    _choice("mailbox", Custodian),
    _choice("phone", Custodian),
    _at("created_at"),
    _at("held_since", nullable=True),
    Column("root_email_folded", Key, nullable=False),
    _text("folded"),
    ForeignKeyConstraint(
        ["root_email_folded", "id"],
        ["root_email.folded", "root_email.account_id"],
        name="account_root_email_fkey",
    ),
    CheckConstraint("custody <> 'held' OR held_since IS NOT NULL", name="held_has_since"),
    CheckConstraint(
        "NOT (model = 'ECAM' AND kind = 'member')"
        " OR custody NOT IN ('onboarding', 'held', 'in_transfer', 'closing')",
        name="ecam_member_is_theirs",
    ),
    Index("account_by_customer", "customer_id", "id"),
    Index("account_by_held_since", "held_since"),
)

part = Table(
    "part",
    metadata,
    _to("account_id", "account.id"),
    _choice("kind", PartKind),
    _choice("state", PartState),
    _at("changed_at"),
    PrimaryKeyConstraint("account_id", "kind"),
)

version = Table(
    "version",
    metadata,
    Column("account_id", Key, nullable=False),
    _choice("kind", PartKind),
    _count("number", 1),
    _choice("label", VersionLabel),
    _choice("origin", VersionOrigin),
    _bytes("body"),
    _bytes("wraps"),
    Column("sha256", Text, CheckConstraint("length(sha256) = 64", name="sha256_length"), nullable=False),
    _at("created_at"),
    _text("created_by"),
    Column("weak", Boolean, nullable=False),
    _at("current_since", nullable=True),
    _at("disclosed_at", nullable=True),
    Column("last_step", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "kind", "number"),
    ForeignKeyConstraint(["account_id", "kind"], ["part.account_id", "part.kind"]),
    CheckConstraint("label <> 'current' OR current_since IS NOT NULL", name="current_has_since"),
)
_only_one("one_current_version_per_part", (version.c.account_id, version.c.kind), "label = 'current'")
_only_one("one_staged_version_per_part", (version.c.account_id, version.c.kind), "label = 'staged'")

person = Table(
    "person",
    metadata,
    _id(),
    _text("email"),
    _text("name"),
    _choice("state", PersonState),
    _at("created_at"),
    _text("password_hash", nullable=True),
    Column("seed", Blob),
    Column("last_step", BigInteger, nullable=False),
    Column("enrolment_hash", Key),
    _at("enrolment_until", nullable=True),
    Column("email_folded", Key, nullable=False),
    UniqueConstraint("email_folded", name="person_email_once"),
    UniqueConstraint("enrolment_hash", name="person_enrolment_once"),
    CheckConstraint("(enrolment_hash IS NULL) = (enrolment_until IS NULL)", name="enrolment_whole"),
)

role_grant = Table(
    "role_grant",
    metadata,
    _id(),
    _to("person_id", "person.id"),
    _choice("role", Role),
    *_scope(),
    _text("proposed_by"),
    _at("proposed_at"),
    _text("confirmed_by", nullable=True),
    _at("effective_at", nullable=True),
    _at("removed_at", nullable=True),
    CheckConstraint("(confirmed_by IS NULL) = (effective_at IS NULL)", name="confirmation_whole"),
    Index("role_grant_by_person", "person_id"),
    Index("role_grant_by_role", "role"),
)

browser_session = Table(
    "browser_session",
    metadata,
    _id(),
    Column("token_hash", Key, nullable=False),
    _to("person_id", "person.id"),
    _at("created_at"),
    _at("seen_at"),
    _text("ip"),
    _text("agent"),
    _text("mfa"),
    _at("ended_at", nullable=True),
    UniqueConstraint("token_hash", name="browser_session_token_once"),
    Index("browser_session_by_person", "person_id"),
)

api_token = Table(
    "api_token",
    metadata,
    _id(),
    Column("token_hash", Key, nullable=False),
    _text("name"),
    _to("person_id", "person.id", nullable=True),
    Column("permissions", Words, nullable=False),
    *_scope(),
    _text("created_by"),
    _at("created_at"),
    _at("expires_at"),
    _at("used_at", nullable=True),
    _at("revoked_at", nullable=True),
    UniqueConstraint("token_hash", name="api_token_once"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    Index("api_token_by_person", "person_id", "created_at", "id"),
    Index("api_token_by_time", "created_at", "id"),
)

checkout = Table(
    "checkout",
    metadata,
    _id(),
    _to("account_id", "account.id"),
    _to("requester_id", "person.id"),
    _text("requester_name"),
    _text("reason"),
    _text("ticket"),
    _text("justification"),
    _count("requested_seconds", 1),
    _count("granted_seconds", 1),
    _count("approvals_needed", 0),
    _choice("state", CheckoutState),
    _at("requested_at"),
    _at("decide_by"),
    _text("policy_hash"),
    _text("content_hash"),
    _at("use_by", nullable=True),
    _at("activated_at", nullable=True),
    _at("expires_at", nullable=True),
    _at("ended_at", nullable=True),
    _text("ended_by", nullable=True),
    _text("end_note", nullable=True),
    _count("reveals", 0),
    _count("codes", 0),
    CheckConstraint(f"state NOT IN {_listed(OPEN)} OR ended_at IS NULL", name="open_not_ended"),
    CheckConstraint("state <> 'approved' OR use_by IS NOT NULL", name="approved_has_use_by"),
    CheckConstraint(
        "state <> 'active' OR (activated_at IS NOT NULL AND expires_at IS NOT NULL)", name="active_has_end"
    ),
    CheckConstraint("expires_at > activated_at", name="ends_after_begin"),
    Index("checkout_by_account", "account_id", "requested_at", "id"),
    Index("checkout_by_requester", "requester_id", "requested_at", "id"),
    Index("checkout_by_time", "requested_at", "id"),
)
_only_one("one_open_checkout_per_account", (checkout.c.account_id,), f"state IN {_listed(OPEN)}")

approval = Table(
    "approval",
    metadata,
    _id(),
    _to("checkout_id", "checkout.id"),
    _to("approver_id", "person.id"),
    _text("approver_name"),
    _choice("decision", Decision),
    _text("comment"),
    _count("seconds", 1, nullable=True),
    _text("content_hash"),
    _at("decided_at"),
    UniqueConstraint("checkout_id", "approver_id", name="one_approval_per_approver"),
)

step_up = Table(
    "step_up",
    metadata,
    _to("checkout_id", "checkout.id"),
    _to("person_id", "person.id"),
    Column("session", Key, nullable=False),
    _at("until"),
    PrimaryKeyConstraint("checkout_id", "person_id", "session"),
)

reveal = Table(
    "reveal",
    metadata,
    _id(),
    _to("checkout_id", "checkout.id"),
    Column("account_id", Key, nullable=False),
    _choice("kind", PartKind),
    Column("version", Integer, nullable=False),
    _to("person_id", "person.id"),
    _choice("purpose", RevealPurpose),
    _choice("state", RevealState),
    _at("authorized_at"),
    _at("ended_at", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "kind", "version"], ["version.account_id", "version.kind", "version.number"]
    ),
    CheckConstraint("(state = 'authorized') = (ended_at IS NULL)", name="ended_with_outcome"),
    Index("reveal_by_checkout", "checkout_id", "authorized_at"),
    Index("reveal_by_version", "account_id", "kind", "version", "person_id"),
)
Index(
    "reveal_unfinished",
    reveal.c.authorized_at,
    sqlite_where=text("state = 'authorized'"),
    postgresql_where=text("state = 'authorized'"),
)

rotation = Table(
    "rotation",
    metadata,
    _id(),
    Column("account_id", Key, nullable=False),
    _choice("kind", PartKind),
    Column("version", Integer, nullable=False),
    _choice("state", RotationState),
    _to("checkout_id", "checkout.id"),
    _text("planned_by"),
    _at("planned_at"),
    Column("recovering", Boolean, nullable=False),
    _text("displayed_by", nullable=True),
    _at("displayed_at", nullable=True),
    _text("attested_by", nullable=True),
    _at("attested_at", nullable=True),
    _to("attested_in", "checkout.id", nullable=True),
    _text("verified_by", nullable=True),
    _at("verified_at", nullable=True),
    _choice("evidence", Evidence, nullable=True),
    _text("evidence_note", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "kind", "version"], ["version.account_id", "version.kind", "version.number"]
    ),
    CheckConstraint("state IN ('planned', 'abandoned') OR displayed_at IS NOT NULL", name="displayed_first"),
    CheckConstraint(
        "state NOT IN ('accepted', 'verified') OR attested_at IS NOT NULL", name="attested_first"
    ),
    CheckConstraint(
        "(state = 'verified') = (verified_at IS NOT NULL AND evidence IS NOT NULL)",
        name="verified_by_evidence",
    ),
    Index("rotation_by_account", "account_id", "planned_at", "id"),
)
_only_one(
    "one_unsettled_rotation_per_part",
    (rotation.c.account_id, rotation.c.kind),
    f"state IN {_listed(UNSETTLED)}",
)

guess = Table(
    "guess",
    metadata,
    Column("subject", Key, primary_key=True),
    _count("failures", 1),
    _at("last_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor_id", Key, nullable=False),
    Column("key", Key, nullable=False),
    _text("body_mac"),
    _text("subject", nullable=True),
    Column("entry_index", BigInteger, nullable=False),
    _text("request_id"),
    _at("created_at"),
    PrimaryKeyConstraint("actor_id", "key"),
)
