"""Mail that is assigned to an account, and the order in which notes of mail are told.

Frozen: what a later version needs is a later migration. From here on what a mail is, and whose, may change once: when
mail to no account is given to one. Its content is sealed anew then, for its new place; all else stays guarded.
"""

from __future__ import annotations

from typing import Final

from alembic import op

from vault.adapters.db.migrations.steps import carry_out

revision = "0025"
down_revision = "0024"

COLUMNS: Final = (
    "ALTER TABLE mail ADD COLUMN assigned_at {moment}",
    (
        "ALTER TABLE mail ADD COLUMN assigned_by TEXT{bytewise}"
        " CONSTRAINT mail_assigned_whole CHECK ((assigned_at IS NULL) = (assigned_by IS NULL))"
        " CONSTRAINT mail_assigned_to_an_account CHECK (assigned_at IS NULL OR account_id IS NOT NULL)"
    ),
    "ALTER TABLE mail_note ADD COLUMN arrived INTEGER DEFAULT 0 NOT NULL",
)
FIXED: Final = {
    "mail_fixed": ("mail", "id recipient sender verdict forged way source fingerprint size received_at"),
    "mail_note_fixed": ("mail_note", "mail_id account_id topic subject arrived"),
}
ONCE: Final = {
    "mail_assigned_once": (
        "(OLD.account_id IS NOT NULL OR NEW.account_id IS NULL) AND (NEW.account_id {differs} OLD.account_id"
        " OR NEW.kind {differs} OLD.kind OR NEW.rule {differs} OLD.rule OR NEW.half {differs} OLD.half"
        " OR NEW.sha256 {differs} OLD.sha256 OR NEW.assigned_at {differs} OLD.assigned_at"
        " OR NEW.assigned_by {differs} OLD.assigned_by)"
    ),
    "mail_content_once": (
        "(NEW.body {differs} OLD.body AND NEW.body IS NOT NULL"
        " AND (OLD.body IS NULL OR OLD.account_id IS NOT NULL OR NEW.account_id IS NULL))"
        " OR (NEW.emptied_at {differs} OLD.emptied_at AND OLD.emptied_at IS NOT NULL)"
    ),
}


def upgrade() -> None:
    """Add what is new, and make the guards of mail anew."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for name, table in (
        ("mail_fixed", "mail"),
        ("mail_content_once", "mail"),
        ("mail_note_fixed", "mail_note"),
    ):
        connection.exec_driver_sql(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
    carry_out(__file__, columns=COLUMNS, fixed=FIXED)
    for name, condition in ONCE.items():
        when = condition.format(differs="IS NOT" if is_sqlite else "IS DISTINCT FROM")
        if is_sqlite:
            body = f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
            connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE UPDATE ON mail WHEN {when} {body}")
            continue
        act = f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION vault_refuse()"
        connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE UPDATE ON mail {act}")
        connection.exec_driver_sql(f"ALTER TABLE mail ENABLE ALWAYS TRIGGER {name}")
