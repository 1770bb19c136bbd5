"""Attacks on a stored log by the owner of the database, with every trigger off, up to a whole past recomputed.

The examination names what was done. The last tests are honest about what is not found, and by what it would be.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, Engine, exc

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.storage.sql import SqlStorage
from audit.verify import Older, Report, StorageSource, examine
from tests.contracts.audit_databases import DATABASES, disarm, forge, shared_log
from tests.support.postgres import PostgresServer
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZE = 12


@pytest.fixture(scope="module", params=DATABASES)
def engine(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Lend one log to all: each test rolls back what it did, its statements on tables and triggers as well."""
    with shared_log(request.param, postgres_server, tmp_path_factory, SIZE) as made:
        yield made


class Owner:
    """Somebody who owns the database, switched the triggers off, and left an auditor with old checkpoints."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.kept = LOG.checkpoint(SqlStorage(connection))
        fill(SqlStorage(connection), SIZE + 4)
        for statement in disarm(connection.dialect.name):
            connection.exec_driver_sql(statement)

    def do(self, statement: str, *values: object) -> None:
        mark = "%s" if self.connection.dialect.name == "postgresql" else "?"
        self.connection.exec_driver_sql(statement.replace("?", mark), values or None)

    def leaf(self, seq: int) -> bytes:
        leaf = SqlStorage(self.connection).entry(seq)
        assert leaf is not None
        return leaf

    def examine(self, *since: str) -> Report:
        olds = [Older(f"kept {n}", note) for n, note in enumerate(since)]
        return examine(StorageSource(SqlStorage(self.connection)), SIGNER.verifier, olds)


@pytest.fixture
def owner(engine: Engine) -> Iterator[Owner]:
    with engine.connect() as connection:
        yield Owner(connection)
        connection.rollback()
        connection.invalidate()  # what a PRAGMA set ends with its connection


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def lift_constraints(owner: Owner) -> None:
    """Remove what is left when the triggers are off: the columns' own constraints."""
    if owner.connection.dialect.name == "sqlite":
        owner.do("PRAGMA ignore_check_constraints = ON")
    if owner.connection.dialect.name == "postgresql":
        found = owner.connection.exec_driver_sql(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = 'audit_entry'::regclass"
        )
        for (name,) in found.fetchall():
            owner.do(f"ALTER TABLE audit_entry DROP CONSTRAINT {name}")


def test_without_an_attack_nothing_is_found(owner: Owner) -> None:
    report = owner.examine(owner.kept)
    assert report.findings == ()
    assert report.agreed == (SIZE,)


def test_a_changed_entry_is_named(owner: Owner) -> None:
    lift_constraints(owner)
    owner.do("UPDATE audit_entry SET leaf = ? WHERE seq = 5", owner.leaf(5).replace(b"Ada", b"Eve"))
    report = owner.examine(owner.kept)
    assert report.first_bad == 5
    assert codes(report) >= {"entry.changed", "root.differs", "since.differs"}


def test_an_entry_that_is_hidden_from_searches_is_named(owner: Owner) -> None:
    """What decides which version of a secret is current is found by a search, and no hash covers its columns."""
    if owner.connection.dialect.name == "sqlite":
        with pytest.raises(exc.OperationalError, match="generated column"):
            owner.do("UPDATE audit_entry SET account_id = NULL WHERE seq = 6")
        return
    owner.do("UPDATE audit_entry SET account_id = NULL WHERE seq = 6")
    owner.do("UPDATE audit_entry SET event_type = ? WHERE seq = 7", "secret.shredded")
    report = owner.examine(owner.kept)
    assert [(finding.code, finding.index) for finding in report.findings] == [
        ("entry.search", 6),
        ("entry.search", 7),
    ]


def test_a_removed_entry_is_named(owner: Owner) -> None:
    owner.do("DELETE FROM audit_entry WHERE seq = 7")
    report = owner.examine(owner.kept)
    assert report.first_bad == 7
    assert "entry.missing" in codes(report)


def test_a_removed_entry_with_the_rest_moved_up_is_named(owner: Owner) -> None:
    lift_constraints(owner)
    owner.do("DELETE FROM audit_entry WHERE seq = 7")
    for seq in range(8, SIZE + 4):
        owner.do("UPDATE audit_entry SET seq = ? WHERE seq = ?", seq - 1, seq)
    report = owner.examine(owner.kept)
    assert report.first_bad == 7
    assert "entry.place" in codes(report)


