"""The tables, with every constraint that a promise rests on, each under a name of its own.

Decided here: what the database itself refuses, whoever asks. `errors` turns the names into our codes, so a
constraint is renamed in both places. Triggers (what never changes once written) are in the migrations,
because a table cannot say them. The log's two tables belong to `audit`, are made by the migrations as well,
and are not described here. `docs/schema.md` tells which promise each constraint keeps.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from vault.adapters.db import devices, glass
from vault.adapters.db.columns import (
    choice,
    count,
    listed,
    moment,
    only_one,
    own_id,
    reference,
    scope,
    sealed,
    some,
    words,
)
from vault.adapters.db.types import Blob, Key, Words
from vault.domain.account import Custodian, Custody, Kind, Model
from vault.domain.actor import Role
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

vault = Table(
    "vault",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1", name="is_one"), primary_key=True, autoincrement=False),
    Column("id", Key, CheckConstraint("length(id) = 36", name="id_is_uuid"), nullable=False),
)

customer = Table(
    "customer",
    metadata,
    own_id(),
    Column("ddi", Key, CheckConstraint("length(ddi) BETWEEN 1 AND 10", name="ddi_length"), nullable=False),
    words("name"),
    Column("public_sector", Boolean, nullable=False),
    Column("aws_india", Boolean, nullable=False),
    count("session_idle_seconds", 1, nullable=True),
    count("session_max_seconds", 1, nullable=True),
    moment("created_at"),
    Column("split_custody", Boolean, nullable=False, server_default=false()),
    words("folded"),
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
    reference("customer_id", "customer.id"),
    words("name"),
    choice("model", Model),
    choice("kind", Kind),
    choice("custody", Custody),
    words("root_email"),
    choice("mailbox", Custodian),
    choice("phone", Custodian),
    moment("created_at"),
    moment("held_since", nullable=True),
    Column("split_custody", Boolean, nullable=False, server_default=false()),
    Column("is_new", Boolean, nullable=False, server_default=false()),
    Column("root_email_folded", Key, nullable=False),
    words("folded"),
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
    reference("account_id", "account.id"),
    choice("kind", PartKind),
    choice("state", PartState),
    moment("changed_at"),
    PrimaryKeyConstraint("account_id", "kind"),
)

version = Table(
    "version",
    metadata,
    Column("account_id", Key, nullable=False),
    choice("kind", PartKind),
    count("number", 1),
    choice("label", VersionLabel),
    choice("origin", VersionOrigin),
    sealed("body"),
    sealed("wraps"),
    Column("sha256", Text, CheckConstraint("length(sha256) = 64", name="sha256_length"), nullable=False),
    moment("created_at"),
    words("created_by"),
    Column("weak", Boolean, nullable=False),
    moment("current_since", nullable=True),
    moment("disclosed_at", nullable=True),
    Column("last_step", BigInteger, nullable=False),
    moment("restored_at", nullable=True),
    *devices.removal(),
    moment("drilled_at", nullable=True),
    Column("drill_fault", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("account_id", "kind", "number"),
    ForeignKeyConstraint(["account_id", "kind"], ["part.account_id", "part.kind"]),
    CheckConstraint("label <> 'current' OR current_since IS NOT NULL", name="current_has_since"),
)
only_one("one_current_version_per_part", (version.c.account_id, version.c.kind), "label = 'current'")
only_one("one_staged_version_per_part", (version.c.account_id, version.c.kind), "label = 'staged'")

person = Table(
    "person",
    metadata,
    own_id(),
    words("email"),
    words("name"),
    choice("state", PersonState),
    moment("created_at"),
    words("password_hash", nullable=True),
    Column("seed", Blob),
    Column("last_step", BigInteger, nullable=False),
    Column("enrolment_hash", Key),
    moment("enrolment_until", nullable=True),
    Column("email_folded", Key, nullable=False),
    Column("next_seed", Blob),
    Column("link_by", Text),
    UniqueConstraint("email_folded", name="person_email_once"),
    UniqueConstraint("enrolment_hash", name="person_enrolment_once"),
    CheckConstraint("(enrolment_hash IS NULL) = (enrolment_until IS NULL)", name="enrolment_whole"),
)

role_grant = Table(
    "role_grant",
    metadata,
    own_id(),
    reference("person_id", "person.id"),
    choice("role", Role),
    *scope(),
    words("proposed_by"),
    moment("proposed_at"),
    words("confirmed_by", nullable=True),
    moment("effective_at", nullable=True),
    moment("removed_at", nullable=True),
    moment("ends_at", nullable=True),
    CheckConstraint("(confirmed_by IS NULL) = (effective_at IS NULL)", name="confirmation_whole"),
    Index("role_grant_by_person", "person_id"),
    Index("role_grant_by_role", "role"),
)

browser_session = Table(
    "browser_session",
    metadata,
    own_id(),
    Column("token_hash", Key, nullable=False),
    reference("person_id", "person.id"),
    moment("created_at"),
    moment("seen_at"),
    words("ip"),
    words("agent"),
    words("mfa"),
    moment("ended_at", nullable=True),
    Column("issuer", Text, nullable=False, server_default=text("''")),
    Column("withheld", Words, nullable=False, server_default=text("''")),
    UniqueConstraint("token_hash", name="browser_session_token_once"),
    Index("browser_session_by_person", "person_id"),
)

api_token = Table(
    "api_token",
    metadata,
    own_id(),
    Column("token_hash", Key, nullable=False),
    words("name"),
    reference("person_id", "person.id", nullable=True),
    Column("permissions", Words, nullable=False),
    *scope(),
    words("created_by"),
    moment("created_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
    moment("revoked_at", nullable=True),
    Column("addresses", Words, nullable=False, server_default=text("''")),
    Column("withheld", Words, nullable=False, server_default=text("''")),
    Column("used_from", Text, nullable=False, server_default=text("''")),
    moment("effective_at", nullable=True),
    UniqueConstraint("token_hash", name="api_token_once"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    Index("api_token_by_person", "person_id", "created_at", "id"),
    Index("api_token_by_time", "created_at", "id"),
)

checkout = Table(
    "checkout",
    metadata,
    own_id(),
    reference("account_id", "account.id"),
    reference("requester_id", "person.id"),
    words("requester_name"),
    words("reason"),
    words("ticket"),
    words("justification"),
    count("requested_seconds", 1),
    count("granted_seconds", 1),
    count("approvals_needed", 0),
    choice("state", CheckoutState),
    moment("requested_at"),
    moment("decide_by"),
    words("policy_hash"),
    words("content_hash"),
    moment("use_by", nullable=True),
    moment("activated_at", nullable=True),
    moment("expires_at", nullable=True),
    moment("ended_at", nullable=True),
    words("ended_by", nullable=True),
    words("end_note", nullable=True),
    count("reveals", 0),
    count("codes", 0),
    Column("ticket_mark", Text, nullable=False, server_default=text("''")),
    *glass.columns(),
    CheckConstraint(f"state NOT IN {listed(OPEN)} OR ended_at IS NULL", name="open_not_ended"),
    CheckConstraint("state <> 'approved' OR use_by IS NOT NULL", name="approved_has_use_by"),
    CheckConstraint(
        "state <> 'active' OR (activated_at IS NOT NULL AND expires_at IS NOT NULL)", name="active_has_end"
    ),
    CheckConstraint("expires_at > activated_at", name="ends_after_begin"),
    Index("checkout_by_account", "account_id", "requested_at", "id"),
    Index("checkout_by_requester", "requester_id", "requested_at", "id"),
    Index("checkout_by_time", "requested_at", "id"),
)
only_one("one_open_checkout_per_account", (checkout.c.account_id,), f"state IN {listed(OPEN)}")
some("checkout_unreviewed", (checkout.c.account_id,), "break_glass AND reviewed_at IS NULL")
some("checkout_second", (checkout.c.second_id, checkout.c.joined_at), "second_id IS NOT NULL")

approval = Table(
    "approval",
    metadata,
    own_id(),
    reference("checkout_id", "checkout.id"),
    reference("approver_id", "person.id"),
    words("approver_name"),
    choice("decision", Decision),
    words("comment"),
    count("seconds", 1, nullable=True),
    words("content_hash"),
    moment("decided_at"),
    UniqueConstraint("checkout_id", "approver_id", name="one_approval_per_approver"),
)

step_up = Table(
    "step_up",
    metadata,
    reference("checkout_id", "checkout.id"),
    reference("person_id", "person.id"),
    Column("session", Key, nullable=False),
    moment("until"),
    PrimaryKeyConstraint("checkout_id", "person_id", "session"),
)

reveal = Table(
    "reveal",
    metadata,
    own_id(),
    reference("checkout_id", "checkout.id"),
    Column("account_id", Key, nullable=False),
    choice("kind", PartKind),
    Column("version", Integer, nullable=False),
    reference("person_id", "person.id"),
    choice("purpose", RevealPurpose),
    choice("state", RevealState),
    moment("authorized_at"),
    moment("ended_at", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "kind", "version"], ["version.account_id", "version.kind", "version.number"]
    ),
    CheckConstraint("(state = 'authorized') = (ended_at IS NULL)", name="ended_with_outcome"),
    Index("reveal_by_checkout", "checkout_id", "authorized_at"),
    Index("reveal_by_version", "account_id", "kind", "version", "person_id"),
    Index("reveal_by_person", "person_id", "kind"),
)
some("reveal_unfinished", (reveal.c.authorized_at,), "state = 'authorized'")

rotation = Table(
    "rotation",
    metadata,
    own_id(),
    Column("account_id", Key, nullable=False),
    choice("kind", PartKind),
    Column("version", Integer, nullable=False),
    choice("state", RotationState),
    reference("checkout_id", "checkout.id"),
    words("planned_by"),
    moment("planned_at"),
    Column("recovering", Boolean, nullable=False),
    words("displayed_by", nullable=True),
    moment("displayed_at", nullable=True),
    words("attested_by", nullable=True),
    moment("attested_at", nullable=True),
    reference("attested_in", "checkout.id", nullable=True),
    words("verified_by", nullable=True),
    moment("verified_at", nullable=True),
    choice("evidence", Evidence, nullable=True),
    words("evidence_note", nullable=True),
    moment("overdue_at", nullable=True),
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
only_one(
    "one_unsettled_rotation_per_part",
    (rotation.c.account_id, rotation.c.kind),
    f"state IN {listed(UNSETTLED)}",
)
some("rotation_unverified", (rotation.c.attested_at, rotation.c.id), "state = 'accepted'")

guess = Table(
    "guess",
    metadata,
    Column("subject", Key, primary_key=True),
    count("failures", 1),
    moment("last_at"),
    Index("guess_by_time", "last_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor_id", Key, nullable=False),
    Column("key", Key, nullable=False),
    words("body_mac"),
    words("subject", nullable=True),
    Column("entry_index", BigInteger, nullable=False),
    words("request_id"),
    moment("created_at"),
    PrimaryKeyConstraint("actor_id", "key"),
)
