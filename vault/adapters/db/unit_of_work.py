"""Units of work: one transaction over every store and the log.

Decided here: how a transaction begins and ends. Writing, SQLite begins with BEGIN IMMEDIATE, so that the wait
for other writers is at the beginning and bounded; PostgreSQL is READ COMMITTED, held together by row locks.
Reading, both give one consistent state. Leaving without commit rolls back; after a commit, or a statement
that failed, the unit is over.

After a commit that appended entries the mark outside the database moves to the new head. If that fails,
`commit` raises although the transaction is durable: what was to be disclosed stays undisclosed, and the
log says more than happened, never less. The next unit that writes moves the mark over it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from audit.errors import RolledBack
from vault.adapters.db import tables
from vault.adapters.db.engine import BEGIN, LOCK_SECONDS
from vault.adapters.db.errors import rolled_back, translated
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import Accounts, Customers
from vault.adapters.db.stores.campaigns import Campaigns
from vault.adapters.db.stores.cases import Cases
from vault.adapters.db.stores.census import Census
from vault.adapters.db.stores.checkouts import Checkouts
from vault.adapters.db.stores.closures import Closures
from vault.adapters.db.stores.cloud import CloudEvents
from vault.adapters.db.stores.coming import Coming
from vault.adapters.db.stores.copies import Copies
from vault.adapters.db.stores.daily import Daily
from vault.adapters.db.stores.destructions import Destructions
from vault.adapters.db.stores.disclosures import Reveals, Rotations
from vault.adapters.db.stores.findings import Findings
from vault.adapters.db.stores.freezes import Freezes
from vault.adapters.db.stores.health import Healths
from vault.adapters.db.stores.history import History
from vault.adapters.db.stores.identities import Identities, Visits
from vault.adapters.db.stores.incidents import Incidents
from vault.adapters.db.stores.inspections import Inspections
from vault.adapters.db.stores.keyless import KeylessMembers
from vault.adapters.db.stores.latest import Memory
from vault.adapters.db.stores.leavers import Leavers
from vault.adapters.db.stores.log import Facts, LogEntries, Marked
from vault.adapters.db.stores.mail import Mails
from vault.adapters.db.stores.notices import Notices
from vault.adapters.db.stores.onboarding import Onboarding
from vault.adapters.db.stores.outlets import Outlets, PublishedNotes
from vault.adapters.db.stores.passkeys import Passkeys
from vault.adapters.db.stores.people import GuessCounts, People
from vault.adapters.db.stores.policies import Policies
from vault.adapters.db.stores.proofs import Proofs
from vault.adapters.db.stores.proposals import Proposals
from vault.adapters.db.stores.ranges import Ranges
from vault.adapters.db.stores.recipients import Recipients
from vault.adapters.db.stores.release import Releases
from vault.adapters.db.stores.restoring import Restoring
from vault.adapters.db.stores.sessions import Sessions, Tokens
from vault.adapters.db.stores.versions import Versions
from vault.adapters.db.stores.words import Words
from vault.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from audit.log import Log
    from audit.mark import MarkFile

_VAULT_ID: Final = select(tables.vault.c.id)
_WRITE: Final[Mapping[str, Mapping[str, Any]]] = {
    "sqlite": {BEGIN: "IMMEDIATE"},
    "postgresql": {},
}
_READ: Final[Mapping[str, Mapping[str, Any]]] = {
    "sqlite": {BEGIN: "DEFERRED"},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


class SqlUnit:
    """Implements `Unit` on one connection."""

    def __init__(self, units: SqlUnits, connection: Connection) -> None:
        db = Statements(connection)
        self._units = units
        self._db = db
        self._storage = Marked(db, units.log, units.mark)
        self.customers = Customers(db)
        self.accounts = Accounts(db)
        self.versions = Versions(db)
        self.checkouts = Checkouts(db)
        self.health = Healths(db)
        self.history = History(db)
        self.reveals = Reveals(db)
        self.rotations = Rotations(db)
        self.people = People(db)
        self.sessions = Sessions(db)
        self.tokens = Tokens(db)
        self.guesses = GuessCounts(db)
        self.cloud = CloudEvents(db)
        self.proofs = Proofs(db)
        self.incidents = Incidents(db)
        self.inspections = Inspections(db)
        self.findings = Findings(db)
        self.keyless = KeylessMembers(db)
        self.mail = Mails(db)
        self.proposals = Proposals(db)
        self.campaigns = Campaigns(db)
        self.cases = Cases(db)
        self.onboarding = Onboarding(db)
        self.coming = Coming(db)
        self.policies = Policies(db)
        self.recipients = Recipients(db)
        self.identities = Identities(db)
        self.visits = Visits(db)
        self.passkeys = Passkeys(db)
        self.freezes = Freezes(db)
        self.closures = Closures(db)
        self.destructions = Destructions(db)
        self.releases = Releases(db)
        self.notices = Notices(db)
        self.leavers = Leavers(db)
        self.ranges = Ranges(db)
        self.census = Census(db)
        self.restoring = Restoring(db, self._storage)
        self.daily = Daily(db, self._storage)
        self.words = Words(db)
        self.outlets = Outlets(db)
        self.published = PublishedNotes(db, units.log, self._storage)
        facts = Facts(units.app, units.policy_hash)
        self.log = LogEntries(db, units.log, facts, self._storage, units.followed)
        self.copies = Copies(db, units.log, self._storage)

    @property
    def vault_id(self) -> str:
        """The vault's immutable UUID, part of every secret's context; asked of the database once."""
        if not self._units.known_id:
            row = self._db.one(_VAULT_ID)
            if row is None:
                detail = "The database has no vault in it; run `rootvault init` first."
                raise Unavailable("database.unavailable", detail)
            self._units.known_id.append(row[0])
        return self._units.known_id[0]

    def check_mark(self) -> None:
        """Hold the log against its mark and its keys, as every append does.

        Raises `RolledBack` if it is behind its mark or beside it, what an append raises if another key signs it by now.
        """
        with self._db.guarded():
            self._storage.read_mark()
            self.log.checkpoint()
            self._storage.check_keys()
            self._storage.check_mark()

    def commit(self) -> None:
        """Make everything durable, or raise `Unavailable` and leave nothing; then move the mark.

        Raises `Unavailable` log.unavailable if the mark could not be moved: durable, but not to be disclosed.
        """
        with self._db.guarded() as connection:
            connection.commit()
            connection.close()
        self._units.advance(self._storage.appended)


@dataclass(frozen=True, slots=True)
class SqlUnits:
    """Implements `Units`: `app` and `policy_hash` are told in every entry, `mark` is outside the database."""

    engine: Engine
    log: Log
    mark: MarkFile | None
    app: Mapping[str, str]
    policy_hash: Callable[[], str] = str
    known_id: list[str] = field(default_factory=list, repr=False)
    followed: Memory = field(default_factory=dict, repr=False)
    _writer: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def write(self) -> Iterator[SqlUnit]:
        """Begin a transaction that may write."""
        with self._turn(), self._begun(_WRITE) as connection:
            yield SqlUnit(self, connection)

    @contextmanager
    def read(self) -> Iterator[SqlUnit]:
        """Begin one that only reads, from one consistent state."""
        with self._begun(_READ) as connection:
            yield SqlUnit(self, connection)

    def tidy(self) -> None:
        """Let SQLite's write-ahead log hold nothing that was written over; PostgreSQL does so when it vacuums."""
        if self.engine.dialect.name == "sqlite":
            with self._turn(), translated(), closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()  # in no transaction

    def advance(self, note: str | None) -> None:
        """Move the mark to a checkpoint that is durable now."""
        if note is None or self.mark is None:
            return
        try:
            self.mark.advance(note)
        except RolledBack as error:
            raise rolled_back(error) from None
        except OSError as error:
            detail = (
                f"The log's mark cannot be written ({error.strerror}). What was done is in the log, and nothing"
                " was disclosed. Make room or give access to the mark's file, then look at what was done."
            )
            raise Unavailable("log.unavailable", detail) from None

    @contextmanager
    def _begun(self, options: Mapping[str, Mapping[str, Any]]) -> Iterator[Connection]:
        """Lend a connection in a transaction of its own; roll back whatever was not committed."""
        with translated():
            connection = self.engine.connect()
        try:
            with translated():
                connection.execution_options(**options[self.engine.dialect.name])
                connection.begin()
            yield connection
        finally:
            with translated():
                connection.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let this process's writers on SQLite take turns: SQLite's own waiting is polling, and unfair."""
        if self.engine.dialect.name != "sqlite":
            yield
            return
        if not self._writer.acquire(timeout=LOCK_SECONDS):
            detail = "Another transaction of this vault takes too long; nothing was done. Try again."
            raise Unavailable("database.unavailable", detail, retry_after=LOCK_SECONDS, cause="busy")
        try:
            yield
        finally:
            self._writer.release()