def test_exchanged_entries_are_named(owner: Owner) -> None:
    lift_constraints(owner)
    fourth, ninth = owner.leaf(4), owner.leaf(9)
    owner.do("UPDATE audit_entry SET leaf = ? WHERE seq = 4", ninth)
    owner.do("UPDATE audit_entry SET leaf = ? WHERE seq = 9", fourth)
    places = {
        finding.index for finding in owner.examine(owner.kept).findings if finding.code == "entry.place"
    }
    assert places == {4, 9}


def test_a_cut_tail_under_the_old_signed_head_is_found_by_a_newer_checkpoint(owner: Owner) -> None:
    newest = LOG.checkpoint(SqlStorage(owner.connection))
    frontier = forge(owner.connection, SIZE, lambda _, leaf: leaf)
    owner.do("DELETE FROM audit_entry WHERE seq >= ?", SIZE)
    owner.do("UPDATE audit_head SET size = ?, frontier = ?, note = ?", SIZE, b"".join(frontier), owner.kept)
    assert owner.examine().is_sound, (
        "an older signed head alone looks perfect: this is why checkpoints are kept"
    )
    report = owner.examine(newest)
    assert [(finding.code, finding.index) for finding in report.findings] == [("since.truncated", SIZE)]


def test_an_entry_beyond_the_head_is_found(owner: Owner) -> None:
    frontier = forge(owner.connection, SIZE, lambda _, leaf: leaf)
    owner.do("UPDATE audit_head SET size = ?, frontier = ?, note = ?", SIZE, b"".join(frontier), owner.kept)
    report = owner.examine(owner.kept)
    assert [(finding.code, finding.index) for finding in report.findings] == [("entry.beyond", SIZE)]


@pytest.mark.parametrize("seq", [-1, SIZE + 1], ids=["before the first", "after a gap"])
def test_an_entry_outside_of_what_is_counted_is_found_wherever_it_is(owner: Owner, seq: int) -> None:
    lift_constraints(owner)
    frontier = forge(owner.connection, SIZE, lambda _, leaf: leaf)
    leaf, nodes = owner.leaf(3), b"\0" * 32
    owner.do("DELETE FROM audit_entry WHERE seq >= ?", SIZE)
    owner.do("INSERT INTO audit_entry (seq, leaf, nodes) VALUES (?, ?, ?)", seq, leaf, nodes)
    owner.do("UPDATE audit_head SET size = ?, frontier = ?, note = ?", SIZE, b"".join(frontier), owner.kept)
    report = owner.examine(owner.kept)
    assert [(finding.code, finding.index) for finding in report.findings] == [("entry.beyond", SIZE)]


def eve(index: int, leaf: bytes) -> bytes:
    """Put another person into entry 5."""
    return leaf.replace(b'"name":"Ada"', b'"name":"Eve"') if index == 5 else leaf


def test_a_whole_past_recomputed_without_the_key_is_found(owner: Owner) -> None:
    forge(owner.connection, SIZE + 4, eve)
    assert "root.differs" in codes(owner.examine())
    assert codes(owner.examine(owner.kept)) >= {"root.differs", "since.differs"}


def test_a_past_signed_with_another_key_is_found(owner: Owner) -> None:
    frontier = forge(owner.connection, SIZE + 4, eve)
    thief = type(SIGNER).from_seed(ORIGIN, bytes(32))
    owner.do(
        "UPDATE audit_head SET note = ?",
        thief.sign(Checkpoint(ORIGIN, SIZE + 4, merkle.fold(frontier)).format()),
    )
    assert "note.unsigned" in codes(owner.examine())


def rechained(owner: Owner) -> Callable[[int, bytes], bytes]:
    """Rewrite entry 5 and mend, in all that follow, the chains of the accounts."""
    tails: dict[str, str] = {}

    def rewrite(index: int, leaf: bytes) -> bytes:
        members = json.loads(eve(index, leaf))
        account = members.get("account")
        if account and "prev" in account:
            account["prev"] = tails[account["id"]]
        mended = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        if account:
            tails[account["id"]] = merkle.leaf_hash(mended).hex()
        return mended

    return rewrite


def test_a_past_rewritten_with_the_stolen_key_is_found_by_a_checkpoint_kept_elsewhere_alone(
    owner: Owner,
) -> None:
    early = LOG.checkpoint(SqlStorage(owner.connection))
    frontier = forge(owner.connection, SIZE + 4, rechained(owner))
    note = SIGNER.sign(Checkpoint(ORIGIN, SIZE + 4, merkle.fold(frontier)).format())
    owner.do("UPDATE audit_head SET note = ?", note)
    assert owner.examine().is_sound, "with the key and nothing outside, another past is as good as ours"
    report = owner.examine(owner.kept, early)
    assert [finding.code for finding in report.findings] == ["since.differs"] * 2
    assert report.first_bad == 0
