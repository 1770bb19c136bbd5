"""The ceremony after a restore: the log put aside and room made for another, in one transaction.

Decided here: the log is copied into tables of another name and its own tables are made anew by `audit`, so that
they are exactly what an empty vault has. What is kept by places in the log goes with it: checkpoints that left the
house, what places outside confirmed, the calls that entries told of; copies of their rows stay under the log's
number. Guards of those tables stand aside for the moment of the removal and are put back as they were. On PostgreSQL
only the owner of the tables can do this; whoever could append to the log before can again afterwards.
"""

# ruff: noqa: S608 - statements are composed of our own tables' names and numbers
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, select, text, update

from audit.storage.schema import archive_ddl, ddl, drop_ddl, grants
from vault.adapters.db import mapping, outside, tables
from vault.adapters.db.identities import visit
from vault.adapters.db.keyless import task_session
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.census import Census
from vault.domain.credential import VersionLabel
from vault.ports.census import PutAside

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from vault.adapters.db.stores.log import Marked
    from vault.domain.person import Person

_BY_PLACE: Final = (
    outside.published.name,
    outside.outlet_receipt.name,
    outside.outlet.name,
    outside.key_call.name,
    task_session.name,
)
"""Tables whose rows mean places in the log."""
_INDEX: Final = ("audit_words", "audit_words_part")
_GRANTEES: Final = (
    "SELECT DISTINCT grantee FROM information_schema.column_privileges WHERE table_schema = current_schema()"
    " AND table_name = 'audit_entry' AND privilege_type = 'INSERT' AND grantee <> current_user AND grantee <> 'PUBLIC'"
)
_session = tables.browser_session.c
_person = tables.person.c
_version = tables.version.c


@dataclass(frozen=True, slots=True)
class Restoring:
    """Implements `RestoreStore`."""

    db: Statements
    storage: Marked

    def put_aside(self) -> PutAside:
        """Keep the log under another name, with what is kept by places in it, and make room for a new one."""
        number = len(Census(self.db).put_aside()) + 1
        with self.db.guarded() as connection:
            dialect = connection.dialect.name
            roles: list[str] = []
            if dialect == "postgresql":
                # a long log takes its time to be copied
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
                roles = list(connection.execute(text(_GRANTEES)).scalars())
            for statement in (*archive_ddl(dialect, number), *drop_ddl(dialect), *ddl(dialect)):
                connection.exec_driver_sql(statement)
            for table in _BY_PLACE:
                _move(connection, table, f"{table}_{number}")
            for table in _INDEX:
                connection.exec_driver_sql(f"DELETE FROM {table}")
            _forget_matches(connection, number)
            for role in roles:
                kept = ", ".join(f"{name}_{number}" for name in ("audit_entry", "audit_head"))
                for statement in (*grants(role), f"GRANT SELECT ON {kept} TO {role}"):
                    connection.exec_driver_sql(statement)
            head = connection.execute(text(f"SELECT size, note FROM audit_head_{number}")).one()
        return PutAside(number, head[0], head[1])

    def end_sessions(self, now: datetime) -> tuple[str, ...]:
        """End every session; give whose they were, each person once."""
        chosen = select(_session.person_id).where(_session.ended_at.is_(None)).distinct()
        people = tuple(row[0] for row in self.db.all(chosen.order_by(_session.person_id)))
        ended = update(tables.browser_session).where(_session.ended_at.is_(None)).values(ended_at=now)
        self.db.change(ended)
        return people

    def end_links(self) -> tuple[tuple[Person, Person], ...]:
        """End every enrolment link, with the seed that it may have shown; give each person before and after."""
        linked = _person.enrolment_hash.is_not(None)
        chosen = select(*mapping.person.columns).where(linked).order_by(_person.id)
        before = [mapping.person.value(row) for row in self.db.all(chosen)]
        self.db.change(
            update(tables.person).where(linked).values(seed=None, enrolment_hash=None, enrolment_until=None)
        )
        return tuple(
            (person, replace(person, seed=None, enrolment_hash=None, enrolment_until=None))
            for person in before
        )

    def mark_unchecked(self, now: datetime) -> int:
        """Say of every current version that it came out of a backup; give how many."""
        current = _version.label == VersionLabel.CURRENT
        return self.db.change(update(tables.version).where(current).values(restored_at=now))

    def use_up(self, step: int) -> None:
        """Count every one-time code up to a time step as used."""
        for table in (tables.person, tables.version):
            column = table.c.last_step
            self.db.change(
                update(table).where(column < bindparam("step")).values(last_step=bindparam("step")),
                {"step": step},
            )

    def forget(self) -> int:
        """Drop step-ups, visits to a provider and the claims of repeated requests; give how many claims there were."""
        self.db.change(delete(tables.step_up))
        self.db.change(delete(visit))
        return self.db.change(delete(tables.idempotency))


def _move(connection: Connection, table: str, kept: str) -> None:
    """Copy a table's rows into one of another name, and empty it."""
    connection.exec_driver_sql(f"CREATE TABLE {kept} AS SELECT * FROM {table}")
    with _unguarded(connection, table):
        connection.exec_driver_sql(f"DELETE FROM {table}")


def _forget_matches(connection: Connection, number: int) -> None:
    """Let what was matched with an entry name the log that the entry is in, and reading begin at the new log."""
    connection.execute(
        text("UPDATE cloud_event SET matched = :log || matched WHERE matched LIKE 'entry:%'").bindparams(
            log=f"log-{number}/"
        )
    )
    connection.exec_driver_sql("UPDATE cloud_source SET position = '0' WHERE name = 'log'")


@contextmanager
def _unguarded(connection: Connection, table: str) -> Iterator[None]:
    """Let a table's triggers stand aside, and put them back exactly as they were."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        names = "SELECT tgname FROM pg_trigger WHERE tgrelid = CAST(:name AS regclass) AND NOT tgisinternal"
        for name in connection.execute(text(names), {"name": table}).scalars().all():
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        return
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name"
    triggers = connection.execute(text(found), {"name": table}).all()
    for trigger in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger.name}")
    yield
    for trigger in triggers:
        connection.exec_driver_sql(trigger.sql)
