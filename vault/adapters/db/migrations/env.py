"""What Alembic runs: the migrations, on the connection that `upgrade` lends, or on the one ``-x url=…`` names."""

from __future__ import annotations

from alembic import context

from vault.adapters.db.engine import BEGIN, engine_for
from vault.adapters.db.tables import metadata


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Say whether a thing in the database is described by our tables; the log's are not."""
    return not (kind == "table" and name is not None and name.startswith("audit_"))


def run(connection: object) -> None:
    """Run what Alembic was asked for."""
    context.configure(
        connection=connection,  # type: ignore[arg-type]  # Alembic hands attributes through untyped
        target_metadata=metadata,
        include_name=is_ours,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=False,
    )
    context.run_migrations()


lent = context.config.attributes.get("connection")
if lent is not None:
    run(lent)
else:
    with engine_for(context.get_x_argument(as_dictionary=True)["url"], pool=1).connect() as opened:
        opened.execution_options(**{BEGIN: "IMMEDIATE"})
        with opened.begin():
            run(opened)
