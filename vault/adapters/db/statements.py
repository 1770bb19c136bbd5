"""Statements of one transaction: run, and their failures turned into our errors at once.

Decided here: a transaction in which a statement failed is over, on SQLite as on PostgreSQL. It is rolled
back on the spot, so that nobody can catch the error and commit the half that went before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Row
from sqlalchemy.dialects import postgresql, sqlite

from vault.adapters.db.errors import translated
from vault.errors import VaultError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable, Table

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
Values: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Statements:
    """A connection inside its transaction."""

    connection: Connection

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite."""
        return self.connection.dialect.name == "sqlite"

    @contextmanager
    def guarded(self) -> Iterator[Connection]:
        """Lend the connection to whoever runs statements by themselves; failures end the transaction."""
        if self.connection.closed:
            raise VaultError("internal", "This unit of work is over; nothing more can be done in it.")
        try:
            with translated():
                yield self.connection
        except VaultError:
            self.end()
            raise

    def end(self) -> None:
        """Roll back; what comes after is refused."""
        with translated():
            self.connection.close()

    def one(self, statement: Executable, values: Values = None) -> AnyRow | None:
        """Give the one row there is, or None."""
        with self.guarded() as connection:
            return connection.execute(statement, values).one_or_none()

    def first(self, statement: Executable, values: Values = None) -> AnyRow | None:
        """Give the first row, or None."""
        with self.guarded() as connection:
            return connection.execute(statement, values).first()

    def all(self, statement: Executable, values: Values = None) -> Sequence[AnyRow]:
        """Give all rows."""
        with self.guarded() as connection:
            return connection.execute(statement, values).all()

    def change(self, statement: Executable, values: Values = None) -> int:
        """Write; give the number of rows that an update or a deletion met."""
        with self.guarded() as connection:
            return connection.execute(statement, values).rowcount

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Begin an insert that may say what to do on conflict, which each dialect spells by itself."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
