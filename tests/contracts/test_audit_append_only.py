"""Attacks on a stored log that the database itself refuses, statement by statement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, Engine, exc

from audit import merkle
from audit.entry import encode
from audit.errors import LogRefused
from audit.storage.schema import grants
from audit.storage.sql import SqlStorage
from tests.contracts.audit_databases import DATABASES, shared_log
from tests.support.postgres import PostgresServer
from tests.unit.audit.world import LOG, ORIGIN, draft, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit.entry import Draft

SIZE = 12
ROLE = "audit_app"


# Whatever is refused or rolled back leaves the log as it was, and each test looks that it did: so all share one.


@pytest.fixture(scope="module", params=DATABASES)
def engine(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with shared_log(request.param, postgres_server, tmp_path_factory, SIZE) as made:
        yield made


@pytest.fixture(scope="module")
def postgres(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with shared_log("postgresql", postgres_server, tmp_path_factory, SIZE) as made:
        yield made


@pytest.fixture(scope="module")
def sqlite(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with shared_log("sqlite", postgres_server, tmp_path_factory, SIZE) as made:
        yield made


def next_row(storage: SqlStorage, event: Draft, *, seq: int | None = None) -> tuple[int, bytes, bytes]:
    """Make the row that an honest append would insert."""
    head, tail = storage.lock(event.account)
    frontier = [head.frontier[at : at + 32] for at in range(0, len(head.frontier), 32)]
    account = (tail.account_seq + 1, tail.leaf_hash) if tail else (0, None)
    leaf = encode(event, ORIGIN, head.size if seq is None else seq, *account)
    nodes, _ = merkle.complete(head.size, merkle.leaf_hash(leaf), frontier)
    return head.size, leaf, b"".join(nodes)


def insert(connection: Connection, row: tuple[object, ...], how: str = "INSERT") -> None:
    marks = ", ".join("%s" if connection.dialect.name == "postgresql" else "?" for _ in row)
    connection.exec_driver_sql(f"{how} INTO audit_entry (seq, leaf, nodes) VALUES ({marks})", row)


def how_in(engine: Engine, how: str) -> str:
    """PostgreSQL knows one way of inserting."""
    return how if engine.dialect.name == "sqlite" else "INSERT"


def refused(engine: Engine, attack: Callable[[Connection], None]) -> str:
    """Run an attack and return the words with which the database refused it; nothing may have changed."""
    with engine.connect() as connection:
        before = rows(connection)
        connection.rollback()
        with pytest.raises(exc.DBAPIError) as caught:
            attack(connection)
        connection.rollback()
        assert rows(connection) == before
        connection.rollback()
    return str(caught.value.orig)


def rows(connection: Connection) -> list[tuple[object, ...]]:
    return [
        tuple(row)
        for table in ("audit_entry", "audit_head")
        for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 - our own names
    ]


CHANGES = (
    "UPDATE audit_entry SET leaf = leaf",
    "UPDATE audit_entry SET nodes = nodes WHERE seq = 3",
    "UPDATE audit_entry SET seq = 99 WHERE seq = 11",
    "UPDATE audit_entry SET inserted_at = NULL",
    "DELETE FROM audit_entry",
    "DELETE FROM audit_entry WHERE seq = 11",
    "DELETE FROM audit_head",
    "INSERT INTO audit_head (id, origin, size, frontier, note) SELECT 2, origin, size, frontier, note FROM audit_head",
    "INSERT INTO audit_head (id, origin, size, frontier, note) SELECT id, origin, size, frontier, note FROM audit_head",
    "UPDATE audit_head SET size = size - 1",
    "UPDATE audit_head SET size = size + 1",
    "UPDATE audit_head SET size = NULL",
    "UPDATE audit_head SET size = size, note = 'forged'",
    "UPDATE audit_head SET origin = 'other.example/log'",
    "UPDATE audit_head SET frontier = nodes FROM audit_entry WHERE seq = 0",
)


@pytest.mark.parametrize("statement", CHANGES)
def test_nothing_is_changed_or_removed(engine: Engine, statement: str) -> None:
    words = refused(engine, lambda connection: (connection.exec_driver_sql(statement), None)[1])
    assert "audit log: " in words


SQLITE_TRICKS = (
    "UPDATE OR REPLACE audit_entry SET seq = 3 WHERE seq = 4",
    "UPDATE OR IGNORE audit_entry SET leaf = x'7b7d'",
    "INSERT OR REPLACE INTO audit_head (id, origin, size, frontier, note) VALUES (1, '', 0, x'', '')",
    "INSERT OR REPLACE INTO audit_entry (seq, leaf, nodes) SELECT seq, leaf, nodes FROM audit_entry WHERE seq = 3",
    "INSERT OR IGNORE INTO audit_entry (seq, leaf, nodes) SELECT seq, leaf, nodes FROM audit_entry WHERE seq = 3",
    (
        "INSERT INTO audit_entry (seq, leaf, nodes) SELECT seq, leaf, nodes FROM audit_entry WHERE seq = 3"
        " ON CONFLICT DO UPDATE SET leaf = x'7b7d'"
    ),
    "INSERT INTO audit_entry (leaf, nodes) SELECT leaf, nodes FROM audit_entry WHERE seq = 3",
)


@pytest.mark.parametrize("statement", SQLITE_TRICKS)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
def test_no_way_of_sqlite_to_replace_a_row_leads_around(
    sqlite: Engine, statement: str, recursive: str
) -> None:
    def attack(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA recursive_triggers = {recursive}")
        connection.exec_driver_sql(statement)

    assert "audit log: " in refused(sqlite, attack)


@pytest.mark.parametrize("how", ["INSERT", "INSERT OR REPLACE"])
@pytest.mark.parametrize("seq", [0, 5, SIZE - 1, SIZE + 1, -1, None])
def test_no_entry_goes_anywhere_but_to_the_end(engine: Engine, how: str, seq: int | None) -> None:
    def attack(connection: Connection) -> None:
        _, leaf, nodes = next_row(SqlStorage(connection), draft(), seq=seq and abs(seq))
        insert(connection, (seq, leaf, nodes), how_in(engine, how))

    assert "audit log: entries are added one at a time" in refused(engine, attack)


def test_only_one_entry_is_added_before_the_head_moves(engine: Engine) -> None:
    def attack(connection: Connection) -> None:
        row = next_row(SqlStorage(connection), draft())
        insert(connection, row)
        insert(connection, (row[0] + 1, *next_row(SqlStorage(connection), draft(), seq=row[0] + 1)[1:]))

    assert "audit log: entries are added one at a time" in refused(engine, attack)


def test_the_head_does_not_move_without_an_entry(engine: Engine) -> None:
    def attack(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE audit_head SET size = size + 1, note = 'forged'")

    assert "over an entry that is there" in refused(engine, attack)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"log": "other.example/log"}, "names another place"),
        ({"log": None}, "names another place"),
        ({"seq": SIZE + 1}, "names another place"),
        ({"seq": None}, "names another place"),
        ({"id": None}, "no id"),
        ({"account": {"id": "100000000000", "seq": 0}}, "chain of its account"),
        ({"account": {"id": "100000000000", "seq": 4, "prev": "00" * 32}}, "chain of its account"),
        ({"account": {"id": "100000000000", "seq": None}}, "chain of its account"),
        ({"account": {"id": "900000000000", "seq": 1}}, "chain of its account"),
        ({"account": {"id": "900000000000", "seq": 0, "prev": "00" * 32}}, "chain of its account"),
    ],
)
def test_a_leaf_that_belongs_elsewhere_is_refused(
    engine: Engine, change: dict[str, object], words: str
) -> None:
    def attack(connection: Connection) -> None:
        seq, leaf, nodes = next_row(SqlStorage(connection), draft())
        members = {**json.loads(leaf), **change}
        forged = json.dumps({name: value for name, value in members.items() if value is not None}).encode()
        insert(connection, (seq, forged, merkle.leaf_hash(forged) + nodes[32:]))

    assert f"audit log: {'the leaf ' if 'no id' not in words else ''}" in (text := refused(engine, attack))
    assert words in text


@pytest.mark.parametrize("how", ["INSERT", "INSERT OR REPLACE"])
def test_an_event_that_is_there_already_is_refused(engine: Engine, how: str) -> None:
    again = draft()

    def attack(connection: Connection) -> None:
        LOG.append(SqlStorage(connection), again)
        insert(connection, next_row(SqlStorage(connection), again), how_in(engine, how))

    assert "there already" in refused(engine, attack)


@pytest.mark.parametrize("nodes", [b"", bytes(31), bytes(32), bytes(64), bytes(96)])
def test_hashes_that_do_not_fit_the_place_are_refused(engine: Engine, nodes: bytes) -> None:
    def attack(connection: Connection) -> None:
        fill(SqlStorage(connection), 13)
        seq, leaf, right = next_row(SqlStorage(connection), draft())
        assert len(right) == 64
        if engine.dialect.name == "sqlite" and len(nodes) == len(right):
            insert(connection, (seq, leaf, nodes[:63]))  # SQLite cannot hash: it looks at the length alone
        insert(connection, (seq, leaf, nodes))

    assert "constraint" in refused(engine, attack)


@pytest.fixture(scope="module")
def application(postgres: Engine) -> Iterator[Engine]:
    """Lend the database to a role that has what `grants` says and nothing else."""
    with postgres.begin() as connection:
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {ROLE}")
        connection.exec_driver_sql(f"CREATE ROLE {ROLE} NOLOGIN")
        for statement in grants(ROLE):
            connection.exec_driver_sql(statement)
    yield postgres
    with postgres.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {ROLE}")
        connection.exec_driver_sql(f"DROP ROLE {ROLE}")


class TestPostgres:
    """What is promised of PostgreSQL alone."""

    @pytest.mark.parametrize("table", ["audit_entry", "audit_head", "audit_entry, audit_head"])
    def test_nothing_is_truncated(self, postgres: Engine, table: str) -> None:
        words = refused(postgres, lambda c: (c.exec_driver_sql(f"TRUNCATE {table}"), None)[1])
        assert "audit log: nothing is changed or removed" in words

    @pytest.mark.parametrize("statement", [*CHANGES, "TRUNCATE audit_entry", "TRUNCATE audit_head"])
    def test_a_replication_role_is_refused_too(self, postgres: Engine, statement: str) -> None:
        def attack(connection: Connection) -> None:
            connection.exec_driver_sql("SET session_replication_role = replica")
            connection.exec_driver_sql(statement)

        assert "audit log: " in refused(postgres, attack)

    def test_a_table_of_the_session_does_not_stand_in_for_ours(self, postgres: Engine) -> None:
        def attack(connection: Connection) -> None:
            _, leaf, nodes = next_row(SqlStorage(connection), draft(), seq=99)
            connection.exec_driver_sql(
                "CREATE TEMP TABLE audit_head AS SELECT 99 AS size, origin FROM audit_head"
            )
            connection.exec_driver_sql("CREATE TEMP TABLE audit_entry_not (seq bigint)")
            connection.exec_driver_sql(
                "INSERT INTO public.audit_entry (seq, leaf, nodes) VALUES (99, %s, %s)", (leaf, nodes)
            )

        assert "audit log: entries are added one at a time" in refused(postgres, attack)

    def test_the_application_can_append_and_prove(self, application: Engine) -> None:
        with application.connect() as connection:
            connection.exec_driver_sql(f"SET LOCAL ROLE {ROLE}")
            receipt = LOG.append(SqlStorage(connection), draft(account="100000000000"))
            LOG.check_current(SqlStorage(connection), receipt.index)
            connection.rollback()
        assert receipt.index == SIZE

    @pytest.mark.parametrize(
        "statement",
        [
            *CHANGES,
            "TRUNCATE audit_entry",
            "DROP TABLE audit_entry",
            "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
            "DROP TRIGGER audit_entry_stays ON audit_entry",
            "SET session_replication_role = replica",
            "INSERT INTO audit_entry (seq, leaf, nodes, account_id) VALUES (12, '', '', 'other')",
            "INSERT INTO audit_entry (seq, leaf, nodes, inserted_at) VALUES (12, '', '', now())",
            "UPDATE audit_head SET id = 1",
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
        ],
    )
    def test_the_application_can_do_nothing_else(self, application: Engine, statement: str) -> None:
        def attack(connection: Connection) -> None:
            connection.exec_driver_sql(f"SET LOCAL ROLE {ROLE}")
            connection.exec_driver_sql(statement)

        words = refused(application, attack)
        assert any(each in words for each in ("permission denied", "must be owner", "audit log: "))

    def test_a_role_with_an_unfit_name_is_refused(self) -> None:
        with pytest.raises(LogRefused, match=r"log\.identifier"):
            grants('app"; DROP TABLE audit_entry; --')


def test_the_projection_is_what_the_leaf_says(engine: Engine) -> None:
    with engine.connect() as connection:
        LOG.append(
            SqlStorage(connection), draft("secret.promoted", "100000000000", checkout="c1", kind="password")
        )
        row = connection.exec_driver_sql(f"SELECT * FROM audit_entry WHERE seq = {SIZE}").mappings().one()  # noqa: S608 - a number
        members = json.loads(row["leaf"])
        connection.rollback()
    assert {name: row[name] for name in row if name not in {"seq", "leaf", "nodes", "inserted_at"}} == {
        "event_id": members["id"],
        "occurred_at": members["time"],
        "event_type": "secret.promoted",
        "outcome": "success",
        "actor_id": "person-1",
        "account_id": "100000000000",
        "account_seq": members["account"]["seq"],
        "checkout_id": "c1",
        "secret_kind": "password",
    }
