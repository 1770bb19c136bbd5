"""The tables' history, run by the program itself: `upgrade(url)`, `current(url)`, `head()`.

Decided here: a migration is one transaction, on SQLite too, so that a machine that stops in the middle leaves the
database as it was. Nothing is read from a settings file of Alembic's, so this works from an installed
package as from a checkout. Never done here: going back. A database of an earlier form is restored from
its backup.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from vault.adapters.db.engine import BEGIN, engine_for
from vault.adapters.db.errors import translated

if TYPE_CHECKING:
    from sqlalchemy import Connection

HERE = Path(__file__).parent


def upgrade(url: str) -> None:
    """Bring the database at `url` to `head()`, making everything if it is empty; do nothing if it is there."""
    engine = engine_for(url, pool=1)
    try:
        with translated(), engine.connect() as connection:
            connection.execution_options(**{BEGIN: "IMMEDIATE"})
            with connection.begin():
                command.upgrade(configuration(connection), "head")
    finally:
        engine.dispose()


def current(url: str) -> str | None:
    """Say which revision the database at `url` is at, None if it has no tables of ours."""
    engine = engine_for(url, pool=1)
    try:
        with translated(), engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def head() -> str | None:
    """Say which revision this program needs."""
    return ScriptDirectory.from_config(configuration(None)).get_current_head()


def configuration(connection: Connection | None) -> Config:
    """Give Alembic's configuration for our migrations, run on a connection that is already in a transaction."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config
