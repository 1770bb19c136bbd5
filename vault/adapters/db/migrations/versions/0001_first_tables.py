"""The first tables, what never changes in them, the log's tables, and the vault's own name.

Frozen: what a later version needs is a later migration. The tables stand as plain SQL beside this file. The
guards are here: rows that are kept forever, columns that are written once, and a disclosure's outcome,
which is written once. Their triggers bear the names that `errors` reports. On PostgreSQL they fire for
replication roles too; on SQLite they rely on recursive_triggers, which every connection of ours has on.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from alembic import op

from audit.storage.sql import ddl

revision = "0001"
down_revision = None

WORDS = {
    "sqlite": {"moment": "TEXT", "blob": "BLOB", "bytewise": ""},
    "postgresql": {"moment": "TIMESTAMP WITH TIME ZONE", "blob": "BYTEA", "bytewise": ' COLLATE "C"'},
}

KEPT = (
    "account",
    "approval",
    "checkout",
    "customer",
    "person",
    "reveal",
    "role_grant",
    "root_email",
    "rotation",
    "vault",
    "version",
)

FIXED = {
    "account": "id created_at",
    "api_token": "id token_hash person_id permissions scope_kind scope_target created_by created_at expires_at",
    "approval": "id checkout_id approver_id approver_name decision comment seconds content_hash decided_at",
    "browser_session": "id token_hash person_id created_at mfa",
    "checkout": "id account_id requester_id requester_name reason ticket justification requested_seconds"
    " approvals_needed requested_at decide_by policy_hash content_hash",
    "customer": "id ddi created_at",
    "idempotency": "actor_id key body_mac request_id created_at",
    "person": "id created_at",
    "reveal": "id checkout_id account_id kind version person_id purpose authorized_at",
    "role_grant": "id person_id role scope_kind scope_target proposed_by proposed_at",
    "root_email": "folded account_id",
    "rotation": "id account_id kind version checkout_id planned_by planned_at recovering",
    "vault": "one id",
    "version": "account_id kind number origin body wraps sha256 created_at created_by",
}

ONCE = ("reveal", "reveal_outcome_once", "OLD.state <> 'authorized'")


def upgrade() -> None:
    """Make everything."""
    connection = op.get_bind()
    dialect = connection.dialect.name
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    statements = [statement for statement in text.split("\n\n") if not statement.startswith("--")]
    for statement in statements:
        connection.exec_driver_sql(statement.strip().format(**WORDS[dialect]))
    for statement in sqlite_guards() if dialect == "sqlite" else postgresql_guards():
        connection.exec_driver_sql(statement)
    for statement in ddl(dialect):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"INSERT INTO vault (one, id) VALUES (1, '{uuid4()}')")  # noqa: S608 - a UUID of our own


def guards() -> list[tuple[str, str, str, str]]:
    """List the guards: trigger, event, table and when it refuses."""
    changed = {
        table: " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())
        for table, columns in FIXED.items()
    }
    table, name, when = ONCE
    return [
        *((f"{table}_fixed", "UPDATE", table, when) for table, when in changed.items()),
        *((f"{table}_kept", "DELETE", table, "") for table in KEPT),
        (name, "UPDATE", table, when),
    ]


def sqlite_guards() -> list[str]:
    """Give SQLite's triggers."""
    made = []
    for name, event, table, when in guards():
        condition = f" WHEN {when.format(differs='IS NOT')}" if when else ""
        body = f"SELECT RAISE(ABORT, '{name}');"
        made.append(f"CREATE TRIGGER {name} BEFORE {event} ON {table}{condition} BEGIN {body} END")
    return made


def postgresql_guards() -> list[str]:
    """Give PostgreSQL's triggers, and the function that they call."""
    refuse = (
        "CREATE FUNCTION vault_refuse() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog, pg_temp AS $$ BEGIN"
        " RAISE EXCEPTION 'what is written here stays as it is'"
        " USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME; END $$"
    )
    made = [refuse]
    for name, event, table, when in guards():
        condition = f" WHEN ({when.format(differs='IS DISTINCT FROM')})" if when else ""
        made.append(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW{condition} EXECUTE FUNCTION vault_refuse()"
        )
        made.append(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    for table in KEPT:
        name = f"{table}_whole"
        made.append(
            f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION vault_refuse()"
        )
        made.append(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    return made
