"""MFA devices that may still be enrolled.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from alembic import op

from vault.adapters.db.migrations.steps import carry_out

revision = "0017"
down_revision = "0016"

COLUMNS = (
    "ALTER TABLE version ADD COLUMN device_removed_at {moment}",
    (
        "ALTER TABLE version ADD COLUMN device_removed_by TEXT CONSTRAINT version_device_removed_whole CHECK"
        " ((device_removed_at IS NULL) = (device_removed_by IS NULL)"
        " AND (device_removed_at IS NULL OR kind = 'mfa'))"
    ),
)
ONCE = "version_device_removed_once"
CHANGED = (
    "NEW.device_removed_at {differs} OLD.device_removed_at"
    " OR NEW.device_removed_by {differs} OLD.device_removed_by"
)


def upgrade() -> None:
    """Add what is new, and the guard that it is written once."""
    carry_out(__file__, columns=COLUMNS)
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    changed = CHANGED.format(differs="IS NOT" if is_sqlite else "IS DISTINCT FROM")
    when = f"OLD.device_removed_at IS NOT NULL AND ({changed})"
    if is_sqlite:
        body = f"BEGIN SELECT RAISE(ABORT, '{ONCE}'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER {ONCE} BEFORE UPDATE ON version WHEN {when} {body}")
        return
    act = "EXECUTE FUNCTION vault_refuse()"
    connection.exec_driver_sql(
        f"CREATE TRIGGER {ONCE} BEFORE UPDATE ON version FOR EACH ROW WHEN ({when}) {act}"
    )
    connection.exec_driver_sql(f"ALTER TABLE version ENABLE ALWAYS TRIGGER {ONCE}")
