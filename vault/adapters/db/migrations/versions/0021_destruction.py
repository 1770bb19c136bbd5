"""Destruction of what a vault could open.

Frozen: what a later version needs is a later migration. From here on the body of a version may change too, once and
to one thing alone: emptied, with its wraps, under the label *destroyed*; what is so stays so. On PostgreSQL the
service's role still may not write either column: it calls `vault_shred`, which does nothing else.
"""

from __future__ import annotations

from typing import Final

from alembic import op

from vault.adapters.db.migrations.steps import carry_out

revision = "0021"
down_revision = "0020"

FIXED: Final = {
    "destruction_fixed": (
        "destruction",
        "account_id at by by_name ground why case_id versions wraps mails backups_until",
    ),
}
WRITTEN_ONCE: Final = "account_id kind number origin sha256 created_at created_by"
SHRED: Final = """
CREATE FUNCTION vault_shred(whose TEXT) RETURNS INTEGER LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
  emptied INTEGER;
BEGIN
  UPDATE version SET label = 'destroyed', body = '\\x00', wraps = '\\x00'
  WHERE account_id = whose AND label <> 'destroyed';
  GET DIAGNOSTICS emptied = ROW_COUNT;
  RETURN emptied;
END
$$
"""


def upgrade() -> None:
    """Add what is new."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql(f"DROP TRIGGER version_fixed{'' if is_sqlite else ' ON version'}")
    carry_out(__file__, kept=("destruction",), fixed=FIXED)
    differs, empty = ("IS NOT", "X'00'") if is_sqlite else ("IS DISTINCT FROM", "'\\x00'::bytea")
    changed = " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in WRITTEN_ONCE.split())
    emptied = f"NEW.label = 'destroyed' AND NEW.body = {empty} AND NEW.wraps = {empty}"
    guards = {
        "version_fixed": f"{changed} OR (NEW.body {differs} OLD.body AND NOT ({emptied}))",
        "version_destroyed_empty": f"NEW.label = 'destroyed' AND NOT ({emptied})",
        "version_destroyed_stays": "OLD.label = 'destroyed' AND NEW.label <> 'destroyed'",
    }
    for name, when in guards.items():
        if is_sqlite:
            body = f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
            connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE UPDATE ON version WHEN {when} {body}")
            continue
        act = f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION vault_refuse()"
        connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE UPDATE ON version {act}")
        connection.exec_driver_sql(f"ALTER TABLE version ENABLE ALWAYS TRIGGER {name}")
    if not is_sqlite:
        connection.exec_driver_sql(SHRED)
        connection.exec_driver_sql("REVOKE ALL ON FUNCTION vault_shred(TEXT) FROM PUBLIC")
