"""Tables about places outside and of the search index, ends of powers given for a time, marks of restored values.

Frozen: what a later version needs is a later migration. The tables stand as plain SQL beside this file; rows
that tell of what happened are kept forever, and what they tell is written once.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

WORDS = {
    "sqlite": {"moment": "TEXT", "bytewise": "", "bytes": "BLOB", "clustered": " WITHOUT ROWID"},
    "postgresql": {
        "moment": "TIMESTAMP WITH TIME ZONE",
        "bytewise": ' COLLATE "C"',
        "bytes": "BYTEA",
        "clustered": "",
    },
}

COLUMNS = (
    "ALTER TABLE role_grant ADD COLUMN ends_at {moment}",
    "ALTER TABLE version ADD COLUMN restored_at {moment}",
)

KEPT = ("cloud_event", "incident", "key_call", "outlet_receipt", "published")

FIXED = {
    "cloud_event_fixed": (
        "cloud_event",
        "event_id shared_id kind happened_at account_id recipient region name who ip error mfa request_id record",
    ),
    "cloud_event_seen_fixed": ("cloud_event", "access_key late seen_at"),
    "incident_fixed": (
        "incident",
        "id kind subject account_id checkout_id summary evidence happened_at opened_at",
    ),
    "key_call_fixed": (
        "key_call",
        "entry place request_id key operation purpose outcome account_id checkout_id made_at",
    ),
    "outlet_receipt_fixed": ("outlet_receipt", "outlet size evidence confirmed_at"),
    "published_fixed": ("published", "size published_at"),
    "role_grant_end_fixed": ("role_grant", "ends_at"),
}


def upgrade() -> None:
    """Add what is new."""
    connection = op.get_bind()
    dialect = connection.dialect.name
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    made = [statement for statement in text.split("\n\n") if not statement.startswith("--")]
    for statement in (*COLUMNS, *made):
        connection.exec_driver_sql(statement.strip().format(**WORDS[dialect]))
    for statement in sqlite_guards() if dialect == "sqlite" else postgresql_guards():
        connection.exec_driver_sql(statement)


def guards() -> list[tuple[str, str, str, str]]:
    """List the guards: trigger, event, table and when it refuses."""
    changed = {
        name: (table, " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split()))
        for name, (table, columns) in FIXED.items()
    }
    return [
        *((name, "UPDATE", table, when) for name, (table, when) in changed.items()),
        *((f"{table}_kept", "DELETE", table, "") for table in KEPT),
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
    """Give PostgreSQL's triggers; the function that they call is there already."""
    made = []
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
