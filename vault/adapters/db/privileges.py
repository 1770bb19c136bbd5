"""What PostgreSQL lets the vault's own role do: what its use cases need, and nothing else.

Decided here: the grants. The tables belong to another role, which runs the migrations and which the service does
not know. The service's role reads, adds and changes rows, removes only counts of guesses, old notices, visits to a
provider that are over, and the search index, and of the log may add entries and move the head. It can neither change
the schema nor switch a trigger off:
whoever has the service's database password still cannot rewrite the log in place (SECURITY S25), nor put other wraps
in place of those of a sealed value: `rootvault rewrap` does that, as the role that the tables belong to. A sealed
value it can only empty, by a function of that role.
"""

from __future__ import annotations

from typing import Final

from audit.storage.sql import grants as log_grants
from vault.adapters.db.identities import visit
from vault.adapters.db.notices import notice
from vault.adapters.db.tables import guess, metadata, vault, version

INDEX: Final = ("audit_words", "audit_words_part")
"""The search index: made from the log, never believed, made anew by the same role."""
SEALED: Final = frozenset({"body", "wraps"})
"""What the service writes once, with its version."""
SHRED: Final = "vault_shred(TEXT)"
"""Empties the versions of an account, and nothing else; what it empties stays so."""
SCHEMA_VERSION: Final = "alembic_version"
"""Alembic's own table, which the service reads at start."""


def grants(role: str) -> tuple[str, ...]:
    """Give the statements for a role that exists already; the owner of the tables runs them, after each upgrade.

    Raises `audit.errors.LogRefused` for a name that is not lower case letters, digits and underscores.
    """
    log = log_grants(role)
    tables = [table for table in sorted(metadata.tables) if table != vault.name]
    others = [table for table in tables if table != version.name]
    columns = ", ".join(column.name for column in version.columns if column.name not in SEALED)
    return (
        *log,
        f"REVOKE ALL ON {', '.join([*tables, *INDEX, vault.name, SCHEMA_VERSION])} FROM PUBLIC, {role}",
        f"GRANT SELECT, INSERT, UPDATE ON {', '.join(others)} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE ({columns}) ON {version.name} TO {role}",
        f"GRANT SELECT, INSERT, DELETE ON {', '.join(INDEX)} TO {role}",
        f"GRANT DELETE ON {guess.name}, {notice.name}, {visit.name} TO {role}",
        f"GRANT SELECT ON {vault.name}, {SCHEMA_VERSION} TO {role}",
        f"GRANT EXECUTE ON FUNCTION {SHRED} TO {role}",
        f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}",
    )
