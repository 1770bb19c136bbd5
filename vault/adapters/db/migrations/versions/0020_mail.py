"""Mail that came to root addresses.

Frozen: what a later version needs is a later migration.
"""

from __future__ import annotations

from alembic import op

from vault.adapters.db.migrations.steps import carry_out

revision = "0020"
down_revision = "0019"

KEPT = ("mail", "mail_opening", "mail_note")
FIXED = {
    "mail_fixed": (
        "mail",
        "id account_id recipient kind rule half sender verdict forged way source fingerprint size received_at sha256",
    ),
    "mail_opening_fixed": ("mail_opening", "id mail_id checkout_id account_id person_id authorized_at"),
    "mail_note_fixed": ("mail_note", "mail_id account_id topic subject"),
}
ONCE = "mail_content_once"
CHANGED = (
    "(NEW.body {differs} OLD.body AND NEW.body IS NOT NULL)"
    " OR (NEW.emptied_at {differs} OLD.emptied_at AND OLD.emptied_at IS NOT NULL)"
)


def upgrade() -> None:
    """Add what is new, and the guard that a content is written once and only ever removed."""
    carry_out(__file__, kept=KEPT, fixed=FIXED)
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    when = CHANGED.format(differs="IS NOT" if is_sqlite else "IS DISTINCT FROM")
    if is_sqlite:
        body = f"BEGIN SELECT RAISE(ABORT, '{ONCE}'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER {ONCE} BEFORE UPDATE ON mail WHEN {when} {body}")
        return
    act = "EXECUTE FUNCTION vault_refuse()"
    connection.exec_driver_sql(
        f"CREATE TRIGGER {ONCE} BEFORE UPDATE ON mail FOR EACH ROW WHEN ({when}) {act}"
    )
    connection.exec_driver_sql(f"ALTER TABLE mail ENABLE ALWAYS TRIGGER {ONCE}")
